"""A reindex beside the engine's own updates, and requests while it runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from benchmarks.processes import PYTHON, Bench, NotRunError
from benchmarks.results import Result, Target
from benchmarks.rounds import time_call
from benchmarks.seeded import CONTEXT_ID

_CONTEXT = f"/api/v1/contexts/{CONTEXT_ID}"
_PAUSE_SECONDS = 0.01
_LOOK_EVERY = 50  # requests


def bench_reindex(bench: Bench) -> list[Result]:
    """Chunks per second against bare updates of the same rows; `contexts get` meanwhile against before."""
    memories = bench.choose(20_000, 100)
    with bench.start([PYTHON, "-m", "benchmarks.memories", str(memories)]) as ready:
        headers = {"Authorization": f"Bearer {ready['key']}"}
        with httpx.Client(base_url=ready["url"], headers=headers, timeout=60) as client:
            rate = memories / _measure_alone(client, memories)
            idle = _time_requests(client, _count_down(bench.choose(1_000, 20)))
            job = _start_job(client)
            busy = _time_requests(client, lambda: _is_over(_parse_job(client, job)))
            _check_done(_parse_job(client, job), memories)
    return [
        Result(
            name="reindex",
            measured="lifecycle reindex",
            against="bare updates of the same rows",
            unit="chunks/s",
            median=rate,
            baseline=ready["rate"],
            target=Target("≥", 0.5),
            notes=(f"{memories:,} chunks, local/hashing, from the job's start to its end",),
        ),
        Result(
            name="reindex-requests",
            measured="GET /contexts/{id} during a reindex, p95",
            against="on the idle server",
            unit="ms",
            median=_find_p95(busy),
            baseline=_find_p95(idle),
            target=Target("≤", 5),
            notes=(f"{len(busy):,} requests during, {len(idle):,} before, one after the other",),
        ),
    ]


def _measure_alone(client: httpx.Client, memories: int) -> float:
    """Seconds that a reindex takes without other requests."""
    job = _start_job(client)
    while not _is_over(done := _parse_job(client, job)):
        time.sleep(0.2)
    _check_done(done, memories)
    began, ended = (datetime.fromisoformat(done[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _time_requests(client: httpx.Client, is_enough: Callable[[], bool]) -> list[float]:
    """How long each took, in milliseconds; whether it is enough is asked now and then."""
    times: list[float] = []
    while not is_enough():
        for _ in range(_LOOK_EVERY):
            times.append(time_call(lambda: client.get(_CONTEXT).raise_for_status()))
            time.sleep(_PAUSE_SECONDS)
    return times


def _count_down(count: int) -> Callable[[], bool]:
    left = count

    def is_done() -> bool:
        nonlocal left
        left -= _LOOK_EVERY
        return left + _LOOK_EVERY <= 0

    return is_done


def _start_job(client: httpx.Client) -> str:
    started = client.post(f"{_CONTEXT}/lifecycle/reindex").raise_for_status()
    return str(started.json()["job_id"])


def _parse_job(client: httpx.Client, job: str) -> Any:
    return client.get(f"{_CONTEXT}/lifecycle/jobs/{job}").raise_for_status().json()


def _is_over(job: Any) -> bool:
    return job["status"] not in ("queued", "running")


def _check_done(job: Any, memories: int) -> None:
    if (job["status"], job["progress"]["done"]) != ("succeeded", memories):
        raise NotRunError(f"the reindex ended as {job}")


def _find_p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]

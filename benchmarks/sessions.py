"""Long conversations: read beside the vendor's SDK, ten times as long, imported, and by pages far from the start."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.conversations import CONTENT, DELAY_SECONDS
from benchmarks.processes import PYTHON, SPECTRONCTL, Bench, NotRunError
from benchmarks.results import Result, Target
from benchmarks.rounds import compare, time_call
from benchmarks.seeded import CONTEXT_ID

_ROOT = Path(__file__).parent.parent
SDK = _ROOT / ".venv-sdk-b10" / "bin" / "python"
_PAGE = 500
_LIMIT_MB = 120


@dataclass(frozen=True)
class Served:
    """
    A server with sessions of `turns` turns, of five times and of ten times as many.

    Each request to `far_url` takes longer.
    """

    url: str
    far_url: str
    key: str
    rate: float
    turns: int
    short: str
    middle: str
    long: str

    @property
    def env(self) -> dict[str, str]:
        return {
            "SPECTRON_URL": self.far_url,
            "SPECTRON_MANAGEMENT_API_KEY": self.key,
            "SPECTRON_CONTEXT_ID": CONTEXT_ID,
        }


def bench_sessions(bench: Bench) -> list[Result]:
    """Transcripts and imports through a socket whose every answer comes 20 ms late; a deep page without that."""
    if not SDK.exists():
        raise NotRunError(f"there is no {SDK}: make .venv-sdk-b10/.ready")
    turns = bench.choose(20_000, 200)
    sizes = [str(times * turns) for times in (1, 5, 10)]
    with bench.start([PYTHON, "-m", "benchmarks.conversations", *sizes]) as ready:
        short, middle, long = ready.pop("sessions")
        served = Served(**ready, turns=turns, short=short, middle=middle, long=long)
        return [
            _compare_with_sdk(bench, served),
            *_measure_growth(bench, served),
            _compare_pages(bench, served),
            _measure_import(bench, served),
        ]


def _compare_with_sdk(bench: Bench, served: Served) -> Result:
    turns = 5 * served.turns
    ours, theirs = compare(
        lambda: time_call(lambda: _read(bench, served, served.middle, turns)),
        lambda: time_call(lambda: _read_with_sdk(served, served.middle, turns)),
        bench.choose(3, 1),
    )
    return Result(
        name="transcript",
        measured="sessions transcript -o jsonl",
        against="vendor's SDK, turns(limit=500, offset=…)",
        unit="turns/s",
        median=turns / ours * 1000,
        baseline=turns / theirs * 1000,
        target=Target("≥", 3),
        notes=(f"{turns:,} turns, {DELAY_SECONDS * 1000:.0f} ms added to every request",),
    )


def _read(bench: Bench, served: Served, session_id: str, turns: int) -> float:
    """Print a transcript to a file; the peak of its memory in MB (10^6 bytes)."""
    path = bench.home / "transcript.jsonl"
    command = [SPECTRONCTL, "sessions", "transcript", session_id, "-o", "jsonl"]
    script = ["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", str(path)]
    done = bench.run_whole([*script, PYTHON, "-m", "benchmarks.peak", *command], served.env)
    with path.open("rb") as lines:
        found = sum(1 for _ in lines)
    if found != turns:
        raise NotRunError(f"{found} turns came out, not {turns}")
    return int(done.stderr.splitlines()[-1]) / 1_000_000


def _read_with_sdk(served: Served, session_id: str, turns: int) -> None:
    script = str(Path(__file__).with_name("vendor_turns.py"))
    argv = [str(SDK), script, served.far_url, CONTEXT_ID, session_id]
    done = subprocess.run(argv, input=served.key, capture_output=True, text=True, env={})
    if done.returncode != 0 or int(done.stdout) != turns:
        raise NotRunError(f"the SDK read {done.stdout.strip()} turns: {done.stderr[-500:]}")


def _measure_growth(bench: Bench, served: Served) -> list[Result]:
    peaks: list[float] = []
    long, short = compare(
        lambda: time_call(
            lambda: peaks.append(_read(bench, served, served.long, 10 * served.turns))
        ),
        lambda: time_call(lambda: _read(bench, served, served.short, served.turns)),
        bench.choose(3, 1),
    )
    growth = Result(
        name="transcript-growth",
        measured=f"{10 * served.turns:,} turns to jsonl",
        against=f"{served.turns:,} turns",
        unit="ms",
        median=long,
        baseline=short,
        target=Target("≤", 11),
    )
    memory = Result(
        name="transcript-memory",
        measured=f"{10 * served.turns:,} turns to jsonl, peak RSS",
        against="the limit",
        unit="MB",
        median=statistics.median(peaks),
        baseline=_LIMIT_MB,
        target=Target("<", 1),
    )
    return [growth, memory]


def _compare_pages(bench: Bench, served: Served) -> Result:
    deep = served.turns * 9 // 10
    headers = {"Authorization": f"Bearer {served.key}"}
    with httpx.Client(base_url=served.url, headers=headers, timeout=60) as client:
        median, baseline = compare(
            lambda: time_call(lambda: _get_page(client, served, deep)),
            lambda: time_call(lambda: _get_page(client, served, 0)),
            bench.choose(50, 1),
        )
    return Result(
        name="deep-page",
        measured=f"turns at offset {deep:,}",
        against="at offset 0",
        unit="ms",
        median=median,
        baseline=baseline,
        target=Target("≤", 2),
    )


def _get_page(client: httpx.Client, served: Served, offset: int) -> Any:
    params: Mapping[str, int] = {"limit": min(_PAGE, served.turns // 10), "offset": offset}
    path = f"/api/v1/{CONTEXT_ID}/sessions/{served.short}/turns"
    turns = client.get(path, params=params).raise_for_status().json()["turns"]
    if turns[0]["seq"] != offset:
        raise NotRunError(f"offset {offset} begins at seq {turns[0]['seq']}")


def _measure_import(bench: Bench, served: Served) -> Result:
    talk = bench.home / "talk.jsonl"
    with talk.open("w") as file:
        for number in range(served.turns):
            message = {"role": "user", "content": CONTENT.format(number) * 2}
            file.write(json.dumps(message) + "\n")
    argv = [SPECTRONCTL, "sessions", "import", str(talk), "-q", "-o", "json"]
    done: list[dict[str, Any]] = []
    took = time_call(lambda: done.append(json.loads(bench.run(argv, served.env))))
    if done[0]["sent"] != served.turns:
        raise NotRunError(f"{done[0]['sent']} turns were imported, not {served.turns}")
    return Result(
        name="import",
        measured="sessions import",
        against="bare inserts into the engine",
        unit="turns/s",
        median=served.turns / took * 1000,
        baseline=served.rate,
        target=None,
        notes=("the engine alone, as many turns at once as an import sends, without a network",),
    )

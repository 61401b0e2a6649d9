"""Many keys rotated with an overlap on a server that is 20 ms away: eight at a time against one by one."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.processes import PYTHON, SPECTRONCTL, Bench, NotRunError, Served
from benchmarks.results import Result, Target
from benchmarks.rounds import time_call
from benchmarks.seeded import CONTEXT_ID

_LATENCY_MS = 20
_AT_A_TIME = 8
_OVERLAP_SECONDS = 1
_LIMIT_MB = 150


@dataclass(frozen=True)
class _Run:
    """One run over all keys: keys per second of both commands, and the peak of the first in MB (10^6 bytes)."""

    rotated: float
    finished: float
    peak: float


def bench_rotation(bench: Bench) -> list[Result]:
    """
    `keys rotate --all`, then `keys rotations resume` once the overlap is over; every key, both ways.

    One by one in the middle, so that a machine that grows busier or calmer favours neither.
    """
    keys = bench.choose(1_000, 16)
    with bench.start([PYTHON, "-m", "benchmarks.seeded", str(keys), str(_LATENCY_MS)]) as ready:
        server = Served(ready["url"], ready["key"])
        before = _rotate_all(bench, server, keys, _AT_A_TIME)
        single = _rotate_all(bench, server, keys, 1)
        after = _rotate_all(bench, server, keys, _AT_A_TIME)
    return [
        Result(
            name="rotation",
            measured=f"keys rotate --parallel {_AT_A_TIME}",
            against="--parallel 1",
            unit="keys/s",
            median=mean((before.rotated, after.rotated)),
            baseline=single.rotated,
            target=Target("≥", 5),
            notes=(
                f"{keys:,} keys each way, {_LATENCY_MS} ms added to each request, start-up and listing included",
                f"before the one by one {before.rotated:.1f} keys/s, after it {after.rotated:.1f}",
                f"then rotations resume: {before.finished:.1f} keys/s against {single.finished:.1f}",
            ),
        ),
        Result(
            name="rotation-memory",
            measured=f"keys rotate --parallel {_AT_A_TIME}, peak RSS",
            against="the limit",
            unit="MB",
            median=max(before.peak, after.peak),
            baseline=_LIMIT_MB,
            target=Target("<", 1),
            notes=(f"with --parallel 1 the same command peaks at {single.peak:.1f} MB",),
        ),
    ]


def _rotate_all(bench: Bench, server: Served, keys: int, parallel: int) -> _Run:
    """
    With a journal of its own on a real disk, which is what the steps wait for.

    A directory for temporary files may be in memory, so the journal is beside this file.
    """
    with tempfile.TemporaryDirectory(prefix=".rotation-", dir=Path(__file__).parent) as state:
        env = {**server.env, "XDG_STATE_HOME": state}
        peak = 0.0

        def rotate() -> None:
            nonlocal peak
            peak = _rotate(bench, env, keys, parallel)

        rotated = time_call(rotate)
        time.sleep(_OVERLAP_SECONDS)
        finished = time_call(lambda: _finish(bench, env, keys, parallel))
    return _Run(keys / rotated * 1000, keys / finished * 1000, peak)


def _rotate(bench: Bench, env: dict[str, str], keys: int, parallel: int) -> float:
    places = str(bench.home / "keys-{id}")
    overlap = ["--overlap", f"{_OVERLAP_SECONDS}s", "--drain", "0s"]
    options = ["--all", "--secret-file", places, "--parallel", str(parallel), "--yes"]
    command = [SPECTRONCTL, "keys", "rotate", "-c", CONTEXT_ID, "-o", "jsonl", *overlap, *options]
    done = bench.run_whole([PYTHON, "-m", "benchmarks.peak", *command], env)
    _check_steps(done.stdout, "rotation.step", "waiting", keys)
    return int(done.stderr.splitlines()[-1]) / 1_000_000


def _finish(bench: Bench, env: dict[str, str], keys: int, parallel: int) -> None:
    command = ["keys", "rotations", "resume", "-o", "jsonl", "--parallel", str(parallel)]
    _check_steps(bench.run([SPECTRONCTL, *command], env), "step", "done", keys)


def _check_steps(lines: str, path: str, step: str, keys: int) -> None:
    found = [json.loads(line) for line in lines.splitlines()]
    for part in path.split("."):
        found = [each[part] for each in found]
    if found != [step] * keys:
        raise NotRunError(f"{found.count(step)} of {keys} rotations are {step}")

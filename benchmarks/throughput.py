"""Requests per second of the server, against a bare route that makes the same engine query."""

from __future__ import annotations

import json
import statistics

from benchmarks.processes import PYTHON, Bench
from benchmarks.results import Result, Target
from benchmarks.seeded import CONTEXT_ID

_CONNECTIONS = 8


def bench_throughput(bench: Bench) -> list[Result]:
    """`GET /contexts/{id}`, authenticated, against the bare route, from a client process."""
    with bench.start([PYTHON, "-m", "benchmarks.seeded", "0"]) as ready:
        load = {
            "urls": [
                f"{ready['url']}/api/v1/contexts/{CONTEXT_ID}",
                f"{ready['bare_url']}/contexts/{CONTEXT_ID}",
            ],
            "key": ready["key"],
            "rounds": bench.choose(30, 2),
            "connections": _CONNECTIONS,
            "requests": bench.choose(40, 5),
        }
        rounds = json.loads(bench.run([PYTHON, "-m", "benchmarks.load", json.dumps(load)]))
    median, baseline = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    return [
        Result(
            name="throughput",
            measured="GET /contexts/{id}",
            against="bare route, same query",
            unit="requests/s",
            median=median,
            baseline=baseline,
            target=Target("≥", 0.7),
            notes=(f"{_CONNECTIONS} keep-alive connections from another process",),
        )
    ]

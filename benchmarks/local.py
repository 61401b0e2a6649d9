"""The server in the command's own process, against a server on a socket."""

from __future__ import annotations

import json
import statistics

from benchmarks.processes import PYTHON, SPECTRONCTL, Bench, serve
from benchmarks.results import Result, Target
from benchmarks.rounds import compare

_CREATE = ["contexts", "create", "acme-prod", "--namespace", "acme", "--database", "prod"]
_GET = ["contexts", "get", "acme-prod", "-o", "json"]


def bench_local_get(bench: Bench) -> list[Result]:
    """`--profile local contexts get` against the same over a socket, and what its parts cost."""
    store = f"surrealkv://{bench.home / 'store'}"
    env = {"SPECTRONCTL_LOCAL_STORE": store}
    local = [SPECTRONCTL, "--profile", "local"]
    bench.run([*local, *_CREATE], env)
    with serve(bench) as server:
        bench.run([SPECTRONCTL, *_CREATE], server.env)
        median, baseline = compare(
            lambda: bench.time([*local, *_GET], env),
            lambda: bench.time([SPECTRONCTL, *_GET], server.env),
            bench.choose(20, 1),
        )
    return [
        Result(
            name="local-get",
            measured="--profile local contexts get",
            against="contexts get over a socket",
            unit="ms",
            median=median,
            baseline=baseline,
            target=Target("≤", 4),
            notes=_describe_parts(bench, store),
        )
    ]


def _describe_parts(bench: Bench, store: str) -> tuple[str, ...]:
    """Medians, each part in a fresh process with the others."""
    argv = [PYTHON, "-m", "benchmarks.parts", store]
    runs = [json.loads(bench.run(argv)) for _ in range(bench.choose(7, 1))]
    costs = {part: statistics.median(run[part] for run in runs) for part in runs[0]}
    listed = ", ".join(f"{part} {cost:.0f} ms" for part, cost in costs.items())
    unused = costs["import aiohttp"] + costs["import requests"]
    own = costs["import surrealdb"]
    return (
        f"parts: {listed}",
        f"importing surrealdb takes {unused + own:.0f} ms, {unused:.0f} of them for HTTP clients that no store uses",
    )

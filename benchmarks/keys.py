"""A context with 100,000 keys: what its last page costs, and what it takes to list them all."""

from __future__ import annotations

import statistics
from typing import Any

import httpx

from benchmarks.processes import PYTHON, SPECTRONCTL, Bench, NotRunError, Served
from benchmarks.results import Result, Target
from benchmarks.rounds import compare, time_call
from benchmarks.seeded import CONTEXT_ID

_PAGE = 500
_LIMIT_MB = 100


def bench_keys(bench: Bench) -> list[Result]:
    """The last page against the first, and the memory of `keys list` against its limit."""
    keys = bench.choose(100_000, 1_000)
    with bench.start([PYTHON, "-m", "benchmarks.seeded", str(keys)]) as ready:
        server = Served(ready["url"], ready["key"])
        return [_compare_pages(bench, server, keys), _measure_memory(bench, server, keys)]


def _compare_pages(bench: Bench, server: Served, keys: int) -> Result:
    headers = {"Authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        cursor = _find_last_full_page(client)
        median, baseline = compare(
            lambda: time_call(lambda: _get_page(client, cursor)),
            lambda: time_call(lambda: _get_page(client, "")),
            bench.choose(50, 1),
        )
    return Result(
        name="last-page",
        measured=f"last {_PAGE} of {keys:,} keys",
        against=f"first {_PAGE}",
        unit="ms",
        median=median,
        baseline=baseline,
        target=Target("≤", 1.5),
    )


def _find_last_full_page(client: httpx.Client) -> str:
    cursors = [""]
    while page := _get_page(client, cursors[-1]):
        if len(page["keys"]) < _PAGE or page["next_cursor"] is None:
            break
        cursors.append(page["next_cursor"])
    return cursors[-1] if len(page["keys"]) == _PAGE else cursors[-2]


def _get_page(client: httpx.Client, cursor: str) -> dict[str, Any]:
    params = {"limit": str(_PAGE)} | ({"cursor": cursor} if cursor else {})
    answer = client.get(f"/api/v1/contexts/{CONTEXT_ID}/keys", params=params)
    page: dict[str, Any] = answer.raise_for_status().json()
    return page


def _measure_memory(bench: Bench, server: Served, keys: int) -> Result:
    peaks = [_measure_peak(bench, server, keys) for _ in range(bench.choose(3, 1))]
    one = _measure_peak(bench, server, 1, "--limit", "1")
    return Result(
        name="keys-memory",
        measured="keys list -o jsonl, peak RSS",
        against="the limit",
        unit="MB",
        median=statistics.median(peaks),
        baseline=_LIMIT_MB,
        target=Target("<", 1),
        notes=(f"{keys:,} lines came out; with --limit 1 the same command peaks at {one:.1f} MB",),
    )


def _measure_peak(bench: Bench, server: Served, lines: int, *options: str) -> float:
    """In MB (10^6 bytes)."""
    command = [SPECTRONCTL, "keys", "list", "-c", CONTEXT_ID, "-o", "jsonl", *options]
    done = bench.run_whole([PYTHON, "-m", "benchmarks.peak", *command], server.env)
    found = done.stdout.count("\n")
    if found != lines:
        raise NotRunError(f"{found} lines came out, not {lines}")
    return int(done.stderr.splitlines()[-1]) / 1_000_000

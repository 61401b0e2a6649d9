"""What it costs to say hello, against Python alone."""

from __future__ import annotations

from benchmarks.processes import PYTHON, SPECTRONCTL, Bench
from benchmarks.results import Result, Target
from benchmarks.rounds import compare


def bench_version(bench: Bench) -> list[Result]:
    """`--version` against `python -c pass`."""
    return [_bench_option(bench, "--version", Target("≤", 3))]


def bench_help(bench: Bench) -> list[Result]:
    """`--help` against `python -c pass`."""
    return [_bench_option(bench, "--help", Target("≤", 8))]


def _bench_option(bench: Bench, option: str, target: Target) -> Result:
    median, baseline = compare(
        lambda: bench.time([SPECTRONCTL, option]),
        lambda: bench.time([PYTHON, "-c", "pass"]),
        bench.choose(30, 1),
    )
    return Result(
        name=option.strip("-"),
        measured=f"spectronctl {option}",
        against="python -c pass",
        unit="ms",
        median=median,
        baseline=baseline,
        target=target,
    )

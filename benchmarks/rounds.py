"""Measure two things in turn, so that whatever disturbs the machine hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def compare(
    measured: Callable[[], float], against: Callable[[], float], rounds: int
) -> tuple[float, float]:
    """The median of each, after one round that is not counted, unless it is the only one."""
    warming = rounds > 1
    pairs = [(measured(), against()) for _ in range(rounds + warming)][warming:]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def time_call(action: Callable[[], object]) -> float:
    """How long it takes, in milliseconds."""
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000

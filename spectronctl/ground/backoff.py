"""How long to wait before trying or looking again: a decision only, the waiting is the caller's."""

from __future__ import annotations

_MAX_DOUBLINGS = 64  # far beyond any longest pause, and long before a float overflows


def pause_after(
    attempt: int, first: float, longest: float, *, factor: float = 2.0, jitter: float = 1.0
) -> float:
    """
    Seconds to wait after an attempt, counted from 1.

    At most `first` after the first, `factor` times as much after each further one, and never more than `longest`.
    `jitter` is the share of that to wait. A random one keeps callers that failed together from coming back together.
    """
    return jitter * min(longest, first * factor ** min(attempt - 1, _MAX_DOUBLINGS))

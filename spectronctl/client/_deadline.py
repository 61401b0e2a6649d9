"""
The end of the call that is on its way here: no single wait on the network goes beyond it.

The resolver is the exception: nothing bounds it. So are an https:// proxy's pieces of one message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

import httpcore

# A context variable, because httpx passes no deadline down to the stream that waits: only a timeout, which begins
# anew with every read. Each task and each thread has its own.
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def hold_deadline(deadline: float) -> Iterator[None]:
    """Until then, on the monotonic clock, may this task or thread wait for the network."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def stop_clock() -> Iterator[None]:
    """The time that passes in here is not the call's."""
    started = monotonic()
    # No `finally`: when opening the application fails, so does the call, and its deadline goes with it.
    yield
    deadline = _deadline.get()
    if deadline is not None:
        _deadline.set(deadline + monotonic() - started)


def bound_wait(
    timeout: float | None, late: type[httpcore.TimeoutException] = httpcore.ReadTimeout
) -> float | None:
    """The seconds that one wait may take; `late` when none are left, even if more has come meanwhile."""
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    left = deadline - monotonic()
    if left <= 0:
        raise late("the call did not end in time")
    return left if timeout is None else min(timeout, left)

"""When to look again at something that takes its time, and when to give up: decisions only, no I/O."""

from __future__ import annotations

from collections.abc import Callable
from random import random
from time import monotonic
from typing import Generic, TypeVar

from spectronctl.errors import (
    NetworkError,
    RateLimitedError,
    RequestError,
    UpstreamError,
    WaitTimeoutError,
)
from spectronctl.ground.backoff import pause_after

T = TypeVar("T")

FIRST_PAUSE, LAST_PAUSE = 0.5, 5.0
"""Seconds between two looks: half as much again each time, from the first to the last."""

MAX_SILENCE_SECS = 600.0
"""Seconds without any response after which a wait without a limit of its own ends."""

LAST_LOOK = 1.0
"""Seconds that a call gets at least, however little is left of the wait."""

PASSING = (NetworkError, RateLimitedError, UpstreamError)
"""Failures that may be over the next time."""


class Polling(Generic[T]):
    """
    The decisions of one wait, which ends when `is_over` holds of a response.

    `timeout` bounds it, in seconds; without one it ends after `MAX_SILENCE_SECS`. Failures that may pass are survived
    once there was a response, or from the start if it `is_known` that there is something to wait for; `on_failure` is
    told the first of each row. `clock` and `jitter` (a number in [0, 1)) are for tests.
    """

    def __init__(
        self,
        is_over: Callable[[T], bool],
        *,
        timeout: float | None = None,
        is_known: bool = False,
        on_failure: Callable[[RequestError], object] | None = None,
        clock: Callable[[], float] = monotonic,
        jitter: Callable[[], float] = random,
    ) -> None:
        self._is_over = is_over
        self._timeout = timeout
        self._is_known = is_known
        self._on_failure = on_failure
        self._clock = clock
        self._jitter = jitter
        self._looks = 0
        self._failure: RequestError | None = None
        self._began = self._heard = clock()

    def bound_call(self, timeout: float) -> float:
        """Seconds that the next call may take, where a call may take `timeout`."""
        return min(timeout, max(self._left(), LAST_LOOK))

    def bound_retries(self, retries: int) -> int:
        """How often the next call may be repeated at once: not at all where looking again does the same."""
        # Two layers of repetition would multiply: a look that is retried four times takes its time from the looks
        # that follow.
        return 0 if self._is_known else retries

    def choose_pause(self, response: T) -> float | None:
        """Seconds until the next look, None when this response was the last; WaitTimeoutError."""
        self._is_known, self._failure, self._heard = True, None, self._clock()
        return None if self._is_over(response) else self._next_pause(0.0)

    def choose_pause_after(self, failure: RequestError) -> float:
        """Seconds until the next look; raises the failure if it will not pass, and WaitTimeoutError."""
        if not (self._is_known and isinstance(failure, PASSING)):
            raise failure
        if self._failure is None and self._on_failure is not None:
            self._on_failure(failure)
        self._failure = failure
        return self._next_pause(failure.retry_after_secs or 0.0)

    def _next_pause(self, at_least: float) -> float:
        left = self._left()
        if left <= 0:
            raise self._give_up()
        self._looks += 1
        # It only shortens, by a quarter at most: many waiters spread out, and none looks later than the documented
        # longest pause.
        jitter = 1 - self._jitter() / 4
        pause = pause_after(self._looks, FIRST_PAUSE, LAST_PAUSE, factor=1.5, jitter=jitter)
        # Never past the end: the last look is then at the very end of the wait, and a job that finishes late is still
        # seen.
        return min(max(pause, at_least), left)

    def _left(self) -> float:
        """Seconds until this wait gives up, should nothing come of the next look."""
        if self._timeout is None:
            return self._heard + MAX_SILENCE_SECS - self._clock()
        return self._began + self._timeout - self._clock()

    def _give_up(self) -> WaitTimeoutError:
        if self._failure is None:
            return WaitTimeoutError(f"it did not finish within {self._timeout:g} s")
        seconds = self._clock() - self._heard
        return WaitTimeoutError(
            f"no response for {seconds:.0f} s; the last failure: {self._failure.message}",
            hint=self._failure.hint,
        )

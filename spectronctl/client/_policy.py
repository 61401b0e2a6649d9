"""Whether to send again, and when: decisions only, no I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from random import random
from typing import Any

from spectronctl.api.requests import READS
from spectronctl.client._call import Call, Outcome
from spectronctl.client._httpx import httpx
from spectronctl.ground.backoff import pause_after
from spectronctl.ground.http_problems import Response, parse_retry_after
from spectronctl.ground.network_failures import is_tls_failure

REPEATABLE = READS | {"DELETE"}
# Not 500: it says that the server has a defect, which the same request would meet again.
TRANSIENT = frozenset({429, 502, 503, 504})
UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,  # the proxy let nothing through
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)
"""Failures that come before the first byte of the request."""

FIRST_BACKOFF, LAST_BACKOFF = 0.5, 8.0
"""Seconds: the longest pause after the first attempt, doubling up to the longest of all."""


def next_pause(call: Call[Any], outcome: Outcome, now: float) -> float | None:
    """
    Note what came of this attempt. Seconds until the next one, or None when it was the last.

    `now` is on the monotonic clock.
    """
    call.may_have_landed = call.may_have_landed or may_have_landed(outcome)
    pause = choose_pause(call, outcome, now=now, today=datetime.now(UTC), jitter=random())  # noqa: S311 - no secret
    if pause is not None:
        call.attempt += 1
    return pause


def choose_pause(
    call: Call[Any], outcome: Outcome, *, now: float, today: datetime, jitter: float
) -> float | None:
    """The decision itself; `today` is the wall clock's time, `jitter` a random number in [0, 1)."""
    if call.attempt > call.settings.retries or not can_repeat(call.request.method, outcome):
        return None
    # The body came through a pipe, and what was read of it is gone.
    if not call.can_be_sent:
        return None
    # The server's pause counts as it is, even 0; only our own grows and is jittered.
    pause = parse_retry_after(outcome, today) if isinstance(outcome, Response) else None
    if pause is None:
        pause = pause_after(call.attempt, FIRST_BACKOFF, LAST_BACKOFF, jitter=jitter)
    # A pause that ends after the deadline is not begun: the error comes now instead of after a wait that cannot help.
    return pause if now + pause < call.deadline else None


def can_repeat(method: str, outcome: Outcome) -> bool:
    """Whether sending again may help and can do no harm."""
    if isinstance(outcome, Response):
        return method in REPEATABLE and outcome.status in TRANSIENT
    if isinstance(outcome, httpx.LocalProtocolError | httpx.DecodingError):
        return False  # the next attempt would end the same way
    if is_tls_failure(outcome):
        return False  # a certificate does not become trusted by asking again
    return method in REPEATABLE or isinstance(outcome, UNSENT)


def may_have_landed(outcome: Outcome) -> bool:
    """Whether a write may have been carried out although its response was lost."""
    if isinstance(outcome, Response):
        # A 4xx refuses the request before it does anything. A 5xx may come from a proxy that gave up on a server
        # which did not, or from a server that failed after its commit. 501 and 505 refuse the request as such.
        return outcome.status >= 500 and outcome.status not in (501, 505)
    return not isinstance(outcome, UNSENT)

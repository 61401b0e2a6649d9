"""What an HTTP response of a provider is worth, and what to do next. Decisions only, no I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic_core import from_json

from spectronctl.ground.backoff import pause_after
from spectronctl.ground.http_problems import Response, is_web_page, name_status, parse_retry_after

T = TypeVar("T")

MAX_ATTEMPTS = 5
FIRST_BACKOFF, MAX_BACKOFF = 0.5, 4.0
"""Seconds: the longest pause after the first attempt, doubling up to the longest of all."""
MAX_RETRY_AFTER = 60.0
"""Seconds of `Retry-After` that are waited at most, before another attempt is made all the same."""

_TRANSIENT = frozenset({408, 409, 425, 429})
_REDIRECT = (
    "it redirects elsewhere, where the key is not sent; set config.provider_urls to the last URL"
)


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed, never in the provider's words, and whether the next may do better; times in seconds."""

    text: str
    may_pass: bool
    retry_after: float | None = None


def choose_pause(failure: Failure, attempt: int, jitter: float) -> float | None:
    """Seconds until the next attempt, or None after the last; `jitter` is a random number in [0, 1)."""
    if not failure.may_pass or attempt >= MAX_ATTEMPTS:
        return None
    # Without jitter: the provider has said when, and to come back earlier would only cost an attempt.
    if failure.retry_after is not None:
        return min(failure.retry_after, MAX_RETRY_AFTER)
    return pause_after(attempt, FIRST_BACKOFF, MAX_BACKOFF, jitter=jitter)


def parse_response(response: Response, parse: Callable[[Any], T]) -> T | Failure:
    """What `parse` makes of its JSON, or what is wrong; `parse` raises a ValueError that quotes nothing of it."""
    if not response.is_success:
        return _explain_status(response)
    if is_web_page(response):
        return Failure("a web page in place of the response", may_pass=True)
    try:
        # Six times as fast as json: no request is served meanwhile.
        content = from_json(response.body)
    except ValueError:
        return Failure("the response is not JSON", may_pass=True)
    try:
        return parse(content)
    except ValueError as exc:
        return Failure(f"the response is not what was asked for: {exc}", may_pass=True)


def _explain_status(response: Response) -> Failure:
    # A POST with a key is not sent on to where the response points.
    if 300 <= response.status < 400:
        return Failure(f"{response.status}: {_REDIRECT}", may_pass=False)
    may_pass = response.status >= 500 or response.status in _TRANSIENT
    text = f"{response.status} {name_status(response.status)}".strip()
    return Failure(text, may_pass, parse_retry_after(response, datetime.now(UTC)))

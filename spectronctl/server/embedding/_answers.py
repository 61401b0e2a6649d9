"""What a provider answered: vectors, or why there are none. Decisions only, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from pydantic_core import from_json

from spectronctl.ground.backoff import pause_after
from spectronctl.ground.http_problems import (
    Response,
    describe_page,
    is_web_page,
    parse_problem,
    parse_retry_after,
)
from spectronctl.server.embedding._embedder import Vector

ATTEMPTS = 5
FIRST_BACKOFF, LAST_BACKOFF = 0.5, 4.0
"""Seconds: the longest pause after the first attempt, doubling up to the longest of all."""
LONGEST_WISH = 60.0
"""Seconds of `Retry-After` that are waited at most, before another attempt is made all the same."""

_TRANSIENT = frozenset({408, 409, 425, 429})
_REDIRECT = (
    "it redirects elsewhere, where the key is not sent; set config.provider_urls to the last URL"
)


@dataclass(frozen=True)
class Failure:
    """Why an attempt came to nothing, as it was written, and whether the next may do better; times in seconds."""

    text: str
    may_pass: bool
    retry_after: float | None = None


def choose_pause(failure: Failure, attempt: int, jitter: float) -> float | None:
    """Seconds until the next attempt, or None after the last; `jitter` is a random number in [0, 1)."""
    if not failure.may_pass or attempt >= ATTEMPTS:
        return None
    if failure.retry_after is not None:
        return min(failure.retry_after, LONGEST_WISH)
    return pause_after(attempt, FIRST_BACKOFF, LAST_BACKOFF, jitter=jitter)


def read_answer(answer: Response, count: int) -> list[Vector] | Failure:
    """The vectors of `count` texts in their order, or what is wrong."""
    if 300 <= answer.status < 400:
        return Failure(f"{answer.status}: {_REDIRECT}", may_pass=False)
    if not answer.is_success:
        may_pass = answer.status >= 500 or answer.status in _TRANSIENT
        text = f"{answer.status} {parse_problem(answer).text}"
        return Failure(text, may_pass, parse_retry_after(answer, datetime.now(UTC)))
    if is_web_page(answer):
        return Failure(describe_page(answer.body.decode(errors="replace")), may_pass=True)
    try:
        return _read_vectors(answer.body, count)
    except (ValueError, OverflowError) as exc:
        return Failure(f"the answer is not what was asked for: {exc}", may_pass=True)


def _read_vectors(body: bytes, count: int) -> list[Vector]:
    answer = from_json(body)  # six times as fast as json: nobody else is served meanwhile
    items = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("it has no list of objects named data")
    if len(items) != count:
        raise ValueError(f"{len(items)} vectors for {count} texts")
    found = {_read_index(item): _read_vector(item) for item in items}
    if found.keys() != set(range(count)):
        raise ValueError("not every text has an index of its own")
    vectors = [found[index] for index in range(count)]
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError("its vectors are of several lengths")
    return vectors


def _read_index(item: dict[str, Any]) -> int:
    index = item.get("index")
    if isinstance(index, bool) or not isinstance(index, int):
        raise ValueError("a vector has no index")
    return index


def _read_vector(item: dict[str, Any]) -> Vector:
    values = item.get("embedding")
    if not isinstance(values, list) or not {float, int}.issuperset(map(type, values)):
        raise ValueError("an embedding is no list of numbers")
    vector = list(map(float, values))
    if not all(map(isfinite, vector)):
        raise ValueError("an embedding holds a number that is not finite")
    if not any(vector):
        raise ValueError("an embedding is empty, or of only zeros")
    return vector

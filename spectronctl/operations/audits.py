"""Audits: read from the newest row back, and followed as rows come, without a gap and without a repetition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Protocol, TypeVar

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request
from spectronctl.client import Client, Polling
from spectronctl.errors import RequestError
from spectronctl.ground.times import format_time, parse_time

OVERLAP = timedelta(seconds=10)
"""How far back a follower looks again: a row may be written a moment after a later one."""


class Row(Protocol):
    """A row of an audit."""

    @property
    def key(self) -> str: ...

    @property
    def created_at(self) -> str: ...


R = TypeVar("R", bound=Row)


def read_audit(
    client: Client, request: Request[Page[R]], *, limit: int | None = None
) -> Iterator[R]:
    """The rows, the newest first, over as many requests as it takes; at most `limit` of them."""
    seen: set[str] = set()
    while limit is None or len(seen) < limit:
        size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit - len(seen))
        page = client.send(request.with_params(limit=size))
        new = [row for row in page.items if row.key not in seen]
        for row in new[: None if limit is None else limit - len(seen)]:
            seen.add(row.key)
            yield row
        if following := page.after(request):
            request = following
        elif len(page.items) < size or not new:
            return
        else:
            # No cursor: the next page ends where this one did, in the same millisecond, and repeats its last rows.
            request = request.with_params(until=page.items[-1].created_at)


def follow_audit(
    client: Client,
    request: Request[Page[R]],
    *,
    last: int,
    wait: Callable[[float], object],
    on_failure: Callable[[RequestError], object] | None = None,
) -> Iterator[R]:
    """
    The last rows, the oldest of them first, and then new ones as they come, each once, without end.

    A request with `since` begins there, and `last` counts for nothing. `wait` is called with the seconds until the next
    look, and ends the reading by raising. A server that is away is waited for, once there was a response: `on_failure`
    is told the first failure of each row, and WaitTimeoutError ends it after ten minutes.
    """
    limit = last if request.params.get("since") is None else None
    shown = list(read_audit(client, request, limit=limit))
    yield from reversed(shown)
    seen, newest = {row.key for row in shown}, shown[0].created_at if shown else None
    oldest = shown[-1].key if shown else None
    polling, pause = _watch(on_failure), 0.0
    while True:
        wait(pause)
        try:
            rows = list(read_audit(client, request.with_params(since=_look_back(newest, request))))
        except RequestError as exc:
            pause = polling.choose_pause_after(exc)
            continue
        keys = [row.key for row in rows]
        # Only at the first look: what stands behind the rows that were asked for was there before them.
        fresh = rows[: keys.index(oldest)] if oldest in keys else rows
        oldest = None
        new = [row for row in fresh if row.key not in seen]
        yield from reversed(new)
        if new:  # where something happens, more is to be expected soon
            polling = _watch(on_failure)
        # The next look begins no earlier than this one did, so that older ones need not be known.
        seen, newest = set(keys), rows[0].created_at if rows else newest
        pause = polling.choose_pause(None) or 0.0


def _look_back(newest: str | None, request: Request[Page[R]]) -> str | None:
    moment = parse_time(newest)
    if moment is None:
        since: str | None = request.params.get("since")
        return since
    return format_time(moment - OVERLAP)


def _watch(on_failure: Callable[[RequestError], object] | None) -> Polling[None]:
    # Never over by itself, and without jitter: one reader has no load to spread.
    return Polling(lambda _: False, on_failure=on_failure, jitter=lambda: 0.0)

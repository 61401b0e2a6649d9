"""Transcripts: the turns of a session, from any place on, of any length, and as they arrive."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from spectronctl.api import sessions as api
from spectronctl.client import Client, Polling
from spectronctl.client._polling import FIRST_PAUSE as FIRST_PAUSE
from spectronctl.client._polling import LAST_PAUSE as LAST_PAUSE
from spectronctl.errors import (
    NotAvailableError,
    NotFoundError,
    RequestError,
    UpstreamError,
    UsageError,
)
from spectronctl.ground.times import parse_time
from spectronctl.ground.vocabulary import ROLES
from spectronctl.models.sessions import Session, Turn

PARALLEL = 4
"""Pages that are on their way at once."""

MAX_TURNS = 1 << 40
"""More than any session has."""


@dataclass(frozen=True)
class Summary:
    """A session and its ends. `session` is None on servers that show no single session."""

    session: Session | None
    turns: int
    first: Turn | None
    last: Turn | None


@dataclass(frozen=True)
class Said:
    """
    What is asked of a turn: said within this time, ends included, with a text that the pattern finds.

    `typed` is how that was put, which is the same when it is asked again: `7d` is, and the moment behind it is not.
    """

    since: datetime | None = None
    until: datetime | None = None
    pattern: re.Pattern[str] | None = None
    typed: tuple[str | None, ...] = ()

    def keeps(self, turn: Turn) -> bool:
        """A turn whose time cannot be read is within no time."""
        if self.pattern and not self.pattern.search(turn["content"]):
            return False
        if self.since is None and self.until is None:
            return True
        moment = parse_time(turn["created_at"])
        return moment is not None and (
            (self.since is None or moment >= self.since)
            and (self.until is None or moment <= self.until)
        )


ANYTHING = Said()


def read_turns(
    client: Client,
    context_id: str,
    session_id: str,
    *,
    from_seq: int | None = None,
    tail: int | None = None,
    roles: Collection[str] = (),
    said: Said = ANYTHING,
    parallel: int = PARALLEL,
    follow: Callable[[float], object] | None = None,
    on_failure: Callable[[RequestError], object] | None = None,
) -> Iterator[list[Turn]]:
    """
    The turns of a session in the order of their `seq`, in the batches they came in; no batch is empty.

    They start at `from_seq`, or with the last `tail` (counted before `roles` and `said` pick), or at the beginning.
    With `follow`, new turns are waited for without end: it is called with the seconds until the next look, and ends
    the reading by raising. A server that is away is waited for too, once there was a response: `on_failure` is told
    the first failure of each row, and WaitTimeoutError ends it after ten minutes. Memory holds `parallel` pages.
    UpstreamError names a `seq` that is missing or repeated; what was handed out before is good, and `from_seq` goes
    on after it.
    """
    _check(from_seq=from_seq, tail=tail, roles=roles, parallel=parallel)
    reader = _Reader(client, context_id, session_id, parallel)
    if tail is not None:
        # Counted once, before reading: turns that arrive meanwhile come at the end, in addition to the last N.
        reader.offset = max(0, count_turns(client, context_id, session_id) - tail)
    elif from_seq is not None:
        reader.find(from_seq)
    batches = reader.read() if follow is None else reader.follow(follow, on_failure)
    return _pick(batches, from_seq, frozenset(roles), said)


class _Reader:
    """Reads on from `offset`, where the turn with `seq` stands, if that is known."""

    def __init__(self, client: Client, context_id: str, session_id: str, parallel: int) -> None:
        self.offset = 0
        self._seq: int | None = None
        self._client = client
        self._turns = api.list_turns(context_id, session_id)
        self._parallel = parallel

    def find(self, seq: int) -> None:
        """Go to a turn, by the `seq` that the session starts with; to the beginning while that is not known."""
        # A server pages by offset, people name a `seq`: the first turn's `seq` is what lies between the two.
        first = next(self._client.offset_pages(self._turns, limit=1), None)
        if first is not None:
            start = first.items[0]["seq"]
            self._seq = max(seq, start)
            self.offset = self._seq - start

    def read(self) -> Iterator[list[Turn]]:
        for page in self._client.offset_pages(
            self._turns, start=self.offset, first_seq=self._seq, parallel=self._parallel
        ):
            # Before the page is handed out: `follow` goes on from here after a failure, and must not repeat what it
            # gave away.
            self.offset += len(page.items)
            self._seq = page.items[-1]["seq"] + 1
            yield page.items

    def follow(
        self,
        wait: Callable[[float], object],
        on_failure: Callable[[RequestError], object] | None,
    ) -> Iterator[list[Turn]]:
        polling = _watch(on_failure)
        while True:
            before = self.offset
            try:
                yield from self.read()
            except RequestError as exc:
                pause = polling.choose_pause_after(_check_passing(exc))
            else:
                if self.offset > before:  # where something was said, more is to be expected soon
                    polling = _watch(on_failure)
                pause = polling.choose_pause(None) or 0.0
            wait(pause)


def _watch(on_failure: Callable[[RequestError], object] | None) -> Polling[None]:
    # Never over by itself, and without jitter: one reader has no load to spread.
    return Polling(lambda _: False, on_failure=on_failure, jitter=lambda: 0.0)


def _check_passing(failure: RequestError) -> RequestError:
    """The failure, raised if a server that comes back would not end it: turns that are missing stay so."""
    # The client's own verdict on what it has read (`refuse_page`) has no status; a 502 has one.
    if isinstance(failure, UpstreamError) and failure.status is None:
        raise failure
    return failure


def _pick(
    batches: Iterator[list[Turn]], from_seq: int | None, roles: frozenset[str], said: Said
) -> Iterator[list[Turn]]:
    for batch in batches:
        # Needed where the session was empty when it was looked at: reading then began at the beginning. The first
        # turn decides, as they are in order.
        if from_seq is not None and batch[0]["seq"] < from_seq:
            batch = [turn for turn in batch if turn["seq"] >= from_seq]
        if roles:
            batch = [turn for turn in batch if turn["role"] in roles]
        if said is not ANYTHING:
            batch = [turn for turn in batch if said.keeps(turn)]
        if batch:
            yield batch


def summarize_session(client: Client, context_id: str, session_id: str) -> Summary:
    """A session with the number of its turns, its first and its last; NotFoundError when there is none."""
    session = find_session(client, context_id, session_id)
    count = _count(client, context_id, session_id, session)
    return Summary(
        session=session,
        turns=count,
        first=_look(client, context_id, session_id, 0) if count else None,
        last=_look(client, context_id, session_id, count - 1) if count else None,
    )


def count_turns(client: Client, context_id: str, session_id: str) -> int:
    """How many turns a session has: as the server counts them, or found by looking at single places."""
    return _count(client, context_id, session_id, find_session(client, context_id, session_id))


def find_session(client: Client, context_id: str, session_id: str) -> Session | None:
    """A session; None on servers without this route, which its turns then tell from a session that is not there."""
    try:
        return client.send(api.get_session(context_id, session_id))
    except (NotAvailableError, NotFoundError):
        return None


def _count(client: Client, context_id: str, session_id: str, session: Session | None) -> int:
    if session is not None and session.turn_count is not None:
        return session.turn_count

    def is_there(offset: int) -> bool:
        return _look(client, context_id, session_id, offset) is not None

    # Doubling, then halving: a million turns take some 40 requests of one turn each, in place of 2,000 pages.
    low, high = 0, 0  # at least, at most
    while is_there(high):
        # A server that ignores `offset` has the first turn at every place.
        if high > MAX_TURNS:
            raise UpstreamError(f"session {session_id}: the server has a turn at every place")
        low, high = high + 1, 2 * high + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if is_there(middle) else (low, middle)
    return low


def _look(client: Client, context_id: str, session_id: str, offset: int) -> Turn | None:
    turns = api.list_turns(context_id, session_id)
    page = next(client.offset_pages(turns, start=offset, limit=1), None)
    return page.items[0] if page else None


def _check(
    *, from_seq: int | None, tail: int | None, roles: Collection[str], parallel: int
) -> None:
    if from_seq is not None and tail is not None:
        raise UsageError("tail and from_seq both say where to start: give one of them")
    if tail is not None and tail < 0:
        raise UsageError(f"tail: {tail} is negative")
    if parallel < 1:
        raise UsageError(f"parallel: {parallel} is not at least 1")
    for role in roles:
        if role not in ROLES:
            raise UsageError(f"role: {role!r} is not one of {', '.join(ROLES)}", candidates=ROLES)

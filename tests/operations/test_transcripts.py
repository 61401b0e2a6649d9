"""Transcripts: where they start, which turns they pick, how they are counted and followed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectronctl.client import Client
from spectronctl.errors import (
    NetworkError,
    NotFoundError,
    UpstreamError,
    UsageError,
    WaitTimeoutError,
)
from spectronctl.operations.transcripts import (
    FIRST_PAUSE,
    LAST_PAUSE,
    Summary,
    count_turns,
    read_turns,
    summarize_session,
)
from tests.support.turns import SESSION, Turns

SHOW = f"/api/v1/acme/sessions/{SESSION}"


class Session(Turns):
    """Turns, and the session itself where `fields` say that this server shows it."""

    fields: dict[str, Any] | None = None
    away = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != SHOW:
            return super().answer(request)
        if self.fields is None:
            return httpx.Response(404, json={"detail": "no such route"})
        return httpx.Response(200, json={"id": SESSION, "scopes": [], **self.fields})


def connect(server: Session) -> Client:
    def answer(request: httpx.Request) -> httpx.Response:
        if server.away:
            raise httpx.ConnectError("Connection refused", request=request)
        return server.answer(request)

    return Client("http://spectron.test", transport=httpx.MockTransport(answer), retries=0)


def read(server: Session, **options: Any) -> list[int]:
    with connect(server) as client:
        batches = list(read_turns(client, "acme", SESSION, **options))
    assert all(batches)
    return [turn["seq"] for batch in batches for turn in batch]


@given(
    total=st.integers(0, 1200),
    base=st.integers(0, 2),
    from_seq=st.one_of(st.integers(-3, 3), st.integers(0, 1300)),
    role=st.sampled_from(["user", "assistant", None]),
)
@settings(deadline=None, max_examples=40)
def test_a_transcript_starts_at_a_seq_and_picks_roles(
    total: int, base: int, from_seq: int, role: str | None
) -> None:
    server = Session(total, base=base)
    wanted = [t["seq"] for t in server.turns if t["seq"] >= from_seq and role in (None, t["role"])]
    assert read(server, from_seq=from_seq, roles=[role] if role else ()) == wanted


@given(total=st.integers(0, 1200), tail=st.integers(0, 1300), counted=st.booleans())
@settings(deadline=None, max_examples=40)
def test_the_tail_is_the_last_turns(total: int, tail: int, counted: bool) -> None:
    server = Session(total)
    server.fields = {"turnCount": total} if counted else None
    assert read(server, tail=tail) == list(range(1, total + 1))[max(0, total - tail) :]


@given(total=st.integers(0, 5000))
@settings(deadline=None, max_examples=40)
def test_turns_are_counted_without_a_total(total: int) -> None:
    server = Session(total)
    with connect(server) as client:
        assert count_turns(client, "acme", SESSION) == total
    assert len(server.asked) <= 2 * total.bit_length() + 2


def test_a_count_that_the_server_gives_costs_one_request() -> None:
    server = Session(3)
    server.fields = {"turn_count": 3}
    with connect(server) as client:
        assert count_turns(client, "acme", SESSION) == 3
    assert server.asked == []


def test_what_stands_before_the_start_is_not_read() -> None:
    server = Session(5000)
    assert len(read(server, from_seq=4001)) == 1000
    assert min(offset for offset, size in server.asked if size > 1) == 4000


def test_a_turn_missing_where_the_transcript_starts_is_an_error() -> None:
    server = Session(20)
    del server.turns[9]
    with pytest.raises(UpstreamError, match="leaves out seq 10: seq 11"):
        read(server, from_seq=10)


def test_an_interrupted_transcript_goes_on_after_its_last_turn() -> None:
    server = Session(2600)
    with connect(server) as client:
        batches = read_turns(client, "acme", SESSION)
        had = [turn["seq"] for _ in range(3) for turn in next(batches)]
    server.append(30)
    assert had + read(server, from_seq=had[-1] + 1) == list(range(1, 2631))


class StoppedError(Exception):
    """The user pressed Ctrl-C."""


def follow(server: Session, *steps: Callable[[], object], **options: Any) -> tuple[list[int], Any]:
    """The turns read while `steps` happen, one at each wait, and the pauses."""
    seqs: list[int] = []
    pauses: list[float] = []
    left = list(steps)

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if not left:
            raise StoppedError
        left.pop(0)()

    with connect(server) as client, suppress(StoppedError):
        for batch in read_turns(client, "acme", SESSION, follow=wait, **options):
            seqs += [turn["seq"] for turn in batch]
    return seqs, pauses


def nothing() -> None:
    """Happens."""


def test_a_followed_transcript_gives_new_turns_once() -> None:
    server = Session(3)
    seqs, _ = follow(server, server.append, nothing, lambda: server.append(700), server.append)
    assert seqs == list(range(1, 706))


def test_the_pauses_grow_until_something_arrives() -> None:
    server = Session(3)
    _, pauses = follow(server, *[nothing] * 9, server.append)
    assert pauses[0] == FIRST_PAUSE
    assert pauses[:10] == sorted(pauses[:10])
    assert pauses[9] == LAST_PAUSE
    assert pauses[10] == FIRST_PAUSE


def test_a_look_that_finds_nothing_costs_one_request() -> None:
    server = Session(3)
    follow(server, nothing)
    assert server.asked == [(0, 500), (3, 500)]


def test_the_tail_of_nothing_followed_is_what_arrives() -> None:
    server = Session(3)
    assert follow(server, server.append, tail=0)[0] == [4]


@pytest.mark.parametrize("total", [0, 2])
def test_a_start_that_is_still_to_come_is_waited_for(total: int) -> None:
    server = Session(total)

    def grow() -> None:
        server.append(3)

    assert follow(server, grow, grow, from_seq=5)[0] == list(range(5, total + 7))


def test_turns_that_vanish_while_they_are_followed_are_an_error() -> None:
    server = Session(3)

    def lose_one() -> None:
        server.append(2)
        del server.turns[3]

    with pytest.raises(UpstreamError, match="leaves out seq 4: seq 5"):
        follow(server, lose_one)


def test_a_server_that_is_away_is_waited_for() -> None:
    server = Session(3)
    told: list[object] = []

    def fail() -> None:
        server.away = True

    def come_back() -> None:
        server.away = False
        server.append(2)

    steps = [server.append, fail, *[nothing] * 6, come_back, fail, come_back]
    seqs, pauses = follow(server, *steps, on_failure=told.append)
    assert seqs == list(range(1, 9))
    assert len(told) == 2, "one line per absence"
    assert sum(pauses) > 8


def test_a_server_that_was_never_there_is_an_error_at_once() -> None:
    server = Session(3)
    server.away = True
    with pytest.raises(NetworkError):
        follow(server, nothing)


def test_a_server_that_stays_away_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spectronctl.client._polling.MAX_SILENCE_SECS", 0.05)
    server = Session(3)

    def fail() -> None:
        server.away = True

    with pytest.raises(WaitTimeoutError, match="the last failure"):
        follow(server, fail, *[lambda: time.sleep(0.02)] * 9)


def test_a_summary_shows_both_ends() -> None:
    server = Session(1234)
    server.fields = {"createdAt": "2026-05-01T12:00:00Z", "turnCount": 1234, "mood": "calm"}
    with connect(server) as client:
        summary = summarize_session(client, "acme", SESSION)
    assert summary.session is not None
    assert summary.session.to_dict()["mood"] == "calm"
    assert summary.turns == 1234
    assert [end and end["seq"] for end in (summary.first, summary.last)] == [1, 1234]


def test_a_server_that_shows_no_session_shows_its_ends() -> None:
    with connect(Session(5)) as client:
        summary = summarize_session(client, "acme", SESSION)
    assert (summary.session, summary.turns) == (None, 5)
    assert [end and end["seq"] for end in (summary.first, summary.last)] == [1, 5]


def test_an_empty_session_has_no_ends() -> None:
    with connect(Session(0)) as client:
        assert summarize_session(client, "acme", SESSION) == Summary(None, 0, None, None)


def test_a_session_that_is_not_there_is_not_found() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404, json={"detail": "no session"}))
    with Client("http://spectron.test", transport=transport) as client:
        for read in (summarize_session, count_turns):
            with pytest.raises(NotFoundError, match="no session"):
                read(client, "acme", SESSION)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"tail": -1}, "tail: -1 is negative"),
        ({"tail": 1, "from_seq": 1}, "tail and from_seq"),
        ({"roles": ["user", "robot"]}, "role: 'robot' is not one of user, assistant, system, tool"),
        ({"parallel": 0}, "parallel: 0 is not at least 1"),
    ],
)
def test_bad_options_are_refused_before_anything_is_sent(
    options: dict[str, Any], problem: str
) -> None:
    server = Session(3)
    with connect(server) as client, pytest.raises(UsageError, match=problem):
        read_turns(client, "acme", SESSION, **options)
    assert server.asked == []

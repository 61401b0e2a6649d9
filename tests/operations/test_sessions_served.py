"""Transcripts and imports against the real server in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from spectronctl.api import contexts, facts, sessions
from spectronctl.client import Client
from spectronctl.errors import ConflictError, NetworkError, NotFoundError
from spectronctl.models.facts import Message
from spectronctl.operations import imports
from spectronctl.operations.imports import import_turns
from spectronctl.operations.transcripts import count_turns, read_turns, summarize_session
from tests.support.server import Server

TALK = [
    Message(role=("user", "assistant")[n % 2], content=f"wörds {n}", ts="2026-05-01T12:30:00Z")
    for n in range(1750)
]


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client("http://spectron.test", api_key=server.key, transport=server) as client:
        client.send(contexts.create_context("acme", namespace="acme", database="prod"))
        yield client


def read(client: Client, session: str, **options: Any) -> list[tuple[int, str]]:
    batches = read_turns(client, "acme", session, **options)
    return [(turn["seq"], turn["content"]) for batch in batches for turn in batch]


def test_a_conversation_comes_back_as_it_was_imported(client: Client) -> None:
    done = import_turns(client, "acme", TALK)
    assert (done.found, done.sent) == (0, 1750)
    told = read(client, done.session_id)
    assert [text for _, text in told] == [message["content"] for message in TALK]
    assert read(client, done.session_id, tail=3) == told[-3:]
    assert read(client, done.session_id, from_seq=told[1600][0]) == told[1600:]
    assert count_turns(client, "acme", done.session_id) == 1750
    (batch, *_) = read_turns(client, "acme", done.session_id)
    assert batch[0]["created_at"].startswith("2026-05-01T12:30:00")
    summary = summarize_session(client, "acme", done.session_id)
    assert summary.last is not None
    assert (summary.turns, summary.last["content"]) == (1750, "wörds 1749")


def lose_answer(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    inner.handle_request(request)
    raise httpx.ReadError("connection reset")


def lose_request(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    raise httpx.ReadError("connection reset")


def test_answers_that_are_lost_double_nothing(client: Client, server: Server) -> None:
    server.faults += [lose_answer, lose_request, lose_answer, lose_request, lose_answer]
    done = import_turns(client, "acme", TALK, sleep=lambda seconds: None)
    assert [text for _, text in read(client, done.session_id)] == [m["content"] for m in TALK]
    assert [each.id for each in client.items(sessions.list_sessions("acme"))] == [done.session_id]


class Cut(httpx.BaseTransport):
    """A connection that breaks with the answer to request number `last`; nothing gets through after that."""

    def __init__(self, server: Server, last: int) -> None:
        self._server = server
        self._left = last

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left < 0:
            raise httpx.ReadError("connection reset")
        answer = self._server.handle_request(request)
        if self._left == 0:
            raise httpx.ReadError("connection reset")
        return answer


@pytest.mark.parametrize("last", range(1, 8))
def test_an_import_cut_at_any_request_is_completed(
    client: Client, server: Server, last: int
) -> None:
    cut = Cut(server, last)
    with (
        Client("http://spectron.test", api_key=server.key, transport=cut, retries=0) as broken,
        pytest.raises(NetworkError),
    ):
        import_turns(broken, "acme", TALK, sleep=lambda seconds: None)
    done = import_turns(client, "acme", TALK)
    assert done.found == min(max(0, last - 3) * imports.CHUNK_TURNS, len(TALK))
    assert done.sent == len(TALK) - done.found
    assert [text for _, text in read(client, done.session_id)] == [m["content"] for m in TALK]
    assert [each.id for each in client.items(sessions.list_sessions("acme"))] == [done.session_id]


def test_a_session_deleted_since_gets_a_successor(client: Client) -> None:
    first = import_turns(client, "acme", TALK[:3]).session_id
    client.send(sessions.delete_session("acme", first))
    second = import_turns(client, "acme", TALK[:3]).session_id
    assert second != first
    assert len(read(client, second)) == 3


def test_words_of_another_are_a_conflict(client: Client) -> None:
    stored = client.send(facts.create_fact("acme", "other words"))
    with pytest.raises(ConflictError, match="another turn at seq 0 than turn 1"):
        import_turns(client, "acme", TALK[:3], session_id=stored.session_id)


def test_a_followed_session_shows_what_is_said_meanwhile(client: Client) -> None:
    session = import_turns(client, "acme", TALK[:3]).session_id
    later = iter(["fourth", "fifth"])

    def wait(seconds: float) -> None:
        text = next(later, None)
        if text is None:
            raise KeyboardInterrupt
        client.send(facts.create_fact("acme", text, session_id=session, role="user"))

    told: list[str] = []
    batches = read_turns(client, "acme", session, follow=wait)
    with pytest.raises(KeyboardInterrupt):
        told.extend(turn["content"] for batch in batches for turn in batch)
    assert told == ["wörds 0", "wörds 1", "wörds 2", "fourth", "fifth"]


def test_a_session_answers_a_query(client: Client) -> None:
    session = client.send(sessions.create_session("acme", metadata={"by": "test"})).id
    client.send(facts.create_facts("acme", TALK[:3], session_id=session))
    found = client.send(sessions.get_session("acme", session))
    assert (found.metadata, found.turn_count) == ({"by": "test"}, 3)
    assert "wörds" in client.send(sessions.get_session_context("acme", session, "wörds")).context


def test_an_unknown_session_is_not_found(client: Client) -> None:
    with pytest.raises(NotFoundError):
        read(client, "session:01JZZZZZZZZZZZZZZZZZZZZZZZ")

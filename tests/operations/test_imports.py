"""Imports: whatever is lost on the way, and however often they are repeated, every turn is stored once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectronctl.client import Client
from spectronctl.errors import (
    ConflictError,
    InvalidError,
    NetworkError,
    NotFoundError,
    RateLimitedError,
    RequestError,
    UpstreamError,
    UsageError,
)
from spectronctl.models.facts import Message
from spectronctl.operations import imports
from spectronctl.operations.imports import Progress, cut_chunks, import_turns
from tests.support.fake_sessions import BATCH, SESSIONS, Fault, KilledError, Memory


def say(*texts: str) -> list[Message]:
    return [Message(role="user", content=text) for text in texts]


def number(count: int) -> list[Message]:
    return say(*(f"words {n}" for n in range(count)))


def connect(memory: Memory) -> Client:
    return Client("http://spectron.test", transport=httpx.MockTransport(memory.answer))


def run(memory: Memory, messages: list[Message], **options: Any) -> Progress:
    options = {"sleep": lambda seconds: None, **options}
    with connect(memory) as client:
        return import_turns(client, "acme", messages, **options)


def contents(memory: Memory, session: str) -> list[str]:
    return [turn["content"] for turn in memory.sessions[session]]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK_TURNS", 7)


FAULTS: list[Fault] = ["", "lost", "landed", "late", "503", "429", "killed", "killed landed"]


def repeat_until_done(attempt: Callable[[], Progress]) -> Progress:
    for _ in range(60):
        with suppress(KilledError, RequestError):
            return attempt()
    raise AssertionError("it never ends")


@given(
    count=st.integers(1, 40),
    found=st.integers(0, 20),
    faults=st.lists(st.sampled_from(FAULTS), max_size=25),
    forgets=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_session_gets_every_turn_once_however_the_import_is_cut(
    count: int, found: int, faults: list[Fault], forgets: bool
) -> None:
    messages, memory = number(count), Memory(faults)
    session = memory.add_session(m["content"] for m in messages[:found])

    def attempt() -> Progress:
        if forgets and not memory.is_busy:
            memory.stored.clear()  # 24 hours later
        return run(memory, messages, session_id=session)

    done = repeat_until_done(attempt)
    assert contents(memory, session) == [m["content"] for m in messages]
    assert done.found + done.sent == count


@given(count=st.integers(1, 20), faults=st.lists(st.sampled_from(FAULTS), max_size=25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_new_session_is_made_once_however_the_import_is_cut(
    count: int, faults: list[Fault]
) -> None:
    messages, memory = number(count), Memory(faults)
    done = repeat_until_done(lambda: run(memory, messages, source="talk.jsonl"))
    assert list(memory.sessions) == [done.session_id]
    assert contents(memory, done.session_id) == [m["content"] for m in messages]


def test_chunks_of_the_same_words_are_all_stored() -> None:
    memory = Memory()
    session = run(memory, say(*["again"] * 21)).session_id
    assert contents(memory, session) == ["again"] * 21


def test_a_server_that_keeps_no_keys_is_asked_what_it_has_before_anything_is_sent_again() -> None:
    memory = Memory(["landed", "", "landed", "lost"], keeps_keys=False)
    session = memory.add_session()
    run(memory, number(20), session_id=session)
    assert contents(memory, session) == [m["content"] for m in number(20)]


def test_an_import_repeated_sends_no_turn() -> None:
    memory = Memory()
    first = run(memory, number(20))
    memory.requests.clear()
    assert run(memory, number(20)) == replace(first, found=20, sent=0)
    assert BATCH not in [request.url.path for request in memory.requests]


def test_a_conversation_that_went_on_is_completed() -> None:
    memory = Memory()
    session = run(memory, number(10)).session_id
    assert run(memory, number(25), session_id=session) == Progress(session, found=10, sent=15)
    assert contents(memory, session) == [m["content"] for m in number(25)]


@pytest.mark.parametrize("other", [{"source": "b.jsonl"}, {"scopes": "org/b"}])
def test_another_import_of_the_same_words_gets_a_session_of_its_own(other: Any) -> None:
    memory = Memory()
    run(memory, say("hello"), source="a.jsonl")
    run(memory, say("hello"), **{"source": "a.jsonl", **other})
    assert len(memory.sessions) == 2


def test_a_session_that_was_deleted_since_gets_a_successor() -> None:
    memory = Memory()
    first = run(memory, say("hello")).session_id
    memory.sessions[first + " deleted"] = memory.sessions.pop(first)
    second = run(memory, say("hello")).session_id
    assert second != first
    assert contents(memory, second) == ["hello"]
    assert run(memory, say("hello")).session_id == second


def test_an_import_may_be_deleted_and_repeated_many_times() -> None:
    memory = Memory()
    for count in range(12):
        session = run(memory, say("hello")).session_id
        memory.sessions[f"deleted {count}"] = memory.sessions.pop(session)


def test_a_session_that_never_appears_is_an_error() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(404, json={"detail": "nothing there"})
        return httpx.Response(201, json={"id": "session:1"})

    with (
        Client("http://spectron.test", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(NotFoundError, match="session:1 was made, and is not there"),
    ):
        import_turns(client, "acme", say("hello"))


def test_a_session_of_another_conversation_is_left_alone() -> None:
    memory = Memory()
    session = memory.add_session(["words 0", "words 1", "other words"])
    with pytest.raises(
        ConflictError, match="session:1 has another turn at seq 3 than turn 3 of the conversation"
    ):
        run(memory, number(9), session_id=session)
    assert len(memory.sessions[session]) == 3


def test_a_turn_of_another_role_is_another_turn() -> None:
    memory = Memory()
    session = memory.add_session(["hello"])
    with pytest.raises(ConflictError, match="seq 1 than turn 1"):
        run(memory, [Message(role="system", content="hello")], session_id=session)


def test_a_session_that_goes_on_after_the_conversation_is_a_conflict() -> None:
    memory = Memory()
    session = memory.add_session(m["content"] for m in number(12))
    with pytest.raises(ConflictError, match="goes on at seq 8, after all 7 turns"):
        run(memory, number(7), session_id=session)


def test_an_unknown_session_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        run(Memory(), number(3), session_id="session:9")


def test_nothing_to_import_makes_no_session() -> None:
    memory = Memory()
    with pytest.raises(UsageError, match="no turns"):
        run(memory, [])
    assert memory.requests == []


def test_what_breaks_the_source_stops_before_its_chunk() -> None:
    def broken() -> Iterator[Message]:
        yield from number(10)
        raise UsageError("line 11")

    memory = Memory()
    with pytest.raises(UsageError, match="line 11"):
        run(memory, broken(), session_id=memory.add_session())  # type: ignore[arg-type]
    assert len(memory.sessions["session:1"]) == 7


def test_progress_names_the_session_first_and_counts_what_is_there() -> None:
    memory = Memory()
    session = memory.add_session(m["content"] for m in number(9))
    told: list[Progress] = []
    run(memory, number(16), session_id=session, report=told.append)
    assert [(each.session_id, each.found, each.sent) for each in told] == [
        (session, 0, 0),
        (session, 7, 0),
        (session, 9, 5),
        (session, 9, 7),
    ]


def test_the_pauses_grow_and_follow_the_server() -> None:
    pauses: list[float] = []
    memory = Memory(["lost", "lost", "503", "lost"])
    run(memory, number(3), session_id=memory.add_session(), sleep=pauses.append)
    assert pauses == [0.5, 1.0, 2.0, 4.0]


def test_many_attempts_are_all_made_a_minute_apart_at_most() -> None:
    pauses: list[float] = []
    memory = Memory(["lost"] * 9)
    run(memory, number(3), session_id=memory.add_session(), sleep=pauses.append, attempts=10)
    assert pauses[5:] == [16.0, 32.0, 60.0, 60.0]


@pytest.mark.parametrize("pause", ["61", "1e308"])
def test_a_server_that_is_busy_for_long_is_not_waited_for(pause: str) -> None:
    pauses: list[float] = []
    memory = Memory(["429"])
    session_id = memory.add_session()

    def answer(request: httpx.Request) -> httpx.Response:
        answer = memory.answer(request)
        answer.headers.update({"Retry-After": pause} if answer.status_code == 429 else {})
        return answer

    with (
        Client("http://spectron.test", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(RateLimitedError),
    ):
        import_turns(client, "acme", number(3), session_id=session_id, sleep=pauses.append)
    assert pauses == []


def test_an_answer_that_stays_away_is_the_error_in_the_end() -> None:
    memory = Memory(["lost"] * imports.ATTEMPTS)
    with pytest.raises(NetworkError) as caught:
        run(memory, number(3), session_id=memory.add_session())
    assert caught.value.outcome_unknown
    assert len([r for r in memory.requests if r.url.path == BATCH]) == imports.ATTEMPTS


def test_a_refusal_is_not_repeated() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if request.method == "GET":
            return httpx.Response(200, json={"turns": []})
        return httpx.Response(413, json={"detail": "too large"})

    with (
        Client("http://spectron.test", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(InvalidError, match="too large"),
    ):
        import_turns(client, "acme", say("hello"), session_id="session:1")
    assert asked == ["GET", "POST"]


def test_an_answer_for_fewer_turns_is_not_believed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"turns": []})
        return httpx.Response(200, json={"sessionId": "session:1", "turnIds": ["turn:1"]})

    with (
        Client("http://spectron.test", transport=httpx.MockTransport(answer)) as client,
        pytest.raises(UpstreamError, match="stored 1 turns of 2"),
    ):
        import_turns(client, "acme", say("a", "b"), session_id="session:1")


def test_a_batch_has_the_documented_shape() -> None:
    memory = Memory()
    message = Message(role="tool", content="ü", ts="2026-05-01T12:30:00Z")
    run(memory, [message], scopes=["org/a", "org/b"])
    create, _, _, batch = memory.requests
    assert (create.url.path, json.loads(create.content)) == (
        SESSIONS,
        {"scopes": ["org/a", "org/b"]},
    )
    assert json.loads(batch.content) == {
        "messages": [{"role": "tool", "content": "ü", "ts": "2026-05-01T12:30:00Z"}],
        "infer": "none",
        "session_id": "session:1",
    }
    assert batch.headers["Idempotency-Key"] != create.headers["Idempotency-Key"]


def test_chunks_end_at_the_turns_or_at_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK_BYTES", 1000)
    messages = say(*"abcdefghi", "x" * 950, "y" * 2000, "z")
    chunks = list(cut_chunks(messages))
    assert [(c.position, len(c.messages)) for c in chunks] == [
        (0, 7),
        (7, 2),
        (9, 1),
        (10, 1),
        (11, 1),
    ]
    assert [m for chunk in chunks for m in chunk.messages] == messages

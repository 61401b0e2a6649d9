"""What a session says to a query: by words, within the key's floor."""

from __future__ import annotations

import httpx
import pytest

from spectronctl.server.sessions import blocks
from spectronctl.server.sessions import routes as sessions
from spectronctl.server.sessions.blocks import format_block, split_query
from spectronctl.server.sessions.rows import Found
from tests.support.conversations import FACTS, SESSIONS, Admit, open_session, say

pytestmark = pytest.mark.anyio


async def ask(client: httpx.AsyncClient, session_id: str, query: str) -> str:
    url = f"{SESSIONS}/{session_id}/context"
    posted = await client.post(url, json={"query": query})
    got = await client.get(url, params={"query": query})
    assert posted.status_code == got.status_code == 200, posted.text
    assert posted.json() == got.json()
    assert posted.json().keys() == {"context"}
    text: str = posted.json()["context"]
    return text


async def test_turns_and_memories_with_the_words_of_the_query_are_found(
    member: httpx.AsyncClient,
) -> None:
    session = await open_session(member)
    await say(member, session["id"], "Which TEA?", "Never mind", "Green tea, please", "steam")
    await say(member, None, "tea in another session is no memory")
    assert (await member.post(FACTS, json={"infer": "none", "text": "Bo likes tea"})).is_success
    assert await ask(member, session["id"], "tea, please!") == (
        "Memories:\n- Bo likes tea\nFrom this session:\nuser: Which TEA?\nuser: Green tea, please"
    )
    assert await ask(member, session["id"], "nothing of this") == ""
    assert await ask(member, session["id"], "?!") == ""


async def test_a_memory_of_the_session_itself_is_shown_once(member: httpx.AsyncClient) -> None:
    kept = (await member.post(FACTS, json={"infer": "none", "text": "Bo likes tea"})).json()
    found = await ask(member, kept["sessionId"], "tea")
    assert found == "From this session:\nuser: Bo likes tea"


async def test_memories_outside_of_the_floor_are_not_found(
    operator: httpx.AsyncClient, member: httpx.AsyncClient, admit: Admit
) -> None:
    beta = await admit("beta", "org/beta")
    for client, text in ((operator, "root tea"), (beta, "beta tea"), (member, "acme tea")):
        assert (await client.post(FACTS, json={"infer": "none", "text": text})).is_success
    session = await open_session(member)
    assert await ask(member, session["id"], "tea") == "Memories:\n- acme tea"
    everything = await ask(operator, session["id"], "tea")
    assert everything == "Memories:\n- acme tea\n- beta tea\n- root tea"


async def test_only_the_newest_are_looked_through(
    member: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "NEWEST", 3)
    session = await open_session(member)
    await say(member, session["id"], *(f"tea {n}" for n in range(5)))
    found = await ask(member, session["id"], "tea")
    assert found.splitlines()[1:] == ["user: tea 2", "user: tea 3", "user: tea 4"]


@pytest.mark.parametrize("body", [{}, {"query": None}, {"query": " "}, {"query": 7}])
async def test_a_query_must_be_text(member: httpx.AsyncClient, body: dict[str, object]) -> None:
    session = await open_session(member)
    answer = await member.post(f"{SESSIONS}/{session['id']}/context", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("query: ")
    missing = await member.get(f"{SESSIONS}/{session['id']}/context")
    assert missing.status_code == 400
    assert missing.json()["detail"].startswith("query: ")


def test_the_best_are_chosen_and_shown_in_the_order_they_were_said() -> None:
    found = [Found(text="tea", role="user", seq=n) for n in range(50, 0, -1)]
    found.insert(40, Found(text="green tea", role="user", seq=0))
    lines = format_block(split_query("green tea"), found).splitlines()
    assert lines[:2] == ["From this session:", "user: green tea"]
    assert len(lines) == 1 + blocks._MOST_TEXTS


def test_words_are_distinct_and_not_too_many() -> None:
    assert split_query("Tea, tea & Émile's 茶") == ["tea", "émile", "s", "茶"]
    assert len(split_query(" ".join(map(str, range(1000))))) == 64

"""Scopes: how selectors are spelled, and that a key neither sees nor writes outside of its floor."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from spectronctl.server.access.scopes import Region, TaggedBody, parse_lens
from spectronctl.server.http.bodies import parse_body
from spectronctl.server.http.problems import ProblemError
from tests.support.conversations import BATCH, FACTS, SESSIONS, Admit, open_session, read_texts, say

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("spelled", "clauses"),
    [
        (None, []),
        ([], []),
        ("/org/acme/", [["org/acme"]]),
        (["a", "b/c"], [["a"], ["b/c"]]),
        ([["a", "b"]], [["a", "b"]]),
        (["a", ["b", "c"]], [["a"], ["b", "c"]]),
        ([["a", "a/"], "a"], [["a"]]),
    ],
)
def test_every_spelling_of_a_selector_is_read(spelled: Any, clauses: list[list[str]]) -> None:
    assert parse_body(TaggedBody, {"scopes": spelled}).tags == clauses


@pytest.mark.parametrize(
    "bad",
    ["", "/", "a//b", "a b", "a/*", "\ud800", 7, {}, [7], [[]], [""], [[["a"]]], ["a"] * 65],
)
def test_what_is_no_selector_is_400(bad: Any) -> None:
    with pytest.raises(ProblemError, match=r"^scopes: must be a path such as"):
        parse_body(TaggedBody, {"scopes": bad})


@pytest.mark.parametrize(
    ("spelled", "clauses"),
    [
        ([], []),
        ("org/acme/*", [["org/acme"]]),
        (["/org/acme/*", "a"], [["org/acme"], ["a"]]),
        ([["a/*", "b"], ["*", "c"]], [["a", "b"], ["c"]]),
        ("*", []),
        ("/*", []),
        ("/", []),
        (["a", ["*", "/*"]], []),
    ],
)
def test_a_lens_takes_patterns(spelled: Any, clauses: list[list[str]]) -> None:
    assert parse_lens(spelled) == clauses


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "**",
        "a/*/b",
        "*/a",
        "a*",
        "a/**",
        "a/*/*",
        ["*", "a/*/b"],
        [[]],
        [""],
        [["*", ""]],
        7,
        None,
    ],
)
def test_what_is_no_lens_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"must be a path such as .* \* alone is everything"):
        parse_lens(bad)


@pytest.mark.parametrize(
    ("scopes", "read", "write"),
    [
        ([["org/acme"]], True, True),
        ([["org/acme/user/bo"]], True, True),
        ([["org/acme", "team/a"]], True, True),
        ([["org/acme-two"]], False, False),
        ([["org"]], False, False),
        ([["org/acme", "clear/x"]], False, False),
        ([["org/acme"], ["org/beta"]], True, False),
        ([], False, False),
    ],
)
def test_reading_takes_one_clause_and_writing_takes_all(
    scopes: list[list[str]], read: bool, write: bool
) -> None:
    region = Region(("org/acme", "team/a"))
    assert (region.can_read(scopes), region.can_write(scopes)) == (read, write)
    everywhere = Region(None)
    assert everywhere.can_read(scopes)
    assert everywhere.can_write(scopes)


async def test_what_no_one_tagged_is_tagged_with_the_writers_region(admit: Admit) -> None:
    for floor, tags in (
        (None, []),
        ({"org": "acme"}, [["org/acme"]]),
        (["org/acme", "team/a"], [["org/acme"], ["team/a"]]),
    ):
        client = await admit(f"of {floor}", floor)
        assert (await open_session(client))["scopes"] == tags
        kept = await say(client, None, "x")
        shown = await client.get(f"{SESSIONS}/{kept['sessionId']}")
        assert shown.json()["scopes"] == tags


async def test_a_session_outside_of_the_floor_is_as_if_it_were_not_there(
    operator: httpx.AsyncClient, member: httpx.AsyncClient, admit: Admit
) -> None:
    beta = await admit("beta", "org/beta")
    for scopes in ("org/beta", [], "org", [["org/acme", "clear/x"]]):
        session_id = (await open_session(operator, scopes=scopes))["id"]
        url = f"{SESSIONS}/{session_id}"
        said = {"role": "user", "content": "x"}
        answers = [
            await member.get(url),
            await member.get(f"{url}/turns"),
            await member.get(f"{url}/context", params={"query": "x"}),
            await member.delete(url),
            await member.post(FACTS, json={"infer": "none", "text": "x", "session_id": session_id}),
            await member.post(
                BATCH, json={"infer": "none", "messages": [said], "session_id": session_id}
            ),
        ]
        assert [answer.status_code for answer in answers] == [404] * 6
        assert {answer.json()["detail"] for answer in answers} == {f"no session {session_id}"}
        assert (await operator.get(url)).status_code == 200
        assert (await operator.get(f"{url}/turns")).json() == {"turns": []}
    assert (await member.get(SESSIONS)).json()["sessions"] == []
    assert len((await beta.get(SESSIONS)).json()["sessions"]) == 1


@pytest.mark.parametrize("field", ["scopes", "scope"])
async def test_nothing_is_written_outside_of_the_floor(
    operator: httpx.AsyncClient, member: httpx.AsyncClient, field: str
) -> None:
    said = [{"role": "user", "content": "x"}]
    for scopes in ("org/beta", ["org/acme", "org/beta"], [["org/acme", "org/beta"]], "org"):
        answers = [
            await member.post(SESSIONS, json={field: scopes}),
            await member.post(FACTS, json={"infer": "none", "text": "x", field: scopes}),
            await member.post(BATCH, json={"infer": "none", "messages": said, field: scopes}),
        ]
        assert [answer.status_code for answer in answers] == [403] * 3
        assert all("org/acme" in answer.json()["detail"] for answer in answers)
    assert (await operator.get(SESSIONS)).json()["sessions"] == []


async def test_a_session_shared_with_others_can_be_read_but_not_changed(
    operator: httpx.AsyncClient, member: httpx.AsyncClient
) -> None:
    session = await open_session(operator, scopes=["org/acme", "org/beta"])
    await say(operator, session["id"], "for both")
    assert await read_texts(member, session["id"]) == ["for both"]
    body = {"infer": "none", "text": "x", "session_id": session["id"]}
    assert (await member.post(FACTS, json=body)).status_code == 403
    assert (await member.delete(f"{SESSIONS}/{session['id']}")).status_code == 403
    assert await read_texts(operator, session["id"]) == ["for both"]


async def test_scopes_beside_a_session_are_checked_and_change_nothing(
    member: httpx.AsyncClient,
) -> None:
    session = await open_session(member)
    body = {"infer": "none", "text": "x", "session_id": session["id"], "scopes": "org/acme/user/bo"}
    assert (await member.post(FACTS, json=body)).status_code == 200
    shown = await member.get(f"{SESSIONS}/{session['id']}")
    assert shown.json()["scopes"] == [["org/acme"]]
    assert (await member.post(FACTS, json=body | {"scopes": "org/beta"})).status_code == 403


async def test_a_delegation_is_read_wherever_the_vendors_sdks_send_it(
    member: httpx.AsyncClient,
) -> None:
    session = await open_session(member)
    calls: list[tuple[str, str, Any]] = [
        ("POST", SESSIONS, {}),
        ("GET", SESSIONS, None),
        ("GET", f"{SESSIONS}/{session['id']}", None),
        ("GET", f"{SESSIONS}/{session['id']}/turns", None),
        ("POST", f"{SESSIONS}/{session['id']}/context", {"query": "x"}),
        ("POST", FACTS, {"infer": "none", "text": "x"}),
        ("DELETE", f"{SESSIONS}/{session['id']}", None),
    ]
    own = (await member.get("/api/v1/acme-prod/me")).json()["principalId"]
    two = {"X-Spectron-On-Behalf-Of": "admin", "X-Memory-On-Behalf-Of": own}
    one = {
        "X-Spectron-On-Behalf-Of": own,
        "X-Memory-On-Behalf-Of": own.removeprefix("principal:"),
    }
    for method, path, body in calls:
        refused = await member.request(method, path, json=body, headers=two)
        assert refused.status_code == 400, path
        good = await member.request(method, path, json=body, headers=one)
        assert good.status_code < 300, good.text


async def test_every_route_wants_a_key_of_the_context(
    stranger: httpx.AsyncClient, member: httpx.AsyncClient
) -> None:
    calls = [
        ("GET", "sessions"),
        ("POST", "sessions"),
        ("GET", "sessions/session:x"),
        ("DELETE", "sessions/session:x"),
        ("GET", "sessions/session:x/turns"),
        ("GET", "sessions/session:x/context"),
        ("POST", "sessions/session:x/context"),
        ("POST", "facts"),
        ("POST", "facts/batch"),
    ]
    for method, path in calls:
        assert (await stranger.request(method, f"/api/v1/acme-prod/{path}")).status_code == 401
        foreign = await member.request(method, f"/api/v1/elsewhere/{path}", content=b"{")
        assert foreign.status_code == 401, path

from __future__ import annotations

from typing import Any

import httpx
import pytest

from spectronctl.server.access import gates
from spectronctl.server.access.caller import Caller, resolve_caller
from spectronctl.server.access.grants import parse_floor
from tests.support.conversations import Connect

pytestmark = pytest.mark.anyio

ME = "/api/v1/acme-prod/me"
ALL_VERBS = {
    "memory:read",
    "memory:write",
    "memory:forget",
    "scope:read",
    "scope:create",
    "scope:delete",
    "grant:manage",
}


async def me(client: httpx.AsyncClient, **headers: str) -> Any:
    answer = await client.get(
        ME, headers={name.replace("_", "-"): headers[name] for name in headers}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_key_with_a_floor_is_confined_to_it(
    connect: Connect, agent: dict[str, Any]
) -> None:
    narrowed = {verb: ["org/acme/*"] for verb in ("memory:read", "memory:write", "scope:read")}
    assert await me(connect(agent["secret"])) == {
        "principalId": "app-agent",
        "kind": "agent",
        "displayName": "app-agent",
        "grants": {verb: ["/*"] for verb in narrowed},
        "tokenGrants": narrowed,
        "effectiveGrants": narrowed,
    }


async def test_a_key_without_a_floor_has_the_whole_context(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    body = {"name": "boss", "principal": "supervisor"}
    key = (await operator.post(f"/api/v1/contexts/{acme}/keys", json=body)).json()
    shown = await me(connect(key["secret"]))
    assert shown.keys() == {"principalId", "kind", "displayName", "grants", "effectiveGrants"}
    assert shown["effectiveGrants"] == shown["grants"]
    assert set(shown["grants"]) == ALL_VERBS - {"scope:delete", "grant:manage"}


async def test_the_operator_may_do_everything_everywhere(
    operator: httpx.AsyncClient, acme: str
) -> None:
    shown = await me(operator)
    assert shown["effectiveGrants"] == {verb: ["/*"] for verb in ALL_VERBS}
    assert (shown["principalId"], shown["displayName"]) == ("operator", "bootstrap")


@pytest.mark.parametrize("header", ["X_Spectron_On_Behalf_Of", "X_Memory_On_Behalf_Of"])
@pytest.mark.parametrize("spelling", ["alice", "principal:alice"])
async def test_either_header_names_the_principal_acted_for(
    connect: Connect, agent: dict[str, Any], header: str, spelling: str
) -> None:
    client = connect(agent["secret"])
    shown = await me(client, **{header: spelling})
    assert shown.pop("delegatedPrincipalId") == "alice"
    assert shown == await me(client)


async def test_both_headers_may_name_one_principal_but_not_two(
    connect: Connect, agent: dict[str, Any]
) -> None:
    headers = {"X-Spectron-On-Behalf-Of": "principal:alice", "X-Memory-On-Behalf-Of": "alice"}
    client = connect(agent["secret"])
    assert (await client.get(ME, headers=headers)).status_code == 200
    headers["X-Memory-On-Behalf-Of"] = "bob"
    refused = await client.get(ME, headers=headers)
    assert refused.status_code == 400
    assert "X-Memory-On-Behalf-Of" in refused.json()["detail"]
    blank = await client.get(ME, headers={"X-Spectron-On-Behalf-Of": "principal:"})
    assert blank.status_code == 400


async def test_a_header_that_comes_twice_may_not_name_two_principals(
    connect: Connect, agent: dict[str, Any]
) -> None:
    client = connect(agent["secret"])
    for name in ("X-Spectron-On-Behalf-Of", "X-Memory-On-Behalf-Of"):
        agreeing = await client.get(ME, headers=[(name, "alice"), (name, "principal:alice")])
        assert agreeing.json()["delegatedPrincipalId"] == "alice"
        for values in (("alice", "bob"), ("bob", "alice"), ("alice", "alice", "bob")):
            refused = await client.get(ME, headers=[(name, value) for value in values])
            assert refused.status_code == 400, values
            assert "name two principals" in refused.json()["detail"]
        blank = await client.get(ME, headers=[(name, "alice"), (name, "")])
        assert blank.status_code == 400


async def test_rights_are_resolved_once_per_request(
    connect: Connect, agent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def resolve(*given: Any) -> Caller:
        calls.append(given)
        return resolve_caller(*given)

    monkeypatch.setattr(gates, "resolve_caller", resolve)
    headers = {"Idempotency-Key": "one"}
    made = await connect(agent["secret"]).post(
        "/api/v1/acme-prod/sessions", json={}, headers=headers
    )
    assert made.status_code == 201
    assert len(calls) == 1


async def test_without_a_key_no_header_is_looked_at(connect: Connect, acme: str) -> None:
    headers = [("X-Spectron-On-Behalf-Of", "alice"), ("X-Spectron-On-Behalf-Of", "bob")]
    assert (await connect().get(ME, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("floor", "patterns"),
    [
        (None, ("/*",)),
        ({"org": "acme"}, ("org/acme/*",)),
        ({"user": "bo", "org": "acme"}, ("org/acme/user/bo/*",)),
        ("/org/acme/", ("org/acme/*",)),
        (["org/acme", "org/beta/"], ("org/acme/*", "org/beta/*")),
    ],
)
def test_a_floor_is_the_subtree_under_its_path(floor: Any, patterns: tuple[str, ...]) -> None:
    assert parse_floor(floor) == patterns

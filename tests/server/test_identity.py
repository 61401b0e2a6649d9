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
        "principalId": agent["principal_id"],
        "keyId": agent["id"],
        "keyName": "app-agent",
        "enforce": True,
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
    assert "tokenGrants" not in shown
    assert shown["effectiveGrants"] == shown["grants"]
    assert set(shown["grants"]) == ALL_VERBS - {"scope:delete", "grant:manage"}


async def test_the_operator_may_do_everything_everywhere(
    operator: httpx.AsyncClient, acme: str
) -> None:
    shown = await me(operator)
    assert shown["effectiveGrants"] == {verb: ["/*"] for verb in ALL_VERBS}
    assert (shown["principalId"], shown["displayName"]) == ("operator", "bootstrap")
    assert shown.keys().isdisjoint({"keyId", "keyName", "tokenGrants"})


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

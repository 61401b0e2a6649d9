"""Acting for another principal: allowed to those who manage all that it holds, and never more than both hold."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.database.database import Database
from spectronctl.server.registry.principals import ADMIN, SYSTEM, PrincipalTable
from spectronctl.server.registry.rows import PrincipalRow
from tests.support.conversations import Connect

pytestmark = pytest.mark.anyio

ME = "/api/v1/acme-prod/me"
KEYS = "/api/v1/contexts/acme-prod/keys"
FOR = "X-Spectron-On-Behalf-Of"


async def me(client: httpx.AsyncClient, target: str, header: str = FOR) -> httpx.Response:
    return await client.get(ME, headers={header: target})


async def set_grants(store: Database, principal_id: str, **grants: list[str]) -> None:
    def change(row: PrincipalRow) -> PrincipalRow:
        named = {verb.replace("_", ":"): patterns for verb, patterns in grants.items()}
        return PrincipalRow(**{**vars(row), "grants": named})

    assert await PrincipalTable(store).change_principal("acme-prod", principal_id, change)


@pytest.fixture
async def manager(store: Database, operator: httpx.AsyncClient, acme: str) -> dict[str, Any]:
    """A key that manages grants over `org/acme/*`, and reads there."""
    key: dict[str, Any] = (await operator.post(KEYS, json={"name": "manager"})).json()
    await set_grants(
        store,
        key["principal_id"],
        grant_manage=["org/acme/*"],
        memory_read=["org/acme/*"],
        memory_write=["org/acme/team/*"],
    )
    return key


@pytest.fixture
async def target(store: Database, agent: dict[str, Any]) -> str:
    """A principal that reads and writes `org/acme/team` alone, and what is below `org/acme/a`."""
    await set_grants(
        store,
        agent["principal_id"],
        memory_read=["org/acme/team", "org/acme/a/*"],
        memory_write=["org/acme/team"],
    )
    return str(agent["principal_id"])


@pytest.mark.parametrize("header", ["X-Spectron-On-Behalf-Of", "X-Memory-On-Behalf-Of"])
@pytest.mark.parametrize("prefix", ["", "principal:"])
async def test_what_is_left_is_what_both_hold(
    connect: Connect, manager: dict[str, Any], target: str, header: str, prefix: str
) -> None:
    client = connect(manager["secret"])
    shown = await me(client, prefix + target.removeprefix("principal:"), header)
    assert shown.status_code == 200, shown.text
    assert shown.json()["delegatedPrincipalId"] == target
    assert shown.json()["principalId"] == manager["principal_id"]
    assert shown.json()["effectiveGrants"] == {
        "memory:read": ["org/acme/a/*", "org/acme/team"],
        "memory:write": ["org/acme/team"],
    }


async def test_an_operator_has_the_rights_of_the_target_and_no_more(
    operator: httpx.AsyncClient, target: str
) -> None:
    shown = (await me(operator, target)).json()
    assert shown["effectiveGrants"] == {
        "memory:read": ["org/acme/a/*", "org/acme/team"],
        "memory:write": ["org/acme/team"],
    }
    body = {"infer": "none", "text": "tea", "scopes": "org/acme/team/x"}
    url = "/api/v1/acme-prod/facts"
    assert (await operator.post(url, json=body, headers={FOR: target})).status_code == 403
    assert (await operator.post(url, json=body)).status_code == 200


async def test_acting_for_oneself_changes_nothing(connect: Connect, agent: dict[str, Any]) -> None:
    client = connect(agent["secret"])
    shown = (await me(client, agent["principal_id"])).json()
    assert shown.pop("delegatedPrincipalId") == agent["principal_id"]
    assert shown == (await client.get(ME)).json()


async def test_every_refusal_is_the_same(
    store: Database,
    operator: httpx.AsyncClient,
    connect: Connect,
    manager: dict[str, Any],
    agent: dict[str, Any],
) -> None:
    """Unknown, held wider than is managed, nothing in common, nothing at all, `system`, no id at all."""
    made = [(await operator.post(KEYS, json={"name": name})).json() for name in ("wide", "none")]
    wide, empty = (each["principal_id"] for each in made)
    await set_grants(store, wide, memory_read=["org/acme/*", "org/other"])
    await set_grants(store, empty)
    await set_grants(store, agent["principal_id"], scope_read=["org/acme/*"])
    told = set()
    for name in (f"principal:{new_ulid()}", wide, empty, agent["principal_id"], SYSTEM, ADMIN, "x"):
        refused = await me(connect(manager["secret"]), name)
        assert refused.status_code == 403, name
        told.add(refused.json()["detail"])
    assert len(told) == 1
    assert (await me(operator, SYSTEM)).json()["detail"] in told
    assert (await me(operator, ADMIN)).status_code == 200


async def test_a_principal_of_another_context_is_unknown(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    await operator.post("/api/v1/contexts/beta", json={"namespace": "acme", "database": "beta"})
    other = (await operator.post("/api/v1/contexts/beta/keys", json={"name": "b"})).json()
    assert (await me(operator, other["principal_id"])).status_code == 403


async def test_both_headers_may_name_one_principal_but_not_two(
    operator: httpx.AsyncClient, acme: str
) -> None:
    headers = {"X-Spectron-On-Behalf-Of": "principal:admin", "X-Memory-On-Behalf-Of": "admin"}
    assert (await operator.get(ME, headers=headers)).status_code == 200
    headers["X-Memory-On-Behalf-Of"] = "bob"
    refused = await operator.get(ME, headers=headers)
    assert refused.status_code == 400
    assert "X-Memory-On-Behalf-Of" in refused.json()["detail"]
    blank = await operator.get(ME, headers={"X-Spectron-On-Behalf-Of": "principal:"})
    assert blank.status_code == 400


async def test_a_header_that_comes_twice_may_not_name_two_principals(
    operator: httpx.AsyncClient, acme: str
) -> None:
    for name in ("X-Spectron-On-Behalf-Of", "X-Memory-On-Behalf-Of"):
        agreeing = await operator.get(ME, headers=[(name, "admin"), (name, "principal:admin")])
        assert agreeing.json()["delegatedPrincipalId"] == ADMIN
        for values in (("admin", "bob"), ("bob", "admin"), ("admin", "admin", "bob")):
            refused = await operator.get(ME, headers=[(name, value) for value in values])
            assert refused.status_code == 400, values
            assert "name two principals" in refused.json()["detail"]
        blank = await operator.get(ME, headers=[(name, "admin"), (name, "")])
        assert blank.status_code == 400

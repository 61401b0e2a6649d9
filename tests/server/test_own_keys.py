"""Keys of one's own: what a caller may mint, rotate and delete, and that none of it widens anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.registry.principals import PrincipalTable, new_principal_id
from spectronctl.server.registry.rows import PrincipalRow
from tests.support.conversations import PLANE, Connect

pytestmark = pytest.mark.anyio

KEYS = f"{PLANE}/keys"
CONTEXT = "/api/v1/contexts/acme-prod"
GRANTS = {"memory:read": ["org/acme/*"], "memory:write": ["org/acme/*"], "scope:read": ["/*"]}

MakeCaller = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
def make_caller(
    store: Database, operator: httpx.AsyncClient, connect: Connect, acme: str
) -> MakeCaller:
    """A client with a key of a principal with these grants."""

    async def make(
        name: str, grants: dict[str, list[str]] | None = None, **body: Any
    ) -> httpx.AsyncClient:
        row = PrincipalRow(
            id=new_principal_id(),
            context_id=acme,
            kind="agent",
            display_name=f"principal of {name}",
            grants=GRANTS if grants is None else grants,
            created_at=datetime.now(UTC),
        )
        await PrincipalTable(store).create_principal(row)
        given = {"name": name, "principal_id": row.id, **body}
        made = await operator.post(f"{CONTEXT}/keys", json=given)
        assert made.status_code == 201, made.text
        return connect(made.json()["secret"])

    return make


@pytest.fixture
async def ada(make_caller: MakeCaller) -> httpx.AsyncClient:
    return await make_caller("ada")


async def mint(caller: httpx.AsyncClient, body: Any = None, **query: Any) -> Any:
    made = await caller.post(KEYS, json=body, params=query)
    assert made.status_code == 201, made.text
    return made.json()


async def configure(operator: httpx.AsyncClient, **config: Any) -> None:
    assert (await operator.patch(CONTEXT, json={"config": config})).is_success


async def whoami(caller: httpx.AsyncClient) -> Any:
    return (await caller.get(f"{PLANE}/me")).json()


async def test_a_minted_key_is_the_callers_and_listed_without_its_secret(
    ada: httpx.AsyncClient, connect: Connect
) -> None:
    made = await mint(ada, {"name": "reader", "grants": {"memory:read": ["org/acme/*"]}})
    assert made.keys() == {"id", "key", "name"}
    assert made["key"].startswith("sk-acme-prod-")
    who = await whoami(connect(made["key"]))
    assert who["principalId"] == (await whoami(ada))["principalId"]
    assert who["effectiveGrants"] == {"memory:read": ["org/acme/*"]}
    listed = (await ada.get(KEYS)).json()
    assert [each["name"] for each in listed] == ["ada", "reader"]
    assert listed[1]["grants"] == {"memory:read": ["org/acme/*"]}
    assert listed[1]["lastUsedAt"] is not None
    assert "secret" not in listed[1]
    assert "key" not in listed[1]


@pytest.mark.parametrize("content", [b"", b"null", b"{}"])
async def test_an_empty_body_mints_a_key_like_the_callers_own(
    content: bytes, ada: httpx.AsyncClient, connect: Connect
) -> None:
    made = await ada.post(KEYS, content=content, headers={"Content-Type": "application/json"})
    assert made.status_code == 201
    assert made.json()["name"] == made.json()["id"]
    mine, own = await whoami(connect(made.json()["key"])), await whoami(ada)
    assert mine["effectiveGrants"] == own["effectiveGrants"]


@pytest.mark.parametrize(
    "grants",
    [
        {"memory:read": ["/*"]},
        {"memory:read": ["org/*"]},
        {"memory:read": ["org/beta"]},
        {"memory:read": ["org/acme/*", "org/beta/*"]},
        {"memory:forget": ["org/acme"]},
        {"grant:manage": ["/*"]},
    ],
)
async def test_no_key_is_wider_than_the_callers(
    grants: dict[str, list[str]], ada: httpx.AsyncClient
) -> None:
    refused = await ada.post(KEYS, json={"grants": grants})
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("grants: ")
    assert len((await ada.get(KEYS)).json()) == 1


async def test_a_narrow_key_makes_only_narrow_ones(
    ada: httpx.AsyncClient, connect: Connect
) -> None:
    narrow = connect((await mint(ada, {"grants": {"memory:read": ["org/acme/a/*"]}}))["key"])
    assert (
        await narrow.post(KEYS, json={"grants": {"memory:read": ["org/acme/*"]}})
    ).status_code == 400
    child = connect((await mint(narrow))["key"])
    assert (await whoami(child))["effectiveGrants"] == {"memory:read": ["org/acme/a/*"]}
    # Its name is known, and its secret would do more.
    refused = await narrow.post(f"{KEYS}/ada/rotate")
    assert refused.status_code == 403
    assert (await whoami(ada))["effectiveGrants"].keys() == GRANTS.keys()


async def test_a_floor_limits_what_its_key_mints(make_caller: MakeCaller, connect: Connect) -> None:
    caller = await make_caller(
        "floored", scope_floor={"org": "acme"}, grants={"memory:read": ["/*"]}
    )
    child = connect((await mint(caller, {"grants": {"memory:read": ["org/acme/*"]}}))["key"])
    assert (await whoami(child))["effectiveGrants"] == {"memory:read": ["org/acme/*"]}


async def test_a_rotated_key_keeps_its_id_its_rights_and_its_expiry(
    ada: httpx.AsyncClient, connect: Connect
) -> None:
    made = await mint(
        ada, {"name": "reader", "grants": {"memory:read": ["org/acme"]}}, ttlSeconds=600
    )
    rotated = await ada.post(f"{KEYS}/reader/rotate")
    assert rotated.status_code == 200
    assert {**rotated.json(), "key": made["key"]} == made
    assert (await connect(made["key"]).get(KEYS)).status_code == 401
    who = await whoami(connect(rotated.json()["key"]))
    assert who["effectiveGrants"] == {"memory:read": ["org/acme"]}
    shorter = (await ada.post(f"{KEYS}/reader/rotate", params={"ttl_seconds": 60})).json()
    assert shorter["validUntil"] < made["validUntil"]


async def test_the_context_caps_how_long_a_key_lives(
    operator: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await configure(operator, max_token_ttl_seconds=3600)
    for query in ({}, {"ttlSeconds": 10**6}, {"ttl_seconds": 10**6}):
        until = datetime.fromisoformat((await mint(ada, None, **query))["validUntil"])
        assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(hours=1)
    short = datetime.fromisoformat((await mint(ada, None, ttlSeconds=60))["validUntil"])
    assert short - datetime.now(UTC) <= timedelta(minutes=1)


@pytest.mark.parametrize(
    "query",
    [
        {"ttlSeconds": 0},
        {"ttlSeconds": -1},
        {"ttl_seconds": "x"},
        {"ttlSeconds": 1, "ttl_seconds": 2},
    ],
)
async def test_a_wrong_lifetime_is_refused(query: Any, ada: httpx.AsyncClient) -> None:
    refused = await ada.post(KEYS, params=query)
    assert refused.status_code == 400
    assert "ttl" in refused.json()["detail"]


async def test_a_key_may_be_deleted_also_the_one_in_use(
    ada: httpx.AsyncClient, connect: Connect
) -> None:
    made = await mint(ada, {"name": "a/b"})
    assert (await ada.delete(f"{KEYS}/a%2Fb")).status_code == 204
    assert (await connect(made["key"]).get(KEYS)).status_code == 401
    assert (await ada.delete(f"{KEYS}/a%2Fb")).status_code == 404
    assert (await ada.delete(f"{KEYS}/ada")).status_code == 204
    assert (await ada.get(KEYS)).status_code == 401


async def test_keys_of_others_are_not_there(
    ada: httpx.AsyncClient, make_caller: MakeCaller
) -> None:
    bo = await make_caller("bo")
    assert [each["name"] for each in (await bo.get(KEYS)).json()] == ["bo"]
    for response in (await bo.delete(f"{KEYS}/ada"), await bo.post(f"{KEYS}/ada/rotate")):
        missing = await bo.delete(f"{KEYS}/none")
        assert response.status_code == missing.status_code == 404
        assert response.json()["detail"] == missing.json()["detail"].replace("none", "ada")
    # A name is one for the whole context, so that a caller may learn that it is in use.
    taken = await bo.post(KEYS, json={"name": "ada"})
    assert taken.status_code == 409
    assert "cak_" not in taken.text


async def test_a_manager_sees_all_keys(
    ada: httpx.AsyncClient, make_caller: MakeCaller, operator: httpx.AsyncClient
) -> None:
    manager = await make_caller("manager", {"grant:manage": ["/*"]})
    partly = await make_caller("partly", {"grant:manage": ["org/acme/*"]})
    everything = {"ada", "manager", "partly"}
    assert {each["name"] for each in (await manager.get(KEYS)).json()} == everything
    assert {each["name"] for each in (await operator.get(KEYS)).json()} == everything
    assert [each["name"] for each in (await partly.get(KEYS)).json()] == ["partly"]


async def test_who_may_not_change_keys(
    ada: httpx.AsyncClient, operator: httpx.AsyncClient, agent: dict[str, Any], connect: Connect
) -> None:
    """A key with a principal for itself alone, a management key, and a caller on behalf of another."""
    flat = connect(agent["secret"])
    assert [each["name"] for each in (await flat.get(KEYS)).json()] == ["app-agent"]
    own = {"X-Spectron-On-Behalf-Of": (await whoami(ada))["principalId"]}
    for client, headers in ((flat, {}), (operator, {}), (ada, own)):
        for response in (
            await client.post(KEYS, headers=headers),
            await client.post(f"{KEYS}/ada/rotate", headers=headers),
            await client.delete(f"{KEYS}/ada", headers=headers),
        ):
            assert response.status_code == 403
    assert (await ada.get(KEYS)).status_code == 200


async def test_a_context_may_switch_them_off(
    ada: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await configure(operator, allow_self_service_keys=False)
    for response in (
        await ada.get(KEYS),
        await ada.post(KEYS),
        await ada.post(f"{KEYS}/ada/rotate"),
        await ada.delete(f"{KEYS}/ada"),
    ):
        assert response.status_code == 403
        assert "allow_self_service_keys" in response.json()["detail"]
    await configure(operator, allow_self_service_keys=None)
    assert (await ada.get(KEYS)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"grants": {}},
        {"grants": {"read": ["/*"]}},
        {"grants": {"memory:read": ["a*"]}},
        {"name": ""},
        {"name": "a\nb"},
        [],
    ],
)
async def test_a_wrong_body_is_refused(body: Any, ada: httpx.AsyncClient) -> None:
    assert (await ada.post(KEYS, json=body)).status_code == 400


@pytest.mark.parametrize(
    "config",
    [
        {"allow_self_service_keys": "no"},
        {"max_token_ttl_seconds": 0},
        {"max_token_ttl_seconds": "1h"},
    ],
)
async def test_both_settings_are_checked(
    config: Any, operator: httpx.AsyncClient, acme: str
) -> None:
    refused = await operator.patch(CONTEXT, json={"config": config})
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith(f"config.{next(iter(config))}: ")

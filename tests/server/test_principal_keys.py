"""Keys that an operator makes for a principal, and access tokens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.registry.principals import PrincipalTable, new_principal_id
from spectronctl.server.registry.rows import PrincipalRow
from tests.support.conversations import PLANE, Connect

pytestmark = pytest.mark.anyio

CONTEXT = "/api/v1/contexts/acme-prod"
TOKENS = f"{CONTEXT}/access-tokens"
GRANTS = {"memory:read": ["org/acme/*"]}


@pytest.fixture
async def bo(store: Database, acme: str) -> str:
    """The id of a principal that may read `org/acme`."""
    row = PrincipalRow(
        id=new_principal_id(),
        context_id=acme,
        kind="human",
        display_name="Bo",
        grants=GRANTS,
        created_at=datetime.now(UTC),
    )
    await PrincipalTable(store).create_principal(row)
    return row.id


async def whoami(connect: Connect, secret: str) -> Any:
    return (await connect(secret).get(f"{PLANE}/me")).json()


async def test_a_key_of_a_principal_may_do_what_that_may_or_less(
    operator: httpx.AsyncClient, connect: Connect, bo: str
) -> None:
    keys = f"{CONTEXT}/principals/{bo}/keys"
    whole = await operator.post(f"{keys}/whole")
    assert whole.status_code == 201
    assert (whole.json()["name"], whole.json()["principal_id"]) == ("whole", bo)
    assert whole.json()["expires_at"] is None
    assert (await whoami(connect, whole.json()["secret"]))["effectiveGrants"] == GRANTS
    less = {"grants": {"memory:read": ["org/acme/a"]}}
    narrow = (await operator.post(f"{keys}/a%2Fb", json=less, params={"ttl_seconds": 60})).json()
    assert narrow["name"] == "a/b"
    assert (await whoami(connect, narrow["secret"]))["effectiveGrants"] == less["grants"]
    until = datetime.fromisoformat(narrow["expires_at"]) - datetime.now(UTC)
    assert timedelta(0) < until <= timedelta(minutes=1)
    more = await operator.post(f"{keys}/more", json={"grants": {"memory:read": ["/*"]}})
    assert more.status_code == 400
    assert (await operator.post(f"{keys}/whole")).status_code == 409
    # It is a key of an existing principal, and so may make keys of its own.
    assert (await connect(whole.json()["secret"]).post(f"{PLANE}/keys")).status_code == 201


@pytest.mark.parametrize(
    ("principal_id", "status"),
    [("none", 404), ("principal:01M8PMWGXFEMS0XYTV0EEEYRTH", 404), ("system", 403)],
)
async def test_a_key_needs_a_principal_that_may_have_one(
    principal_id: str, status: int, operator: httpx.AsyncClient, acme: str
) -> None:
    refused = await operator.post(f"{CONTEXT}/principals/{principal_id}/keys/x")
    assert refused.status_code == status


async def test_an_access_token_makes_its_principal_once(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    body = {
        "external_id": "user-17",
        "display_name": "Cleo",
        "kind": "human",
        "ttl_seconds": 60,
        "grants": GRANTS,
    }
    made = await asyncio.gather(*(operator.post(TOKENS, json=body) for _ in range(5)))
    assert {each.status_code for each in made} == {201}
    assert len({each.json()["principal_id"] for each in made}) == 1
    who = await whoami(connect, made[0].json()["secret"])
    assert (who["displayName"], who["kind"], who["effectiveGrants"]) == ("Cleo", "human", GRANTS)
    less = {"memory:read": ["org/acme/a/*"]}
    narrow = await operator.post(TOKENS, json=body | {"grants": less})
    assert (await whoami(connect, narrow.json()["secret"]))["effectiveGrants"] == less
    wide = await operator.post(TOKENS, json=body | {"grants": {"memory:read": ["/*"]}})
    assert wide.status_code == 400


async def test_the_context_caps_an_access_token(operator: httpx.AsyncClient, acme: str) -> None:
    await operator.patch(CONTEXT, json={"config": {"max_token_ttl_seconds": 60}})
    made = await operator.post(TOKENS, json={"external_id": "a", "ttl_seconds": 10**6})
    until = datetime.fromisoformat(made.json()["expires_at"]) - datetime.now(UTC)
    assert until <= timedelta(minutes=1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"external_id": "a"},
        {"ttl_seconds": 5},
        {"external_id": "a", "ttl_seconds": 0},
        {"external_id": "", "ttl_seconds": 5},
    ],
)
async def test_a_wrong_body_is_refused(body: Any, operator: httpx.AsyncClient, acme: str) -> None:
    assert (await operator.post(TOKENS, json=body)).status_code == 400

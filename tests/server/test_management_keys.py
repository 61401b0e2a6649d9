"""The keys of the control plane, made and revoked while the server runs."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from spectronctl.server.registry.bootstrap import create_management_key
from spectronctl.server.registry.keys import ManagementKeyTable
from tests.support.conversations import Connect

pytestmark = pytest.mark.anyio

KEYS = "/api/v1/management-keys"


async def create(operator: httpx.AsyncClient, name: str) -> dict[str, Any]:
    response = await operator.post(KEYS, json={"name": name})
    assert response.status_code == 201, response.text
    key: dict[str, Any] = response.json()
    return key


async def is_accepted(connect: Connect, secret: str) -> bool:
    response = await connect(secret).get("/api/v1/verbs")
    assert response.status_code in (200, 401)
    return response.status_code == 200


async def test_a_key_is_made_used_listed_and_revoked(
    operator: httpx.AsyncClient, connect: Connect
) -> None:
    key = await create(operator, "ci")
    assert key.keys() == {"id", "name", "created_at", "last_used_at", "secret"}
    assert key["secret"].startswith("mgmt-")
    assert await is_accepted(connect, key["secret"])
    listed = (await operator.get(KEYS)).json()
    assert [each["name"] for each in listed["keys"]] == ["bootstrap", "ci"]
    assert all("secret" not in each and "digest" not in each for each in listed["keys"])
    assert listed["keys"][1]["last_used_at"] is not None
    assert (await operator.delete(f"{KEYS}/{key['id']}")).status_code == 204
    assert not await is_accepted(connect, key["secret"])
    assert (await operator.delete(f"{KEYS}/{key['id']}")).status_code == 404


async def test_a_rotated_key_keeps_its_id_and_loses_its_secret(
    operator: httpx.AsyncClient, connect: Connect
) -> None:
    key = await create(operator, "ci")
    response = await operator.post(f"{KEYS}/{key['id']}/rotate")
    rotated = response.json()
    assert response.status_code == 200
    assert (rotated["id"], rotated["name"]) == (key["id"], "ci")
    assert not await is_accepted(connect, key["secret"])
    assert await is_accepted(connect, rotated["secret"])


async def test_a_key_may_replace_itself(operator: httpx.AsyncClient, connect: Connect) -> None:
    (own,) = (await operator.get(KEYS)).json()["keys"]
    rotated = (await operator.post(f"{KEYS}/{own['id']}/rotate")).json()
    assert (await operator.get(KEYS)).status_code == 401
    assert await is_accepted(connect, rotated["secret"])


async def test_pages_follow_the_ids(operator: httpx.AsyncClient) -> None:
    for number in range(4):
        await create(operator, f"key {number}")
    names, cursor = [], None
    while True:
        page = (
            await operator.get(KEYS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        names += [each["name"] for each in page["keys"]]
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break
    assert names == ["bootstrap", *(f"key {number}" for number in range(4))]


async def test_a_name_means_one_key(operator: httpx.AsyncClient) -> None:
    await create(operator, "ci")
    response = await operator.post(KEYS, json={"name": "ci"})
    assert response.status_code == 409
    assert response.json()["detail"] == "name: management key 'ci' already exists"


async def test_the_last_one_stays_unless_it_is_forced(
    operator: httpx.AsyncClient, store: Database
) -> None:
    (last,) = (await operator.get(KEYS)).json()["keys"]
    response = await operator.delete(f"{KEYS}/{last['id']}")
    assert response.status_code == 409
    assert "force=true" in response.json()["detail"]
    assert (await operator.get(KEYS)).status_code == 200
    forced = await operator.delete(f"{KEYS}/{last['id']}", params={"force": "true"})
    assert forced.status_code == 204
    assert await ManagementKeyTable(store).list_management_keys() == []


async def test_two_revocations_never_leave_none(store: Database) -> None:
    """Each relies on the other's key to stay."""
    for _ in range(10):
        rows = [(await create_management_key(store, name))[0] for name in "ab"]
        outcomes = await asyncio.gather(
            *(
                ManagementKeyTable(store).delete_management_key(row.id, spare_last=True)
                for row in rows
            ),
            return_exceptions=True,
        )
        assert outcomes.count(True) == 1
        (left,) = await ManagementKeyTable(store).list_management_keys()
        await ManagementKeyTable(store).delete_management_key(left.id)


async def test_a_revoked_key_is_refused_by_every_server_of_the_store(
    store: Database, operator: httpx.AsyncClient, connect: Connect
) -> None:
    key = await create(operator, "ci")
    other = create_app(store)
    async with (
        other.state.embedders,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(other),
            base_url="http://other.test",
            headers={"API-KEY": key["secret"]},
        ) as second,
    ):
        assert (await second.get(KEYS)).status_code == 200
        await operator.delete(f"{KEYS}/{key['id']}")
        assert (await second.get(KEYS)).status_code == 401
    assert not await is_accepted(connect, key["secret"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 129}, "name"),
    ],
)
async def test_a_name_is_needed(
    operator: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    response = await operator.post(KEYS, json=body)
    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("key_id", ["mgk_01M8PMWGXFEMS0XYTV0EEEYRTH", "cak_x", "a%2Fb", "x" * 500])
async def test_an_unknown_key_is_not_found(operator: httpx.AsyncClient, key_id: str) -> None:
    for response in (
        await operator.delete(f"{KEYS}/{key_id}"),
        await operator.post(f"{KEYS}/{key_id}/rotate"),
    ):
        assert response.status_code == 404
        assert len(response.json()["detail"]) < 100


async def test_a_context_key_is_refused(agent: dict[str, Any], connect: Connect) -> None:
    assert (await connect(agent["secret"]).get(KEYS)).status_code == 403

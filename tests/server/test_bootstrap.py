from __future__ import annotations

import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.registry.bootstrap import (
    create_management_key,
    deliver_management_key,
    ensure_management_key,
)
from spectronctl.server.registry.keys import ManagementKeyTable
from tests.support.conversations import Connect

pytestmark = pytest.mark.anyio


async def test_the_first_key_works_and_there_is_no_second(
    store: Database, connect: Connect
) -> None:
    secret = await ensure_management_key(store)
    assert secret is not None
    assert (await connect(secret).get("/api/v1/contexts")).status_code == 200
    assert await ensure_management_key(store) is None
    assert [row.name for row in await ManagementKeyTable(store).list_management_keys()] == [
        "bootstrap"
    ]


async def test_a_named_key_is_listed_and_works(store: Database, connect: Connect) -> None:
    row, secret = await create_management_key(store, "ci")
    assert row.id.startswith("mgk_")
    assert [one.name for one in await ManagementKeyTable(store).list_management_keys()] == ["ci"]
    assert (await connect(secret).get("/api/v1/verbs")).status_code == 200


async def test_a_key_is_delivered_once(store: Database) -> None:
    delivered: list[str] = []
    await deliver_management_key(store, delivered.append)
    await deliver_management_key(store, delivered.append)
    assert len(delivered) == 1


async def test_a_key_that_could_not_be_delivered_is_taken_back(
    store: Database, connect: Connect
) -> None:
    seen: list[str] = []

    def fail(secret: str) -> None:
        seen.append(secret)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        await deliver_management_key(store, fail)
    assert await ManagementKeyTable(store).list_management_keys() == []
    assert (await connect(seen[0]).get("/api/v1/verbs")).status_code == 401

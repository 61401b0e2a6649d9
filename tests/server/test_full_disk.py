"""A store whose disk is full: reads continue, and writes are told why they fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from spectronctl.server.access import uses
from spectronctl.server.app import create_app, lifespan
from spectronctl.server.database.database import QueryError, open_database
from spectronctl.server.database.disk import parse_disk_error
from spectronctl.server.database.errors import DiskError, FullError
from spectronctl.server.registry.bootstrap import create_management_key
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.opening import open_store
from tests.support.disks import fill_disk, make_room, mount_disk
from tests.support.worlds import World, list_operations, make_world

pytestmark = pytest.mark.anyio

READS = {
    "POST /api/v1/{context_id}/query",
    "POST /api/v1/{context_id}/fsck",
    "POST /api/v1/{context_id}/sessions/{session_id}/context",
}
"""What reads although it is a POST."""

UNREADY = {"GET /ready", "GET /api/v1/ready"}
"""What proves that the database takes a write."""


def _is_read(operation: str) -> bool:
    return operation.startswith(("GET ", "HEAD ")) or operation in READS


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Path]:
    with mount_disk(tmp_path / "disk", "64m") as place:
        yield place


@pytest.fixture
async def world(disk: Path) -> AsyncIterator[World]:
    store = await open_store(f"surrealkv://{disk}/store")
    _, secret = await create_management_key(store, "first")
    app = create_app(store)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        lifespan(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        world = await make_world(store, client, secret)
        world.operations = list_operations(app)
        yield world
    await store.close()


async def test_every_read_continues_and_every_write_says_that_the_disk_is_full(
    world: World, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prepared = {each: await world.prepare(each) for each in world.operations}
    _, fresh = await world.make_key("acme", "never-used")
    fill_disk(disk)
    with caplog.at_level(logging.WARNING, logger="spectronctl.server"):
        await _use_up_the_last_page(world)
        for operation, (ids, body) in prepared.items():
            answer = await world.ask(operation, ids, json=body)
            if operation in UNREADY:
                assert answer.status_code == 503, operation
                assert "disk of the database is full" in answer.json()["detail"]
            elif _is_read(operation):
                assert answer.is_success, f"{operation}: {answer.text}"
            else:
                assert answer.status_code == 507, f"{operation}: {answer.text}"
                assert "disk of the database is full" in answer.json()["detail"]
        noted = await world.ask("GET /api/v1/{context_id}/me", headers={"API-KEY": fresh})
        assert noted.is_success, "the use of its key cannot be noted"
    told = [each for each in caplog.messages if "takes no writes" in each]
    assert len(told) == 1, "once a minute, not with every request"
    assert str(disk) in told[0]
    assert "bytes free" in told[0]
    make_room(disk)
    for operation in world.operations:
        ids, body = await world.prepare(operation)
        answer = await world.ask(operation, ids, json=body)
        assert answer.is_success, f"{operation}: {answer.text}"


async def _use_up_the_last_page(world: World) -> None:
    body = {"text": "tea " * 2_000, "infer": "none", "scopes": ["org/acme"]}
    for _ in range(10):
        answer = await world.ask("POST /api/v1/{context_id}/facts", json=body)
        if not answer.is_success:
            break
    assert answer.status_code == 507, answer.text
    world.store._proved_at = 0  # /ready would go by what it proved a second ago


async def test_a_store_on_a_full_disk_says_which_disk_when_it_cannot_be_opened(disk: Path) -> None:
    store = await open_store(f"surrealkv://{disk}/store")
    await store.close()
    fill_disk(disk)
    with pytest.raises(Exception, match="cannot be opened") as caught:
        await open_database(f"surrealkv://{disk}/store")
    assert f"the disk {disk} of" in caught.value.hint  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("number", "kind"), [(28, FullError), (122, FullError), (27, FullError), (30, DiskError)]
)
def test_what_the_disk_refuses_is_told_from_other_failures(number: int, kind: type) -> None:
    text = f"WAL error: IO error: kind=other, message=Words (os error {number})"
    assert type(parse_disk_error(text)) is kind
    assert parse_disk_error(str(QueryError("Thrown", "no storage space, said a user"))) is None


async def test_a_note_of_a_key_that_takes_too_long_holds_no_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def stall(*_: object) -> None:
        nonlocal tries
        tries += 1
        await asyncio.Event().wait()

    _, fresh = await world.make_key("acme", "never-used")
    monkeypatch.setattr(uses, "_NOTE_SECONDS", 0.05)
    monkeypatch.setattr(KeyTable, "touch_key", stall)
    for _ in range(3):
        async with asyncio.timeout(2):
            answer = await world.ask("GET /api/v1/{context_id}/me", headers={"API-KEY": fresh})
        assert answer.is_success
    assert tries == 1, "a note that failed is tried again a minute later, not with every request"

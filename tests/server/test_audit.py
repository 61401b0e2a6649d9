"""The audit of the management plane: what is written, when it is, and who may read it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from spectronctl.cli import embedded
from spectronctl.ground.ulids import new_ulid_at
from spectronctl.server.access.gates import list_gates
from spectronctl.server.audit.rows import EventRow
from spectronctl.server.audit.table import AuditTable, Wanted
from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import FullError
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.provisioning import Provisioning
from tests.support.worlds import UNKNOWN, World, list_operations

pytestmark = pytest.mark.anyio

AUDIT = "/api/v1/audit"
CREATE = "POST /api/v1/contexts/{context_id}"
CREATE_KEY = "POST /api/v1/contexts/{context_id}/keys"
DELETE_KEY = "DELETE /api/v1/contexts/{context_id}/keys/{key_id}"


async def list_events(client: httpx.AsyncClient, **params: Any) -> list[Any]:
    answer = await client.get(AUDIT, params={"limit": 500} | params)
    assert answer.status_code == 200, answer.text
    events: list[Any] = answer.json()["events"]
    return events


@pytest.fixture
async def fresh(world: World, store: Database) -> World:
    """The world, with an audit that does not yet say how it was made."""
    world.client.headers["API-KEY"] = world.secrets["management"]
    await store.query("DELETE audit_event RETURN NONE;")
    return world


def list_changes(app: FastAPI) -> list[str]:
    """The operations that change something and ask for more than a verb over memories, by what the routes declare."""
    gates = {
        f"{method} {route.path}": list_gates(route)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    return [
        operation
        for operation in list_operations(app)
        if not operation.startswith(("GET ", "HEAD "))
        and not any(gate.startswith(("memory:", "open")) for gate in gates[operation])
    ]


async def test_every_operation_that_changes_something_leaves_one_event(
    app: FastAPI, fresh: World
) -> None:
    changes = list_changes(app)
    assert len(changes) >= 10
    for operation in changes:
        ids, body = await fresh.prepare(operation)
        last = (await list_events(fresh.client))[:1]
        # Keys of their own are the business of contexts' keys alone.
        is_own = "/{context_id}/keys" in operation and "/contexts/" not in operation
        secret = fresh.secrets["agent" if is_own else "management"]
        answer = await fresh.ask(operation, ids, json=body, headers={"API-KEY": secret})
        assert answer.is_success or is_own, (operation, answer.text)
        events = await list_events(fresh.client)
        new = [each for each in events if not last or each["id"] > last[0]["id"]]
        (event,) = new
        assert event["operation"] == operation
        assert event["status"] == answer.status_code
        assert event["outcome"] == ("done" if answer.is_success else "refused")
        assert event["key_id"].startswith("cak_" if is_own else "mgk_")
        assert (event["name"] == "bootstrap") is not is_own
        assert event["address"] == "127.0.0.1"
        assert event["request_id"] == answer.headers["X-Request-Id"]
        named = {name: value for name, value in ids.items() if f"{{{name}}}" in operation}
        assert event["objects"].items() >= named.items()
        made = answer.json() if answer.content and answer.is_success else {}
        if "secret" in made:
            assert made["id"] in event["objects"].values(), operation
        assert event["context_id"] == (ids["context_id"] if "{context_id}" in operation else None)


async def test_what_was_made_is_named(fresh: World) -> None:
    key_id, _ = await fresh.make_key("acme", "new")
    (event,) = await list_events(fresh.client)
    assert event["action"] == "create_key"
    assert event["objects"] == {"context_id": "acme", "key_id": key_id}


async def test_reads_leave_nothing(app: FastAPI, fresh: World) -> None:
    for operation in list_operations(app):
        if operation.startswith("GET "):
            await fresh.ask(operation)
    assert await list_events(fresh.client) == []


async def test_what_was_refused_is_there_and_how(fresh: World) -> None:
    await fresh.ask(DELETE_KEY, UNKNOWN | {"context_id": "acme"})
    await fresh.ask(CREATE, {"context_id": "acme"}, json={"namespace": "x"})
    found = [
        (each["action"], each["outcome"], each["status"])
        for each in await list_events(fresh.client)
    ]
    assert found == [("create_context", "refused", 400), ("delete_key", "refused", 404)]


async def test_a_key_of_a_context_is_named_where_it_was_refused(fresh: World) -> None:
    headers = {"API-KEY": fresh.secrets["agent"]}
    await fresh.ask(DELETE_KEY, headers=headers)
    await fresh.ask("GET /api/v1/contexts", headers=headers)
    for event in await list_events(fresh.client):
        assert event["status"] == 403
        assert event["name"]
        assert event["key_id"].startswith("cak_")
    assert len(await list_events(fresh.client)) == 2


async def test_a_stranger_leaves_nothing(fresh: World) -> None:
    for kind in ("revoked", "rotated", "expired", "former management"):
        answer = await fresh.ask(DELETE_KEY, headers={"API-KEY": fresh.secrets[kind]})
        assert answer.status_code == 401
    assert await list_events(fresh.client) == []


async def test_the_audit_takes_a_management_key(fresh: World) -> None:
    for kind, status in (("agent", 403), ("supervisor", 403), ("revoked", 401)):
        answer = await fresh.client.get(AUDIT, headers={"API-KEY": fresh.secrets[kind]})
        assert answer.status_code == status


async def test_neither_a_body_nor_a_secret_is_kept(
    app: FastAPI, fresh: World, store: Database
) -> None:
    secrets = list(fresh.secrets.values())
    for operation in list_changes(app):
        ids = {**fresh.ids, "key_id": fresh.secrets["agent"], "job_id": "a%E2%80%A8b"}
        await fresh.ask(operation, ids, json={"name": "sentinel-1", "principal": "agent"})
    rows = json.dumps(await store.select("SELECT * OMIT id FROM audit_event;"), default=str)
    assert rows.count("event_id") >= 5
    assert "sentinel-1" not in rows
    assert not any(secret in rows for secret in secrets)


async def test_events_are_filtered(fresh: World) -> None:
    await fresh.make_key("acme", "one")
    await fresh.make_key("beta", "two")
    await fresh.ask(DELETE_KEY)
    (deleted, beta, acme) = await list_events(fresh.client)
    client = fresh.client
    assert await list_events(client, context="beta") == [beta]
    assert await list_events(client, action="create_key") == [beta, acme]
    assert await list_events(client, action="create_key", context="acme") == [acme]
    assert len(await list_events(client, key="bootstrap")) == 3
    assert len(await list_events(client, key=deleted["key_id"])) == 3
    assert await list_events(client, key="other") == []
    assert deleted in await list_events(client, since=deleted["created_at"])
    assert acme in await list_events(client, until=acme["created_at"])
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert await list_events(client, since=later.isoformat()) == []


def make_event(moment: datetime) -> EventRow:
    return EventRow(
        id=f"aud_{new_ulid_at(moment)}",
        action="delete_key",
        operation="DELETE /x",
        context_id="acme",
        objects={},
        key_id=None,
        name="local",
        address=None,
        status=204,
        request_id="req_1",
    )


async def test_pages_neither_miss_nor_repeat(operator: httpx.AsyncClient, store: Database) -> None:
    now = datetime.now(UTC)
    rows = [make_event(now - timedelta(minutes=number)) for number in range(7)]
    for row in rows:
        await AuditTable(store).add_event(row)
    found: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await operator.get(AUDIT, params=params)).json()
        found += [each["id"] for each in page["events"]]
        # What comes meanwhile is newer than any page that is still to come.
        await AuditTable(store).add_event(make_event(datetime.now(UTC)))
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break
    assert found == [row.id for row in rows]


@pytest.mark.parametrize(
    "params", [{"cursor": "x"}, {"since": "x"}, {"limit": "0"}, {"limit": "501"}]
)
async def test_parameters_that_cannot_be_meant_are_400(
    params: dict[str, str], operator: httpx.AsyncClient
) -> None:
    answer = await operator.get(AUDIT, params=params)
    assert answer.status_code == 400
    assert next(iter(params)) in answer.json()["detail"]


async def test_old_events_are_pruned(operator: httpx.AsyncClient, store: Database) -> None:
    now = datetime.now(UTC)
    for days in (0, 399, 401, 500):
        await AuditTable(store).add_event(make_event(now - timedelta(days=days)))
    await AuditTable(store).prune_events()
    assert len(await list_events(operator)) == 2


async def test_a_change_stands_when_its_event_cannot_be_written(
    fresh: World,
    store: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse(*_: object) -> None:
        raise FullError("full")

    monkeypatch.setattr(AuditTable, "add_event", refuse)
    answer = await fresh.ask("DELETE /api/v1/contexts/{context_id}", {"context_id": "beta"})
    assert answer.status_code == 204
    assert await ContextTable(store).get_context("beta") is None
    (record,) = [each for each in caplog.records if "missing in the audit" in each.message]
    assert record.levelname == "ERROR"
    assert answer.headers["X-Request-Id"] in record.message


async def call(app: FastAPI, world: World, method: str, path: str, send: Any) -> None:
    """A request to the application, without a client that waits for the response."""
    headers = [(b"api-key", world.secrets["management"].encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("10.0.0.9", 1),
        "server": ("test", 80),
    }

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope, receive, send)


async def test_an_event_is_written_though_the_client_is_gone(app: FastAPI, fresh: World) -> None:
    async def hang_up(_: MutableMapping[str, Any]) -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await call(app, fresh, "DELETE", "/api/v1/contexts/beta", hang_up)
    (event,) = await list_events(fresh.client)
    assert (event["action"], event["status"], event["address"]) == (
        "delete_context",
        204,
        "10.0.0.9",
    )


async def test_what_is_cut_off_is_there_as_unknown(
    app: FastAPI, fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()

    async def hang(*_: object) -> None:
        began.set()
        await asyncio.Event().wait()

    async def ignore(_: MutableMapping[str, Any]) -> None: ...

    monkeypatch.setattr(Provisioning, "delete_context", hang)
    task = asyncio.create_task(call(app, fresh, "DELETE", "/api/v1/contexts/beta", ignore))
    await began.wait()
    task.cancel()
    await asyncio.wait([task])
    (event,) = await list_events(fresh.client)
    assert (event["action"], event["outcome"], event["status"]) == (
        "delete_context",
        "unknown",
        None,
    )


async def test_what_failed_is_there_as_failed(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Provisioning, "delete_context", fail)
    answer = await fresh.ask("DELETE /api/v1/contexts/{context_id}", {"context_id": "beta"})
    assert answer.status_code == 500
    (event,) = await list_events(fresh.client)
    assert (event["outcome"], event["status"]) == ("failed", 500)


async def test_two_changes_at_once_leave_two_events(fresh: World) -> None:
    names = [f"key-{number}" for number in range(20)]
    made = await asyncio.gather(*(fresh.make_key("acme", name) for name in names))
    events = await list_events(fresh.client)
    assert sorted(each["objects"]["key_id"] for each in events) == sorted(
        key_id for key_id, _ in made
    )


async def test_what_is_done_at_the_store_itself_is_there_too(
    operator: httpx.AsyncClient, store: Database
) -> None:
    row, _ = await embedded.create_key(store, "ci")
    await embedded.revoke_key(store, row.id)
    revoked, created = await list_events(operator)
    assert (created["action"], created["operation"]) == (
        "create_management_key",
        "serve keys create",
    )
    assert revoked["action"] == "delete_management_key"
    for event in (created, revoked):
        assert (event["name"], event["key_id"], event["outcome"]) == ("local", None, "done")
        assert event["objects"] == {"management_key_id": row.id}


def test_the_end_of_a_list_is_above_every_id() -> None:
    assert Wanted().end > "aud_7" + "Z" * 25

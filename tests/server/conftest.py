"""The application on a real store in memory, called as a client calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.server.app import create_app, lifespan
from spectronctl.server.database.database import Database
from spectronctl.server.handlers import work_on_jobs
from spectronctl.server.index import reindex
from spectronctl.server.jobs import worker
from spectronctl.server.registry.bootstrap import ensure_management_key
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.rows import ContextRow
from tests.support import serving
from tests.support.conversations import Admit, Connect
from tests.support.embeddings_endpoint import Endpoint
from tests.support.embeddings_endpoint import serve as serve_vectors
from tests.support.fuzzing import Fuzzed
from tests.support.wire import Wire, listen
from tests.support.worlds import World, fill_world, make_world


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def store() -> AsyncIterator[Database]:
    store = await open_store("mem://")
    yield store
    await store.close()


@pytest.fixture
async def app(store: Database) -> AsyncIterator[FastAPI]:
    app = create_app(store, max_body_bytes=100_000)
    async with lifespan(app):
        yield app


@pytest.fixture
def connect(app: FastAPI) -> Connect:
    """A client of the application, with a key or without."""

    def connect(key: str | None = None, **headers: str) -> httpx.AsyncClient:
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://spectron.test", headers=headers
        )

    return connect


@pytest.fixture
async def management_key(store: Database) -> str:
    secret = await ensure_management_key(store)
    assert secret is not None
    return secret


@pytest.fixture
def operator(connect: Connect, management_key: str) -> httpx.AsyncClient:
    return connect(management_key)


@pytest.fixture
def stranger(connect: Connect) -> httpx.AsyncClient:
    return connect()


@pytest.fixture
async def acme(operator: httpx.AsyncClient) -> str:
    """A context that exists."""
    answer = await operator.post(
        "/api/v1/contexts/acme-prod",
        json={
            "namespace": "acme",
            "database": "prod",
            "config": {
                "token_limit": 1_000_000,
                "models": {"extraction": "openai/gpt-4o-mini"},
                "providers": {"openai": "sk-provider-secret"},
            },
        },
    )
    assert answer.status_code == 201, answer.text
    return "acme-prod"


@pytest.fixture
async def agent(operator: httpx.AsyncClient, acme: str) -> dict[str, Any]:
    """A key of that context, with its secret."""
    answer = await operator.post(
        f"/api/v1/contexts/{acme}/keys",
        json={"name": "app-agent", "principal": "agent", "scope_floor": {"org": "acme"}},
    )
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


@pytest.fixture
async def world(store: Database, app: FastAPI, management_key: str) -> AsyncIterator[World]:
    """Contexts with something of everything in them."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://spectron.test") as client:
        yield await make_world(store, client, management_key)


@pytest.fixture
async def wire(app: FastAPI, world: World) -> AsyncIterator[Wire]:
    """A connection with the management key on every request."""
    async with listen(app) as port, Wire(port, {"API-KEY": world.secrets["management"]}) as wire:
        yield wire


@pytest.fixture
def admit(operator: httpx.AsyncClient, connect: Connect, acme: str) -> Admit:
    """A client with a new key of that name and scope floor."""

    async def admit(name: str, scope_floor: Any) -> httpx.AsyncClient:
        body = {"name": name, "scope_floor": scope_floor}
        made = await operator.post(f"/api/v1/contexts/{acme}/keys", json=body)
        assert made.status_code == 201, made.text
        return connect(made.json()["secret"])

    return admit


@pytest.fixture
async def member(admit: Admit) -> httpx.AsyncClient:
    """A client whose key is confined to `org/acme`."""
    return await admit("member", {"org": "acme"})


@pytest.fixture
async def context(store: Database, acme: str) -> ContextRow:
    row = await ContextTable(store).get_context(acme)
    assert row is not None
    return row


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits between signs of life, nor for other writes."""
    monkeypatch.setattr(reindex, "_SETTLE_SECONDS", 0)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.02)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve_vectors() as endpoint:
        yield endpoint


@pytest.fixture
async def at_work(store: Database) -> AsyncIterator[None]:
    async with work_on_jobs(store):
        yield


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    directory: Path = tmp_path_factory.mktemp("fuzzed")
    served = serving.start(directory)
    fuzzed = Fuzzed(served.url, {"management": served.key})

    async def fill(world: World) -> None:
        await fill_world(world)
        fuzzed.ids = world.ids

    fuzzed.run(fill)
    yield fuzzed
    assert served.process.poll() is None
    code, _, log = served.stop()
    assert code == 0
    assert "Traceback" not in log

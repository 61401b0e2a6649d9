"""The application on a real store in memory, called as a client calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from spectronctl.server.registry.bootstrap import ensure_management_key
from spectronctl.server.registry.opening import open_store

from .wire import Wire, listen
from .worlds import World, make_world

Connect = Callable[..., httpx.AsyncClient]


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
    async with app.state.embedders:
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

"""
A server process with a store that is filled already: `python -m benchmarks.seeded KEYS [LATENCY]`.

It has one context with that many keys, and holds every request back for LATENCY milliseconds. Beside the product's
application, logging as `spectronctl serve` does, it serves a bare route that makes the engine query of
`GET /contexts/{id}`: same process, same event loop, same store connection.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from spectronctl.server.http.logs import configure_logs
from spectronctl.server.registry.bootstrap import create_management_key
from spectronctl.server.registry.contexts import COLUMNS
from spectronctl.server.registry.credentials import new_context_key_id
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow, KeyRow
from spectronctl.server.serving.listening import bind_address

CONTEXT_ID = "acme-prod"

_QUERY = f"SELECT {COLUMNS} FROM context:[$context_id] WHERE state = 'active';"
_BATCH = 100  # enough to keep the engine busy, few enough to keep it from conflicts with itself


async def main(keys: int, latency: float = 0.0) -> None:
    """Fill the store, say where it is served, serve until the process is told to stop."""
    store = await open_store("mem://")
    try:
        _, secret = await create_management_key(store, "benchmarks")
        await create_context(store)
        for start in range(0, keys, _BATCH):
            numbers = range(start, min(start + _BATCH, keys))
            await asyncio.gather(
                *(KeyTable(store).create_key(_make_key(number)) for number in numbers)
            )
        configure_logs("text")
        product = create_app(store)
        await _serve(
            _hold_back(product, latency) if latency else product, _make_bare_app(store), secret
        )
    finally:
        await store.close()


async def create_context(store: Database) -> ContextRow:
    """The context that everything is in."""
    row = ContextRow(
        id=CONTEXT_ID,
        namespace="acme",
        database="prod",
        config={"token_limit": 1_000_000, "models": {"extraction": "openai/gpt-4o-mini"}},
        created_at=datetime.now(UTC),
    )
    await Provisioning(store).create_context(row, providers={"openai": "not-a-real-key"})
    return row


def _make_key(number: int) -> KeyRow:
    return KeyRow(
        id=new_context_key_id(),
        context_id=CONTEXT_ID,
        name=f"agent-{number:06}",
        principal="agent",
        scope_floor={"org": "acme"},
        digest=number.to_bytes(32),
        created_at=datetime.now(UTC),
    )


def _make_bare_app(store: Database) -> FastAPI:
    app = FastAPI()

    @app.get("/contexts/{context_id}")
    async def get_context(context_id: str) -> Any:
        rows = await store.select(_QUERY, {"context_id": context_id})
        return rows[0]

    return app


def _hold_back(app: ASGIApp, latency: float) -> ASGIApp:
    """A server that is far away, by the time that it takes to answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(latency / 1000)
        await app(scope, receive, send)

    return answer


async def _serve(product: ASGIApp, bare: ASGIApp, secret: str) -> None:
    listeners = [bind_address("127.0.0.1", 0, open_to_network=False) for _ in (product, bare)]
    product_url, bare_url = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in listeners)
    print(json.dumps({"url": product_url, "bare_url": bare_url, "key": secret}), flush=True)
    await asyncio.gather(
        *(
            make_server(app).serve(sockets=[listener])
            for app, listener in zip((product, bare), listeners, strict=True)
        )
    )


def make_server(app: ASGIApp) -> uvicorn.Server:
    """With the settings of `spectronctl serve`."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            ws="none",
        )
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *map(float, sys.argv[2:])))

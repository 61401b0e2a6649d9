"""
The embedded engine behind SurrealDB's WebSocket RPC on loopback: a database that several processes share.

    python -m tests.support.bridge [ENGINE_URL [PORT]]

prints one line, `{"url": "ws://…"}`, and serves until it is ended. Requests and answers pass through as they are, in
CBOR, and those of one connection run at the same time, as on a SurrealDB server. What it does not show: another
storage engine, a cluster, and sessions of their own for connections that sign in.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from surrealdb.data.cbor import decode, encode
from surrealdb_embedded import AsyncEmbeddedDB
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

PASSWORD = "sentinel-store-password"


@dataclass
class SurrealServer:
    """The real engine behind a real WebSocket, which refuses queries before a sign-in if `guarded`."""

    engine: AsyncEmbeddedDB
    guarded: bool = False
    url: str = ""
    connections: set[ServerConnection] = field(default_factory=set)
    trusted: set[ServerConnection] = field(default_factory=set)
    sign_ins: int = 0

    async def accept(self, connection: ServerConnection) -> None:
        self.connections.add(connection)
        answer = self._answer_trusted if self.guarded else self._pass_on
        async with asyncio.TaskGroup() as requests:
            with suppress(ConnectionClosed):  # who asks may be killed
                async for message in connection:
                    assert isinstance(message, bytes)
                    requests.create_task(answer(connection, message))
        self.connections.discard(connection)

    async def _pass_on(self, connection: ServerConnection, message: bytes) -> None:
        await _send(connection, await self.engine.execute(message))

    async def _answer_trusted(self, connection: ServerConnection, message: bytes) -> None:
        request = decode(message)
        if request["method"] == "signin":
            self.sign_ins += 1
            answer = await self.engine.execute(message)
            if "error" not in decode(answer):
                self.trusted.add(connection)
        elif connection in self.trusted:
            answer = await self.engine.execute(message)
        else:
            answer = _refuse(request)
        await _send(connection, answer)

    async def guard(self) -> None:
        self.guarded = True
        text = f"DEFINE USER root ON ROOT PASSWORD '{PASSWORD}' ROLES OWNER"
        request = {"id": "1", "method": "query", "params": [text, {}]}
        assert "error" not in decode(await self.engine.execute(encode(request)))

    async def drop_connections(self) -> None:
        for connection in list(self.connections):
            await connection.close()


async def _send(connection: ServerConnection, answer: bytes) -> None:
    with suppress(ConnectionClosed):
        await connection.send(answer)


def _refuse(request: dict[str, Any]) -> bytes:
    # With what was sent in it, as the worst of servers might.
    text = f"not allowed: {request['params']}"
    error = {"code": -32002, "kind": "NotAllowed", "message": text}
    return bytes(encode({"id": request["id"], "error": error}))


@asynccontextmanager
async def bridge(engine_url: str = "mem://", port: int = 0) -> AsyncIterator[SurrealServer]:
    """A SurrealDB server on a loopback port, any free one for 0."""
    engine = AsyncEmbeddedDB(engine_url)
    await engine.connect()
    server = SurrealServer(engine)
    settings: Any = {"subprotocols": ["cbor"], "max_size": None}
    try:
        async with serve(server.accept, "127.0.0.1", port, **settings) as listening:
            (socket,) = listening.sockets
            server.url = f"ws://127.0.0.1:{socket.getsockname()[1]}"
            yield server
    finally:
        await engine.close()


async def _main(engine_url: str = "mem://", port: str = "0") -> None:
    async with bridge(engine_url, int(port)) as server:
        print(json.dumps({"url": server.url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))

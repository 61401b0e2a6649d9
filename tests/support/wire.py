"""Requests as bytes on a real socket: what a well-bred client library would refuse to send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

from fastapi import FastAPI
from uvicorn.server import ServerState

from spectronctl.server.serving.listening import bind_address, configure
from spectronctl.server.serving.protocol import WatchedProtocol


@dataclass(frozen=True)
class Response:
    """An answer as it came; `status` is 0 when the server only hung up."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Wire:
    """A connection that is opened anew whenever the server has closed it."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, target: str | bytes, body: Any = None, **headers: str
    ) -> Response:
        """Send a request whose target goes out byte by byte as it is given."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        raw = content if isinstance(content, bytes) else content.encode()
        given = {"Host": "x", "Content-Type": "application/json", **self.headers, **headers}
        if raw:
            given["Content-Length"] = str(len(raw))
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        path = target if isinstance(target, bytes) else target.encode()
        return await self.send(
            b"%s %s HTTP/1.1\r\n%s\r\n" % (method.encode(), path, lines.encode()) + raw
        )

    async def send(self, raw: bytes) -> Response:
        """Send the bytes, and read one answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        reader, writer = self._streams
        writer.write(raw)
        with suppress(ConnectionError):  # refused half-way: the answer may be there all the same
            await writer.drain()
        answer = await read_answer(reader)
        if answer.status == 0 or answer.headers.get("connection") == "close":
            await self.close()
        return answer

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            with suppress(ConnectionError):
                await self._streams[1].wait_closed()
            self._streams = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def read_answer(reader: asyncio.StreamReader) -> Response:
    """One answer, up to its announced length or to the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        length = headers.get("content-length")
        if length is not None:
            body = await reader.readexactly(int(length))
        else:
            body = await reader.read() if headers.get("connection") == "close" else b""
    except (asyncio.IncompleteReadError, ConnectionError):
        return Response(0)
    return Response(int(first.split()[1]), headers, body)


@asynccontextmanager
async def listen(app: FastAPI) -> AsyncIterator[int]:
    """The application on a free port, configured as `spectronctl serve` does it, in this event loop."""
    make = partial(WatchedProtocol, config=configure(app), server_state=ServerState(), app_state={})
    with bind_address("127.0.0.1", 0, open_to_network=False) as listener:
        server = await asyncio.get_running_loop().create_server(make, sock=listener)
        try:
            yield listener.getsockname()[1]
        finally:
            server.close()

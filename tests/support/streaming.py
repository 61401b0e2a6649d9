"""Routes that stream, and that take long bodies, for a test to add to an application."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.responses import Response

from spectronctl.server.http.events import EventStream, ServerEvent
from spectronctl.server.http.middleware import limit_body
from spectronctl.server.idempotency.once import OnceOnly
from spectronctl.server.idempotency.rows import Receipt

STREAM = "/api/v1/acme-prod/stream"
UPLOAD = "/api/v1/acme-prod/upload"
WRITE = "/api/v1/{context_id}/writes"
LONG_BYTES = 1 << 30
SHORT_BYTES = 1000


class Received(BaseModel):
    """A body that was read."""

    size: int
    sha256: str


@dataclass
class Streaming:
    """
    What the routes do, and how it went.

    Each of `frames` is an event, its data, a failure to raise, or an asyncio.Event to wait for; `life` tells what
    became of the generator, and `over` that it has ended.
    """

    frames: list[Any] = field(default_factory=list)
    keep_alive: float = 15.0
    life: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    first_piece: asyncio.Event = field(default_factory=asyncio.Event)

    def install(self, app: FastAPI) -> None:
        for path, endpoint in {
            STREAM: self.stream,
            UPLOAD: limit_body(LONG_BYTES)(self._make_upload()),
            f"{UPLOAD}/short": limit_body(SHORT_BYTES)(self._make_upload()),
            WRITE: self.write,
            f"{WRITE}/unread": self.write_unread,
        }.items():
            app.add_api_route(path, endpoint, methods=["POST"], response_model=None)

    async def stream(self) -> Response:
        return EventStream(self._make_events(), keep_alive=self.keep_alive)

    async def _make_events(self) -> AsyncGenerator[ServerEvent, None]:
        try:
            for frame in self.frames:
                if isinstance(frame, Exception):
                    raise frame
                if isinstance(frame, asyncio.Event):
                    await frame.wait()
                else:
                    yield frame if isinstance(frame, ServerEvent) else ServerEvent(frame)
            self.life.append("ended")
        except (asyncio.CancelledError, GeneratorExit):
            self.life.append("cancelled")
            raise
        finally:
            self.over.set()

    def _make_upload(self) -> Any:
        async def upload(request: Request) -> Received:
            return await self._read(request)

        return upload

    async def write(self, request: Request, once: OnceOnly) -> Response:
        return await once.respond(await self._read(request), _write_nothing, status=HTTPStatus.OK)

    async def write_unread(self, once: OnceOnly) -> Response:
        answer = Received(size=0, sha256="")
        return await once.respond(answer, _write_nothing, status=HTTPStatus.OK)

    async def _read(self, request: Request) -> Received:
        digest, size = hashlib.sha256(), 0
        async for piece in request.stream():
            digest.update(piece)
            size += len(piece)
            self.first_piece.set()
        return Received(size=size, sha256=digest.hexdigest())


async def _write_nothing(_: Receipt | None) -> None:
    pass

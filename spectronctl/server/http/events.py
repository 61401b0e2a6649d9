"""Responses of server-sent events (`text/event-stream`), written so that every official client reads them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from spectronctl.server.database.errors import DatabaseError
from spectronctl.server.http.logs import describe_exception
from spectronctl.server.http.middleware import describe_problem
from spectronctl.server.http.problems import ProblemError, from_database

KEEP_ALIVE_SECONDS = 15.0
"""Half of the time that the clients wait for the next byte."""

MAX_LINE_CHARACTERS = 16 * 1024
"""Longer JSON goes on in the next line: the strictest reader takes lines of 128 KiB."""

_KEEP_ALIVE = b": keep-alive\n\n"
_log = logging.getLogger("spectronctl.server.events")


@dataclass(frozen=True)
class ServerEvent:
    """One event: `data` is any JSON; `name` None is that of an ordinary one."""

    data: Any
    name: str | None = None

    def encode(self) -> bytes:
        """Its frame, in short lines."""
        lines = [] if self.name is None else [f"event: {self.name}"]
        lines += [f"data: {line}" for line in _split(self.data)]
        return "\n".join([*lines, "", ""]).encode()


Events = AsyncGenerator[ServerEvent, None]


class EventStream(Response):
    """
    A response of events, each sent as soon as `events` yields it, and at the end an `event: done`.

    The generator may yield a `done` of its own as its last, with more in it. It is cancelled when the reader goes. What
    it raises within the first `keep_alive` seconds, before its first event, becomes an ordinary problem; later it
    becomes an `event: error`, whose data is the problem and `"done": true`. Whenever nothing was sent for `keep_alive`
    seconds a comment is.
    """

    media_type = "text/event-stream"

    def __init__(self, events: Events, *, keep_alive: float = KEEP_ALIVE_SECONDS) -> None:
        self._events = events
        self._keep_alive = keep_alive
        self.status_code = HTTPStatus.OK
        self.background = None
        # Without a charset: it is UTF-8 by definition. nginx would hold events back.
        self.init_headers({"Content-Type": self.media_type, "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until they end, or the reader goes."""
        pen = _Pen(send, self.raw_headers)
        writing = asyncio.create_task(self._write(scope, pen))
        helpers = [
            asyncio.create_task(pen.keep_alive(self._keep_alive)),
            # Sending to a client that is gone raises nothing, so its end has to be listened for: a model elsewhere
            # would go on talking, at a price.
            asyncio.create_task(_wait_for_disconnect(receive)),
        ]
        try:
            await asyncio.wait([writing, *helpers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            is_over = writing.done()
            for task in (writing, *helpers):
                task.cancel()
            await asyncio.gather(writing, *helpers, return_exceptions=True)
        if is_over:
            await writing  # raises what nothing was sent of

    async def _write(self, scope: Scope, pen: _Pen) -> None:
        last = ServerEvent({"done": True}, "done")
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    if event.name == "done":
                        last = ServerEvent({**event.data, "done": True}, "done")
                        break
                    await pen.write(event.encode())
        except Exception as error:
            # Nothing was sent yet, so that this can still be a response with a status of its own.
            if not pen.has_begun:
                raise
            last = _describe_error(scope, error)
        await pen.write(last.encode(), is_last=True)


class _Pen:
    """Writes the response, one frame at a time, beginning with its head."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._headers = headers
        self._turn = asyncio.Lock()
        self._clock = asyncio.get_running_loop().time
        self._wrote = self._clock()
        self.has_begun = False

    async def write(self, frame: bytes, *, is_last: bool = False) -> None:
        # One frame at a time: a comment in the middle of an event would end it for the reader.
        async with self._turn:
            if not self.has_begun:
                self.has_begun = True
                head = {"type": "http.response.start", "status": 200, "headers": self._headers}
                await self._send(head)
            body = {"type": "http.response.body", "body": frame, "more_body": not is_last}
            await self._send(body)
            self._wrote = self._clock()
        await asyncio.sleep(
            0
        )  # nothing else may have waited, and to a reader who is gone sending takes no time

    async def keep_alive(self, seconds: float) -> None:
        """Write a comment whenever nothing was written for so long, without end."""
        while True:
            silent = self._clock() - self._wrote
            if silent >= seconds:
                await self.write(_KEEP_ALIVE)
            else:
                await asyncio.sleep(seconds - silent)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _describe_error(scope: Scope, error: Exception) -> ServerEvent:
    if isinstance(error, DatabaseError):
        error = from_database(error)
    if not isinstance(error, ProblemError):
        request_id = scope["state"]["request_id"]
        _log.error(
            "request %s failed as it was streamed: %s", request_id, describe_exception(error)
        )
        error = ProblemError(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed; its log says where, under this request's id",
        )
    return ServerEvent(describe_problem(scope, error) | {"done": True}, "error")


def _split(data: Any) -> Iterator[str]:
    """JSON in short lines, broken between its tokens: within a string, readers would lose blanks."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if len(text) <= MAX_LINE_CHARACTERS:
        yield text
        return
    line = ""
    for token in json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).iterencode(data):
        if line and len(line) + len(token) > MAX_LINE_CHARACTERS:
            yield line
            line = ""
        line += token
    yield line

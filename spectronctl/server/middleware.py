"""What surrounds every request: its id, its line in the log, the limit of its body, and an answer whatever happens."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spectronctl.server.answers import Problem
from spectronctl.server.limits import (
    LARGE_BODY_PATHS,
    MAX_BODIES_BYTES,
    MAX_FREE_BODY_BYTES,
    MAX_SMALL_BODY_BYTES,
)
from spectronctl.server.logs import describe_exception
from spectronctl.server.problems import ProblemError, invalid, unavailable
from spectronctl.server.ulids import new_ulid

REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")

_log = logging.getLogger("spectronctl.server.requests")
_DISCARD_AT_MOST = 64 * 1024 * 1024
_DISCARD_SECONDS = 5
_ROOM_SECONDS = 5


class Correlation:
    """
    Gives each request an id (the client's, when it is a plain one), answers it as a header, and logs the request.

    No cache may keep the answer: many hold secrets, and each is the answer to one request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else f"req_{new_ulid()}"
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["Cache-Control"] = "no-store"
                _log_request(scope, message["status"], started)
            await send(message)

        await self._app(scope, receive, send_with_id)


class CatchAll:
    """Turns an exception that nobody expected into a bare 500; the log says where it came from."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def note_answer(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive, note_answer)
        except ClientDisconnect:
            return
        except Exception as error:
            if scope["type"] != "http" or answered:
                raise
            request_id = scope["state"]["request_id"]
            _log.error("request %s failed: %s", request_id, describe_exception(error))
            problem = ProblemError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal",
                "the server failed; its log says where, under this request's id",
            )
            await render_problem(scope, problem)(scope, receive, send)


class Unambiguous:
    """
    Refuses with 400 what another program on the way may read otherwise.

    An encoded slash would make of one name a longer path, and of one resource another. Two lengths of one body would
    make of its rest a request of its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and b"%2f" in scope["raw_path"].lower():
            refusal = invalid("path: a name in it cannot hold a slash")
            await render_problem(scope, refusal)(scope, receive, send)
        elif scope["type"] == "http" and _has_two_lengths(Headers(scope=scope)):
            refusal = invalid("Content-Length, Transfer-Encoding: send one of them, not both")
            close = {"Connection": "close"}
            await render_problem(scope, refusal, headers=close)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Room:
    """Bytes that may be held at once. One who wants few does not wait behind one who wants many."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._given = asyncio.Event()

    async def take(self, size: int) -> None:
        """Wait until there is room for that many."""
        while self._left < size:
            self._given.clear()
            await self._given.wait()
        self._left -= size

    def give(self, size: int) -> None:
        """Let others have what was taken."""
        self._left += size
        self._given.set()


class BodyLimit:
    """
    Refuses a body of more than `max_bytes` with 413, and with 408 one that has not arrived within `max_seconds`.

    A length that is announced counts as one that was received. All but conversations and ontologies are smaller. Of
    large bodies only so many are held at once, from the first byte that is read until the request is answered: one
    that finds no room within a few seconds is a 503. Nothing is read, and so no room taken, before the key is known.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._room = Room(max(MAX_BODIES_BYTES, max_bytes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._get_limit(scope["path"])
        size = _read_length(Headers(scope=scope), limit)
        if size > limit:
            await _discard(receive)
            await render_problem(scope, _too_large(limit))(scope, receive, send)
            return
        received = held = 0
        deadline: float | None = asyncio.get_running_loop().time() + self._max_seconds

        async def receive_counted() -> Message:
            nonlocal received, held, deadline
            if size > MAX_FREE_BODY_BYTES and not held:
                await self._take_room(size, receive)
                held, deadline = size, asyncio.get_running_loop().time() + self._max_seconds
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise self._too_slow() from None
            received += len(message.get("body", b""))
            if not message.get("more_body"):
                deadline = None
            if received > limit:
                if message.get("more_body"):
                    await _discard(receive)
                raise _too_large(limit)
            return message

        try:
            await self._app(scope, receive_counted, send)
        finally:
            self._room.give(held)

    def _get_limit(self, path: str) -> int:
        is_large = path.endswith(LARGE_BODY_PATHS)
        return self._max_bytes if is_large else min(self._max_bytes, MAX_SMALL_BODY_BYTES)

    async def _take_room(self, size: int, receive: Receive) -> None:
        try:
            async with asyncio.timeout(_ROOM_SECONDS):
                await self._room.take(size)
        except TimeoutError:
            await _discard(receive)
            raise unavailable("the server is busy with other large bodies; try again") from None

    def _too_slow(self) -> ProblemError:
        return ProblemError(
            HTTPStatus.REQUEST_TIMEOUT,
            "too-slow",
            f"the body has not arrived within {self._max_seconds:g} seconds",
        )


def render_problem(
    scope: Scope, problem: ProblemError, *, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The RFC 7807 answer to a problem (contract, "Errors")."""
    shown = Problem(
        type=f"https://spectron.dev/errors/{problem.slug}",
        title=problem.slug.replace("-", " ").capitalize(),
        status=problem.status,
        detail=problem.detail,
        message=problem.detail,
        instance=quote(scope["path"]),
        request_id=scope["state"]["request_id"],
        retry_after=problem.retry_after,
    )
    headers = dict(headers or {})
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status is HTTPStatus.REQUEST_TIMEOUT:
        headers["Connection"] = "close"
    if problem.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="spectron"'
    return JSONResponse(
        shown.model_dump(exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type="application/problem+json",
    )


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        f"the body is larger than the {limit} bytes that this server takes here",
    )


def _read_length(headers: Headers, limit: int) -> int:
    """The length of the body as it is announced; `limit` where it comes without one."""
    announced = headers.get("content-length", "")
    if announced.isdecimal():
        return int(announced)
    return limit if "transfer-encoding" in headers else 0


def _has_two_lengths(headers: Headers) -> bool:
    return "content-length" in headers and "transfer-encoding" in headers


async def _discard(receive: Receive) -> None:
    """Read on for a while: a client that is cut off while it sends never reads the answer."""
    left = _DISCARD_AT_MOST
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        return


def _log_request(scope: Scope, status: int, started: float) -> None:
    if not _log.isEnabledFor(logging.INFO):
        return
    fields = {
        "method": scope["method"],
        "path": quote(scope["path"]),
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 1),
        "request_id": scope["state"]["request_id"],
    }
    _log.info(
        "%(method)s %(path)s %(status)s %(ms)sms %(request_id)s", fields, extra={"fields": fields}
    )

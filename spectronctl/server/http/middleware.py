"""What surrounds every request: its id, its line in the log, the limit of its body, and a response whatever happens."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spectronctl.ground.redaction import hide_keys
from spectronctl.ground.ulids import new_ulid
from spectronctl.server.http.limits import MAX_BODIES_BYTES, MAX_FREE_BODY_BYTES
from spectronctl.server.http.logs import describe_exception
from spectronctl.server.http.paths import format_path, keep_slashes
from spectronctl.server.http.problems import ProblemError, invalid, unavailable
from spectronctl.server.http.responses import Problem
from spectronctl.server.http.visits import begin_visit, get_visit

REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_log = logging.getLogger("spectronctl.server.requests")
_DISCARD_AT_MOST = 64 * 1024 * 1024
_DISCARD_SECONDS = 5
_ROOM_SECONDS = 5
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

_LIMIT = "max_body_bytes"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def limit_body(max_bytes: int) -> Callable[[Endpoint], Endpoint]:
    """Decorate a route's endpoint whose bodies may be of this many bytes, in place of the application's limit."""

    def decorate(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _LIMIT, max_bytes)
        return endpoint

    return decorate


class Correlation:
    """
    Gives each request an id (the client's, when it is a plain one), returns it as a header, and logs the request.

    `X-Trace-Id` names the trace that the request left, and for one that left none the request alone. No cache may
    keep the response: many hold secrets, and each is the response to one request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A client's id goes into the log and into a header, so only a plain one is taken: anything else could forge
        # lines there.
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else f"req_{new_ulid()}"
        visit = begin_visit(scope, request_id)
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Trace-Id"] = visit.trace_id
                headers["Cache-Control"] = "no-store"
                _log_request(scope, message["status"], started)
            await send(message)

        await self._app(scope, receive, send_with_id)


class CatchAll:
    """Turns an unexpected exception into a bare 500; the log says where it came from."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def note_start(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except ClientDisconnect:
            return
        except Exception as error:
            # Half a response cannot become another one. The server closes the connection, which the client sees as a
            # failure.
            if scope["type"] != "http" or has_begun:
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
    Reads in one way, or refuses with 400, what another program on the way may read otherwise.

    An encoded slash belongs to its name: taken for one that divides the path, it would make of one resource another.
    A control character belongs to no name. Two lengths of one body would make of its rest a request of its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if b"%2f" in scope["raw_path"].lower():
            scope = keep_slashes(scope)
        if _CONTROL.search(scope["path"]):
            refusal = invalid("path: a name in it cannot hold a control character")
            await render_problem(scope, refusal)(scope, receive, send)
        elif _has_two_lengths(Headers(scope=scope)):
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
        # Every waiter looks again after each return, and the first that fits goes ahead: a small body is never kept
        # waiting by a large one.
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
    Refuses with 413 a body of more than `max_bytes`, or than its route says with `limit_body`, and with 408 one that
    has not arrived within `max_seconds`.

    A length that is announced counts as one that was received; a body without one is counted as it comes. A route that
    takes more bytes gives more time in proportion. Of large bodies only so many are held at once, from the first byte
    that is read until the response is sent: one that finds no room within a few seconds is a 503. Nothing is read, and
    so no room taken, before the key is known.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._room = Room(MAX_BODIES_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _parse_length(Headers(scope=scope))
        if announced is not None and announced > self._max_bytes:
            # Not routed yet, and no other body is worth the search.
            limit = self._find_limit(scope)
            if announced > limit:
                # Read first, then refuse: a client that is still sending when the connection closes gets a reset, and
                # never sees why.
                await _discard(receive)
                await render_problem(scope, _too_large(limit))(scope, receive, send)
                return
        body = _Body(self._room, receive, announced)

        async def receive_counted() -> Message:
            limit = self._find_limit(scope)
            return await body.receive(limit, self._max_seconds * max(1.0, limit / self._max_bytes))

        try:
            await self._app(scope, receive_counted, send)
        finally:
            body.give_back()

    def _find_limit(self, scope: Scope) -> int:
        endpoint = scope.get("endpoint") or _find_endpoint(scope)
        return getattr(endpoint, _LIMIT, self._max_bytes)


class _Body:
    """One body on its way in: its length so far, the room that it takes, and when it began."""

    def __init__(self, room: Room, receive: Receive, announced: int | None) -> None:
        self._room = room
        self._receive = receive
        self._announced = announced
        self._received = self._held = 0
        self._started: float | None = None
        self._is_whole = False

    async def receive(self, limit: int, seconds: float) -> Message:
        """The next message; 413, 408 or 503 as `BodyLimit` says."""
        if self._started is None:
            # A body without a length may become as long as the limit, so that much is set aside for it.
            await self._take_room(limit if self._announced is None else self._announced)
            self._started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(None if self._is_whole else self._started + seconds):
                message = await self._receive()
        except TimeoutError:
            raise _too_slow(seconds) from None
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body")
        if self._received > limit:
            if not self._is_whole:
                await _discard(self._receive)
            raise _too_large(limit)
        return message

    def give_back(self) -> None:
        self._room.give(self._held)

    async def _take_room(self, size: int) -> None:
        if size <= MAX_FREE_BODY_BYTES:
            return
        # Else one that asks for more than there ever is would wait for nothing.
        size = min(size, MAX_BODIES_BYTES)
        try:
            async with asyncio.timeout(_ROOM_SECONDS):
                await self._room.take(size)
        except TimeoutError:
            await _discard(self._receive)
            raise unavailable("the server is busy with other large bodies; try again") from None
        self._held = size


def _find_endpoint(scope: Scope) -> object:
    """What the routes will call; None where they respond by themselves."""
    for route in scope["app"].routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            return child.get("endpoint")
    return None


def _too_slow(seconds: float) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_TIMEOUT,
        "too-slow",
        f"the body has not arrived within {seconds:g} seconds",
    )


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        f"the body is larger than the {limit} bytes that this server takes here",
    )


def _parse_length(headers: Headers) -> int | None:
    """The length of the body as it is announced, 0 for none; None where it comes in pieces."""
    announced = headers.get("content-length", "")
    if announced.isdecimal():
        return int(announced)
    return None if "transfer-encoding" in headers else 0


def render_problem(
    scope: Scope, problem: ProblemError, *, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The response to a problem."""
    get_visit(scope).reason = problem.reason
    return JSONResponse(
        describe_problem(scope, problem),
        status_code=problem.status,
        headers={**(headers or {}), **_list_headers(problem)},
        media_type="application/problem+json",
    )


def _list_headers(problem: ProblemError) -> dict[str, str]:
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    # What the client still sends of this body would be read as its next request.
    if problem.status is HTTPStatus.REQUEST_TIMEOUT:
        headers["Connection"] = "close"
    if problem.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="spectron"'
    return headers


def describe_problem(scope: Scope, problem: ProblemError) -> dict[str, Any]:
    """The problem's details (RFC 7807)."""
    return Problem(
        type=f"https://spectron.dev/errors/{problem.slug}",
        title=problem.slug.replace("-", " ").capitalize(),
        status=problem.status,
        detail=problem.detail,
        message=problem.detail,
        instance=format_path(scope),
        request_id=scope["state"]["request_id"],
        retry_after=problem.retry_after,
    ).model_dump(exclude_none=True)


def _has_two_lengths(headers: Headers) -> bool:
    return "content-length" in headers and "transfer-encoding" in headers


async def _discard(receive: Receive) -> None:
    """Read on for a while: a client that is cut off while it sends never reads the response."""
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
    # A key that is not accepted, or not for this, is worth a look: it may be an attempt to guess keys.
    level = logging.WARNING if status in _REFUSALS else logging.INFO
    # Asked before the fields are made: embedded servers mostly log nothing, and this runs with every request.
    if not _log.isEnabledFor(level):
        return
    visit = get_visit(scope)
    fields = {
        "method": scope["method"],
        "path": hide_keys(format_path(scope)),  # one may be typed where an id belongs
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 1),
        "request_id": visit.request_id,
    }
    # Names are printable and may hold blanks, or a key by mistake.
    known = {
        "client": visit.client,
        "key_id": visit.key_id,
        "principal": visit.principal and hide_keys(visit.principal),
        "reason": visit.reason if status in _REFUSALS else None,
    }
    known = {name: value for name, value in known.items() if value is not None}
    named = "".join(f" {name}={json.dumps(value)}" for name, value in known.items())
    text = "%(method)s %(path)s %(status)s %(ms)sms %(request_id)s%(named)s"
    _log.log(level, text, fields | {"named": named}, extra={"fields": fields | known})

"""Writes that a client may repeat: `Idempotency-Key`."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import AnyMember
from spectronctl.server.database.database import Database
from spectronctl.server.http.paths import format_path
from spectronctl.server.http.problems import invalid
from spectronctl.server.idempotency.rows import Receipt, Reservation
from spectronctl.server.idempotency.table import ReservationTable
from spectronctl.server.registry.rows import ContextRow

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

Write = Callable[[Receipt | None], Awaitable[None]]
"""Does the work, and keeps the receipt in the same transaction."""


class PassingBodies:
    """Gives each request with an Idempotency-Key a `PassingBody`, as `state.passing_body`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(
            name == b"idempotency-key" for name, _ in scope["headers"]
        ):
            request = Request(scope, receive)
            request.state.passing_body = body = PassingBody(request)
            receive = body.receive
        await self._app(scope, receive, send)


class PassingBody:
    """A request's body on its way to the application: hashed with its address, piece by piece, and not kept."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        # With the address: the same key for another resource is a mistake of the client's, and not a repeat.
        self._hash = hashlib.sha256(f"{request.method} {format_path(request.scope)}\n".encode())
        self._is_whole = False

    async def receive(self) -> Message:
        """The next message, for the application."""
        message = await self._receive()
        self._hash.update(message.get("body", b""))
        if message["type"] == "http.request":
            self._is_whole = not message.get("more_body")
        return message

    async def fingerprint(self) -> bytes:
        """The SHA-256 of all of it; what the application left unread is read now."""
        # Two requests are only the same when their whole bodies are. What validation refused early is still to come.
        while not self._is_whole:
            if (await self.receive())["type"] == "http.disconnect":
                raise ClientDisconnect
        return self._hash.digest()


@dataclass(frozen=True)
class Once:
    """Does a write once per Idempotency-Key; without one, every time. `reserve` waits for the request's whole body."""

    database: Database
    context: ContextRow
    reserve: Callable[[], Awaitable[Reservation]] | None

    async def respond(self, response: BaseModel, write: Write, *, status: HTTPStatus) -> Response:
        """What the write returns, now or when it was first done; a write that fails leaves the key free."""
        # Made before the write and kept as text: a repeat gets the same bytes, however the models have changed since.
        text = response.model_dump_json(by_alias=True)
        if self.reserve is None:
            await write(None)
            return _respond(text, status)
        reservation = await self.reserve()
        stored = await ReservationTable(self.database).reserve_write(self.context, reservation)
        if stored is not None:
            return _respond(stored, status, {"Idempotency-Replayed": "true"})
        try:
            await write(Receipt(reservation=reservation, response=text))
        except BaseException:
            # Shielded: a client that hangs up cancels this, and would find its own key taken when it comes back.
            await asyncio.shield(
                ReservationTable(self.database).release_write(self.context, reservation)
            )
            raise
        return _respond(text, status)


async def get_once(
    request: Request,
    caller: AnyMember,
    database: CurrentDatabase,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="The same key and body within 24 hours get the response of the first time"
        ),
    ] = None,
) -> Once:
    """The request's claim to be done once; 400 for a key that is none."""
    if idempotency_key is None:
        return Once(database, caller.context, None)
    if not _KEY.fullmatch(idempotency_key):
        raise invalid("Idempotency-Key: must be 1 to 255 printable ASCII characters, no spaces")
    # A client that acts for two principals writes twice: the vendor's SDKs make the key of the body alone.
    principal = f"{caller.principal_id}/{caller.delegate or ''}"
    body: PassingBody = request.state.passing_body

    async def reserve() -> Reservation:
        return Reservation(
            principal=principal,
            key=idempotency_key,
            fingerprint=await body.fingerprint(),
            claim=secrets.token_hex(16),
        )

    return Once(database, caller.context, reserve)


def _respond(text: str, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
    return Response(text, status, headers, media_type="application/json")


OnceOnly = Annotated[Once, Depends(get_once)]

"""Writes that a client may repeat (contract, "`Idempotency-Key`"; seed 003, "Authentication")."""

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
from starlette.responses import Response

from spectronctl.server.authentication import CurrentStore, Member
from spectronctl.server.delegation import Delegate
from spectronctl.server.problems import invalid
from spectronctl.server.store import ContextRow, Receipt, Reservation, Store

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

Write = Callable[[Receipt | None], Awaitable[None]]
"""Does the work, and keeps the receipt in the same transaction."""


@dataclass(frozen=True)
class Once:
    """Does a write once per Idempotency-Key; without one, every time."""

    store: Store
    context: ContextRow
    reservation: Reservation | None

    async def answer(self, answer: BaseModel, write: Write, *, status: HTTPStatus) -> Response:
        """What the write answers, now or when it was first done; a write that fails leaves the key free."""
        text = answer.model_dump_json(by_alias=True)
        if self.reservation is None:
            await write(None)
            return _respond(text, status)
        stored = await self.store.reserve_write(self.context, self.reservation)
        if stored is not None:
            return _respond(stored, status, {"Idempotency-Replayed": "true"})
        try:
            await write(Receipt(reservation=self.reservation, answer=text))
        except BaseException:
            await asyncio.shield(self.store.release_write(self.context, self.reservation))
            raise
        return _respond(text, status)


async def get_once(
    request: Request,
    caller: Member,
    delegate: Delegate,
    store: CurrentStore,
    idempotency_key: Annotated[
        str | None,
        Header(description="The same key and body within 24 hours are answered as the first time"),
    ] = None,
) -> Once:
    """The request's claim to be done once; 400 for a key that is none."""
    if idempotency_key is None:
        return Once(store, caller.context, None)
    if not _KEY.fullmatch(idempotency_key):
        raise invalid("Idempotency-Key: must be 1 to 255 printable ASCII characters, no spaces")
    # Whoever acts for two principals writes twice: the vendor's SDKs make the key of the body alone.
    principal = f"{caller.key.id if caller.key else 'operator'}/{delegate or ''}"
    line = f"{request.method} {request.url.path}\n".encode()
    reservation = Reservation(
        principal=principal,
        key=idempotency_key,
        fingerprint=hashlib.sha256(line + await request.body()).digest(),
        claim=secrets.token_hex(16),
    )
    return Once(store, caller.context, reservation)


def _respond(text: str, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
    return Response(text, status, headers, media_type="application/json")


OnceOnly = Annotated[Once, Depends(get_once)]

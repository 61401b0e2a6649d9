"""Writing to conversations."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.caller import Caller
from spectronctl.server.access.gates import Writer
from spectronctl.server.database.database import Database
from spectronctl.server.facts.plans import WantedWrite, plan_batch, plan_fact
from spectronctl.server.facts.schemas import BatchBody, BatchResponse, FactBody, FactResponse
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.limits import MAX_BODY_BYTES
from spectronctl.server.http.middleware import limit_body
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.idempotency.once import OnceOnly, Write
from spectronctl.server.idempotency.rows import Receipt
from spectronctl.server.index.embedders import CurrentEmbedders, Embedders
from spectronctl.server.sessions.lookup import find_session, make_session
from spectronctl.server.sessions.rows import SessionRow
from spectronctl.server.sessions.turns import TurnTable

router = APIRouter(
    prefix=PREFIX + "/{context_id}/facts",
    tags=["facts"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.NOT_IMPLEMENTED,
    ),
)


@router.post("", response_model=FactResponse)
async def create_fact(
    caller: Writer,
    body: Annotated[FactBody, Depends(body_of(FactBody))],
    once: OnceOnly,
    database: CurrentDatabase,
    embedders: CurrentEmbedders,
) -> Response:
    """Keep a text as a memory, and as a turn of a session."""
    wanted = plan_fact(body, now=datetime.now(UTC))
    new = _open_session(wanted, caller)
    # Made before the write, since the receipt keeps it: all ids are ours, and none comes from the database.
    response = FactResponse(
        session_id=new.id if new else wanted.session_id or "",
        turn_id=wanted.turns[0].id,
        chunk_id=wanted.chunk.id if wanted.chunk else "",
    )
    write = _plan(database, embedders, caller, wanted, new)
    return await once.respond(response, write, status=HTTPStatus.OK)


@router.post("/batch", response_model=BatchResponse)
@limit_body(MAX_BODY_BYTES)
async def create_facts(
    caller: Writer,
    body: Annotated[BatchBody, Depends(body_of(BatchBody))],
    once: OnceOnly,
    database: CurrentDatabase,
    embedders: CurrentEmbedders,
) -> Response:
    """Append a whole conversation to a session: all of it, or nothing."""
    wanted = plan_batch(body, now=datetime.now(UTC))
    new = _open_session(wanted, caller)
    response = BatchResponse(
        session_id=new.id if new else wanted.session_id or "",
        turn_ids=[turn.id for turn in wanted.turns],
    )
    write = _plan(database, embedders, caller, wanted, new)
    return await once.respond(response, write, status=HTTPStatus.OK)


def _open_session(wanted: WantedWrite, caller: Caller) -> SessionRow | None:
    """The session to make, if none was named; 403 for scopes outside of the key's floor in any case."""
    scopes = caller.tag(wanted.scopes)
    return make_session(scopes) if wanted.session_id is None else None


def _plan(
    database: Database,
    embedders: Embedders,
    caller: Caller,
    wanted: WantedWrite,
    new: SessionRow | None,
) -> Write:
    async def write(receipt: Receipt | None) -> None:
        # Looked up inside of the write, so that a repeat of a write that was done gets its response even when the
        # session is gone by now.
        session = new or await find_session(database, caller, wanted.session_id or "")
        caller.require("memory:write", session.scopes)
        # Outside of the transaction: a provider may take ten seconds, and a transaction that waits for it conflicts
        # with every other writer of the session.
        chunk = wanted.chunk and await embedders.embed_chunk(caller.context, wanted.chunk)
        await TurnTable(database).append_turns(
            caller.context,
            session,
            wanted.turns,
            is_new=new is not None,
            chunk=chunk,
            receipt=receipt,
        )
        if chunk:
            await embedders.settle_chunk(caller.context, chunk, session.scopes)

    return write

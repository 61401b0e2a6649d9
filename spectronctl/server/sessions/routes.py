"""Sessions and their transcripts."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from spectronctl.ground.ulids import make_ulid_bound
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.caller import CANNOT_FORGET, Caller
from spectronctl.server.access.gates import Reader, Writer
from spectronctl.server.access.scopes import parse_scope_path
from spectronctl.server.database.database import Database
from spectronctl.server.database.values import check_value
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.fields import parse_instant
from spectronctl.server.http.pages import DEFAULT_LIMIT, Cursor, Limit, check_cursor, load_page
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import forbidden, invalid
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.http.visits import get_visit
from spectronctl.server.idempotency.once import OnceOnly
from spectronctl.server.idempotency.rows import Receipt
from spectronctl.server.sessions.blocks import NEWEST, choose_best, format_block, split_query
from spectronctl.server.sessions.lookup import (
    SESSION_ID,
    admit_session,
    check_id,
    find_session,
    make_session,
)
from spectronctl.server.sessions.rows import Found, SessionRow
from spectronctl.server.sessions.schemas import (
    ContextText,
    SessionBody,
    SessionPage,
    SessionQueryBody,
    SessionResponse,
    TurnPage,
    format_session,
)
from spectronctl.server.sessions.table import SessionTable
from spectronctl.server.sessions.turns import TurnTable
from spectronctl.server.traces.log import TraceLog, Traces
from spectronctl.server.traces.rows import make_trace

_MOST_TURNS = 500
_LARGEST = 2**63 - 1

router = APIRouter(
    prefix=PREFIX + "/{context_id}/sessions",
    tags=["sessions"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)

_Since = Annotated[str | None, Query(description="Inclusive lower bound on createdAt (RFC 3339)")]
_Until = Annotated[str | None, Query(description="Inclusive upper bound on createdAt (RFC 3339)")]
_Scope = Annotated[str | None, Query(description="Only sessions tagged at or below this path")]
_TurnLimit = Annotated[
    int, Query(ge=0, description=f"The most turns that the page holds; capped at {_MOST_TURNS}")
]
_Offset = Annotated[int, Query(ge=0, le=_LARGEST, description="How many turns to skip")]


@router.get("")
async def list_sessions(
    caller: Reader,
    database: CurrentDatabase,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    scope: _Scope = None,
    since: _Since = None,
    until: _Until = None,
) -> SessionPage:
    """List the sessions that the key may see, ordered by id: the oldest first."""
    check_cursor(cursor, SESSION_ID)
    path = None if scope is None else parse_scope_path(scope, "scope")
    # Ids of sessions begin with the time at which they were made, in milliseconds: a bound in time is a bound in ids,
    # and needs no index of its own.
    first = "" if since is None else _bound(parse_instant(since, "since"), math.ceil)
    # Below the first id of the next millisecond: so the bound includes all that was made within its own.
    last = None if until is None else _bound(parse_instant(until, "until"), math.floor, 1)

    region = caller.region("memory:read").narrow([] if path is None else [[path]])

    async def list_after(after: str, limit: int) -> list[SessionRow]:
        return await SessionTable(database).list_sessions(
            caller.context, region, after=after, before=last, limit=limit
        )

    sessions, next_cursor = await load_page(
        list_after, format_session, max(cursor or "", first), limit
    )
    return SessionPage(sessions=sessions, next_cursor=next_cursor, has_more=next_cursor is not None)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=SessionResponse,
    responses=describe_problems(HTTPStatus.CONFLICT),
)
async def create_session(
    caller: Writer,
    body: Annotated[SessionBody, Depends(body_of(SessionBody, required=False))],
    once: OnceOnly,
    database: CurrentDatabase,
) -> Response:
    """Create a session."""
    scopes = caller.tag(body.tags)
    row = make_session(scopes, check_value(body.metadata, "metadata"), body.created_at)

    async def write(receipt: Receipt | None) -> None:
        await SessionTable(database).create_session(caller.context, row, receipt=receipt)

    return await once.respond(format_session(row), write, status=HTTPStatus.CREATED)


@router.get("/{session_id}", responses=describe_problems(HTTPStatus.NOT_FOUND))
async def get_session(
    session_id: str, caller: Reader, database: CurrentDatabase
) -> SessionResponse:
    """Show a session."""
    return format_session(await find_session(database, caller, session_id))


@router.delete(
    "/{session_id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def delete_session(session_id: str, caller: Writer, database: CurrentDatabase) -> None:
    """
    Delete a session, its turns and its memories; this cannot be undone.

    A session that has memories takes a key that may forget.
    """
    # A session whose deletion was cut off is found too, so that a client that repeats its request finishes it, and
    # does not get a 404.
    row = await find_session(database, caller, session_id, deleting=True)
    caller.require("memory:write", row.scopes)
    if not await SessionTable(database).delete_session(
        caller.context, session_id, with_memories=caller.may("memory:forget", row.scopes)
    ):
        detail = f"session {session_id} has memories, and {CANNOT_FORGET}"
        raise forbidden(detail, reason="missing verb memory:forget")


@router.get(
    "/{session_id}/turns",
    response_model=TurnPage,
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def list_turns(
    session_id: str,
    caller: Reader,
    database: CurrentDatabase,
    limit: _TurnLimit = 100,
    offset: _Offset = 0,
) -> Response:
    """List turns from the first on; an offset of a million costs what an offset of 0 does."""
    # Before the database is asked: the id becomes part of a record's name there.
    check_id(session_id)
    row, turns = await TurnTable(database).load_turns(
        caller.context,
        caller.region("memory:read"),
        session_id,
        offset=offset,
        limit=min(limit, _MOST_TURNS),
    )
    admit_session(row, session_id)
    if isinstance(turns, str):
        return Response(f'{{"turns":{turns}}}', media_type="application/json")
    return StreamingResponse(_wrap(turns), media_type="application/json")


@router.get("/{session_id}/context", responses=describe_problems(HTTPStatus.NOT_FOUND))
async def get_session_context(
    request: Request,
    session_id: str,
    caller: Reader,
    database: CurrentDatabase,
    traces: Traces,
    query: Annotated[str, Query(description="What the text is for")],
) -> ContextText:
    """Find what the session and the key's memories say to a query, by its words: text for a prompt."""
    if not query.strip():
        raise invalid("query: must not be blank")
    return await _recall(request, database, traces, caller, session_id, query)


@router.post(
    "/{session_id}/context",
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def query_session_context(
    request: Request,
    session_id: str,
    caller: Reader,
    body: Annotated[SessionQueryBody, Depends(body_of(SessionQueryBody))],
    database: CurrentDatabase,
    traces: Traces,
) -> ContextText:
    """The same, with the query in the body."""
    return await _recall(request, database, traces, caller, session_id, body.query)


async def _wrap(turns: AsyncIterator[str]) -> AsyncIterator[str]:
    yield '{"turns":'
    async for piece in turns:
        yield piece
    yield "}"


async def _recall(
    request: Request,
    database: Database,
    traces: TraceLog,
    caller: Caller,
    session_id: str,
    query: str,
) -> ContextText:
    started = time.perf_counter()
    session = await find_session(database, caller, session_id)
    words = split_query(query)
    best: list[Found] = []
    async for found in TurnTable(database).find_texts(
        caller.context, caller.region("memory:read"), session, words, most=NEWEST
    ):
        best = choose_best(words, best + found)
    trace = make_trace(
        get_visit(request.scope),
        caller,
        "retrieval",
        session_id=session.id,
        query=query,
        mode="words",
        tier="hybrid",
        reason="words of the session and of the memories",
        rows_touched=len(best),
        latency_ms=round((time.perf_counter() - started) * 1000),
    )
    traces.keep(caller.context, trace)
    return ContextText(context=format_block(words, best))


def _bound(moment: datetime, rounded: Callable[[float], int], later: int = 0) -> str:
    return f"session:{make_ulid_bound(rounded(moment.timestamp() * 1000) + later)}"

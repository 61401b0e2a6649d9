"""The audit of the management plane."""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from spectronctl.ground.ulids import ULID_PATTERN
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import Operator
from spectronctl.server.audit.rows import PREFIX, EventRow
from spectronctl.server.audit.schemas import EventPage, format_event
from spectronctl.server.audit.table import AuditTable, Wanted
from spectronctl.server.http import paths
from spectronctl.server.http.fields import parse_instant
from spectronctl.server.http.pages import DEFAULT_LIMIT, Cursor, Limit, check_cursor, load_page
from spectronctl.server.http.responses import describe_problems

_EVENT_ID = re.compile(PREFIX + ULID_PATTERN)

router = APIRouter(
    prefix=paths.PREFIX + "/audit",
    tags=["audit"],
    dependencies=[Operator],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)

_Since = Annotated[str | None, Query(description="Inclusive lower bound on created_at (RFC 3339)")]
_Until = Annotated[str | None, Query(description="Inclusive upper bound on created_at (RFC 3339)")]
_Key = Annotated[str | None, Query(description="Only with the key of this id or name")]
_Context = Annotated[str | None, Query(description="Only of this context")]
_Action = Annotated[str | None, Query(description="Only of this action, such as `delete_key`")]


@router.get("")
async def list_events(
    database: CurrentDatabase,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    since: _Since = None,
    until: _Until = None,
    key: _Key = None,
    context: _Context = None,
    action: _Action = None,
) -> EventPage:
    """
    List what was changed of contexts, keys and grants, or refused, the newest first. It is kept for 400 days.

    One with `status` null was cut off while the server stopped: whether it was done is not known.
    """
    check_cursor(cursor, _EVENT_ID)
    wanted = Wanted(
        since=_parse(since, "since"),
        until=_parse(until, "until"),
        context_id=context,
        key=key,
        action=action,
    )

    async def list_below(before: str, limit: int) -> list[EventRow]:
        return await AuditTable(database).list_events(wanted, before=before, limit=limit)

    start = min(cursor or wanted.end, wanted.end)
    events, next_cursor = await load_page(list_below, format_event, start, limit)
    return EventPage(events=events, next_cursor=next_cursor, has_more=next_cursor is not None)


def _parse(value: str | None, field: str) -> datetime | None:
    return None if value is None else parse_instant(value, field)

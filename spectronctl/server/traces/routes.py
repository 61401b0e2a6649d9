"""What was asked on a context's data plane, by whom, and what it cost."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request

from spectronctl.ground.ulids import ULID_PATTERN
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.caller import Caller
from spectronctl.server.access.gates import AnyMember
from spectronctl.server.access.scopes import WHOLE, Region, parse_scope_path
from spectronctl.server.http.fields import parse_instant
from spectronctl.server.http.limits import MAX_SCOPES
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import invalid, not_found
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.registry.principals import parse_principal_id
from spectronctl.server.traces.log import Traces
from spectronctl.server.traces.rows import Kind, TraceRow
from spectronctl.server.traces.schemas import (
    AuditList,
    TraceList,
    TraceRecord,
    TraceStats,
    format_audit,
    format_response,
    format_retrieval,
    format_trace,
)
from spectronctl.server.traces.stats import add_up
from spectronctl.server.traces.table import TraceTable, Wanted

_MOST = 500
_DEFAULT_LIMIT = 50
_DEFAULT_HOURS = 24
_MAX_HOURS = 36_525 * 24
_ID = re.compile(ULID_PATTERN)
_SCOPE = re.compile(r"scope(?:\[(?P<name>[^\[\]]*)\])?")

router = APIRouter(
    prefix=PREFIX + "/{context_id}",
    tags=["traces"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)

_Limit = Annotated[int, Query(ge=0, description=f"The most rows; capped at {_MOST}")]
_Since = Annotated[str | None, Query(description="Inclusive lower bound on createdAt (RFC 3339)")]
_Until = Annotated[str | None, Query(description="Inclusive upper bound on createdAt (RFC 3339)")]
_Hours = Annotated[int, Query(alias="windowHours", ge=1, le=_MAX_HOURS, description="Hours back")]
_Holder = Annotated[str | None, Query(description="The id of a principal or of a key")]


@router.get("/traces", response_model_exclude_none=True)
async def list_traces(
    request: Request,
    caller: AnyMember,
    database: CurrentDatabase,
    traces: Traces,
    limit: _Limit = _DEFAULT_LIMIT,
    since: _Since = None,
) -> TraceList:
    """
    List the traces of queries and decisions, the newest first.

    With `grant:manage` over the whole context all of them, else those of callers who could read no more than this one.
    `scope[org]=acme`, or `scope=org/acme`, keeps those of that region.
    """
    region = _find_region(caller).narrow(_parse_lens(request))
    wanted = Wanted(limit=min(limit, _MOST), since=_parse(since, "since"), is_query=True)
    await traces.flush()
    rows = await TraceTable(database).list_traces(caller.context, region, wanted)
    return TraceList(traces=[format_trace(row) for row in rows])


@router.get("/traces/stats")
async def get_trace_stats(
    request: Request,
    caller: AnyMember,
    database: CurrentDatabase,
    traces: Traces,
    since: _Since = None,
    window_hours: _Hours = _DEFAULT_HOURS,
) -> TraceStats:
    """
    Add up the traces of the last hours, those that a list would show.

    With `since` the window begins there, and `windowHours` says how long it is, in whole hours.
    """
    region = _find_region(caller).narrow(_parse_lens(request))
    now = datetime.now(UTC)
    first = _parse(since, "since") or now - timedelta(hours=window_hours)
    if since is not None:
        window_hours = max(0, math.ceil((now - first) / timedelta(hours=1)))
    await traces.flush()
    sums = await TraceTable(database).sum_traces(caller.context, region, first)
    return add_up(sums, window_hours=window_hours)


@router.get(
    "/traces/{trace_id}",
    response_model_exclude_none=True,
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def get_trace(
    trace_id: str, caller: AnyMember, database: CurrentDatabase, traces: Traces
) -> TraceRecord:
    """
    Show a trace, the response that it was part of, and the retrievals that fed it.

    `trace:` before the id may be left out.
    """
    table, region = TraceTable(database), _find_region(caller)
    await traces.flush()
    key = trace_id.removeprefix("trace:")
    # What cannot be an id is not there: no query is made of it.
    row = (
        await table.get_trace(caller.context, region, f"trace:{key}")
        if _ID.fullmatch(key)
        else None
    )
    if row is None:
        raise not_found(f"no trace {trace_id[:64]}")
    return await _describe(table, caller, region, row)


@router.get("/audit", response_model_exclude_none=True)
async def list_audit(
    caller: AnyMember,
    database: CurrentDatabase,
    traces: Traces,
    principal: _Holder = None,
    key: _Holder = None,
    kind: Kind | None = None,
    since: _Since = None,
    until: _Until = None,
    limit: _Limit = _DEFAULT_LIMIT,
) -> AuditList:
    """
    List who did what on this context, the newest first, requests that were refused included.

    With `grant:manage` over the whole context all of it, else what a list of traces would show.
    """
    wanted = Wanted(
        limit=min(limit, _MOST),
        since=_parse(since, "since"),
        until=_parse(until, "until"),
        kind=kind,
        principal=_parse_holder(principal),
        key=_parse_holder(key),
    )
    await traces.flush()
    rows = await TraceTable(database).list_traces(caller.context, _find_region(caller), wanted)
    return AuditList(rows=[format_audit(row) for row in rows])


def _find_region(caller: Caller) -> Region:
    """Whose traces the caller may see: of all, or of those who could read no more than it can."""
    return WHOLE if caller.region("grant:manage").is_whole else caller.region("memory:read")


def _parse_holder(value: str | None) -> str | None:
    """The id of a principal as it is stored, or else of what it may be: a key, or the operator."""
    return value and (parse_principal_id(value) or value)


def _parse(value: str | None, field: str) -> datetime | None:
    return None if value is None else parse_instant(value, field)


def _parse_lens(request: Request) -> list[list[str]]:
    """`scope[org]=acme` and `scope=org/acme`: the paths that a trace must involve, all of them; none for any."""
    paths = []
    for field, value in request.query_params.multi_items():
        if found := _SCOPE.fullmatch(field):
            name = found["name"]
            paths.append(parse_scope_path(f"{name}/{value}" if name else value, field[:64]))
    if len(paths) > MAX_SCOPES:
        raise invalid(f"scope: at most {MAX_SCOPES} paths")
    return [list(dict.fromkeys(paths))] if paths else []


async def _describe(
    table: TraceTable, caller: Caller, region: Region, row: TraceRow
) -> TraceRecord:
    parent = row if row.kind == "response" else None
    if row.parent:
        parent = await table.get_trace(caller.context, region, row.parent)
    retrievals = [row] if row.kind == "retrieval" else []
    if row.kind != "retrieval":
        retrievals = await table.list_children(caller.context, region, row.parent or row.id)
    return format_trace(row).model_copy(
        update={
            "parent": format_response(parent) if parent else None,
            "retrievals": [format_retrieval(each) for each in retrievals],
        }
    )

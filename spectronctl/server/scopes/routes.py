"""The tree of scopes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.caller import Caller
from spectronctl.server.access.gates import AnyMember, Forgetter, ScopeCreator, ScopeDeleter
from spectronctl.server.database.database import Row
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import not_found
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.scopes.erasing import count_subtree, erase_subtree
from spectronctl.server.scopes.schemas import (
    ForgetScopeBody,
    ForgetScopeResponse,
    ScopeBody,
    ScopeResponse,
    format_counts,
    parse_node_parameter,
)
from spectronctl.server.scopes.table import ScopeTable

router = APIRouter(
    prefix=PREFIX + "/{context_id}/scopes",
    tags=["scopes"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)

_Path = Annotated[str, Query(description="A path such as org/acme")]


@router.get("", response_model=list[ScopeResponse])
async def list_scopes(caller: AnyMember, database: CurrentDatabase) -> Response:
    """List the scopes over which the caller holds any verb, live and tombstoned, ordered by path."""
    pages = ScopeTable(database).list_scopes(caller.context)
    # Before the response begins: what fails here is a problem, and what fails later cuts the response off.
    first = await anext(pages)
    return StreamingResponse(_write(caller, first, pages), media_type="application/json")


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model_exclude_none=True,
)
async def register_scope(
    caller: ScopeCreator,
    body: Annotated[ScopeBody, Depends(body_of(ScopeBody))],
    database: CurrentDatabase,
) -> ScopeResponse:
    """
    Register a scope and those above it; one that exists stays as it is, and a tombstoned one is revived.

    Below a tombstone nothing can be registered.
    """
    caller.require("scope:create", [[body.path]])
    node = await ScopeTable(database).register_scope(
        caller.context, body.path, display_name=body.display_name, description=body.description
    )
    return ScopeResponse.model_validate(_format(node))


@router.delete(
    "",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def tombstone_scope(
    caller: ScopeDeleter,
    database: CurrentDatabase,
    path: _Path,
) -> None:
    """Tombstone a scope and all below it: nothing is written there any more; what was written stays."""
    node = parse_node_parameter(path)
    caller.require_below("scope:delete", node)
    if not await ScopeTable(database).tombstone_scope(caller.context, node):
        raise not_found("no such scope is registered: GET /scopes lists those that are")


@router.get("/forget")
async def preview_forgetting(
    caller: Forgetter, database: CurrentDatabase, path: _Path
) -> ForgetScopeResponse:
    """Count what a POST would erase now: for clients that cannot know whether a server understands `dryRun`."""
    node = parse_node_parameter(path)
    caller.require_below("memory:forget", node)
    return format_counts(await count_subtree(database, caller.context, node), dry_run=True)


@router.post("/forget")
async def forget_scope(
    caller: Forgetter,
    body: Annotated[ForgetScopeBody, Depends(body_of(ForgetScopeBody, required=False))],
    database: CurrentDatabase,
) -> ForgetScopeResponse:
    """
    Erase everything that is tagged at or below a scope in any of its clauses; this cannot be undone.

    It is hidden at once, and taken out in batches: a call that was cut off may be repeated, and finishes it.
    """
    caller.require_below("memory:forget", body.path)
    work = count_subtree if body.dry_run else erase_subtree
    counts = await work(database, caller.context, body.path)
    return format_counts(counts, dry_run=bool(body.dry_run))


async def _write(
    caller: Caller, first: list[Row], pages: AsyncIterator[list[Row]]
) -> AsyncIterator[str]:
    """A JSON array in pieces, of what the caller may see."""
    regions = [caller.region(verb) for verb in VERBS]
    separator, page = "[", first
    while page:
        shown = [node for node in page if any(each.covers(node["path"]) for each in regions)]
        for node in shown:
            yield separator + json.dumps(_format(node), separators=(",", ":"))
            separator = ","
        page = await anext(pages)
    yield "[]" if separator == "[" else "]"


def _format(node: Row) -> Row:
    """As it travels: without what is not set, and its path with a slash behind it."""
    given = {name: value for name, value in node.items() if value is not None}
    return given | {"path": f"{node['path']}/"}

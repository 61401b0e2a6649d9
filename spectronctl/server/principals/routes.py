"""The principals of a context, to those who manage grants: who there is, who may do what, granting and revoking."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.caller import Caller
from spectronctl.server.access.gates import GrantManager
from spectronctl.server.access.grants import make_rights
from spectronctl.server.access.scopes import parse_scope_path
from spectronctl.server.database.database import Database
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.fields import parse_instant
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import forbidden
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.principals.changes import add_grant, remove_grant
from spectronctl.server.principals.lookup import check_mutable, find_principal, no_principal
from spectronctl.server.principals.schemas import (
    EffectiveResponse,
    GrantBody,
    PrincipalResponse,
    format_principal,
)
from spectronctl.server.registry.principals import PrincipalTable
from spectronctl.server.registry.rows import Grants, PrincipalRow

_PAGE = 500
_OUTSIDE = "outside of the region for grant:manage"

router = APIRouter(
    prefix=PREFIX + "/{context_id}/principals",
    tags=["principals"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)
_WITH_ID = describe_problems(HTTPStatus.NOT_FOUND)
_TO_CHANGE = describe_problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)

_Grant = Annotated[GrantBody, Depends(body_of(GrantBody))]


@router.get("", response_model=list[PrincipalResponse])
async def list_principals(caller: GrantManager, database: CurrentDatabase) -> Response:
    """List all principals, ordered by id, each with its grants as far as the caller manages them."""
    return StreamingResponse(_stream(caller, database), media_type="application/json")


@router.get("/{principal_id}", responses=_WITH_ID)
async def get_principal(
    principal_id: str, caller: GrantManager, database: CurrentDatabase
) -> PrincipalResponse:
    """Show a principal, with its grants as far as the caller manages them."""
    row = await find_principal(database, caller.context.id, principal_id)
    return format_principal(row, caller.rights)


@router.post("/{principal_id}/grants", responses=_TO_CHANGE)
async def grant(
    principal_id: str, caller: GrantManager, body: _Grant, database: CurrentDatabase
) -> PrincipalResponse:
    """Grant verbs over a scope pattern: at most what the caller holds itself."""
    _require_managed(caller, body)
    for verb in body.verbs:
        if not caller.rights.hold(verb, body.path):
            detail = f"verbs: this key does not hold {verb} over all of the pattern itself"
            raise forbidden(detail, reason=f"outside of the region for {verb}")
    return await _change(
        caller, database, principal_id, lambda held: add_grant(held, body.path, body.verbs)
    )


@router.delete("/{principal_id}/grants", responses=_TO_CHANGE)
async def revoke(
    principal_id: str, caller: GrantManager, body: _Grant, database: CurrentDatabase
) -> PrincipalResponse:
    """Revoke verbs over a scope pattern, and over all that lies in it; 409 for a part of what is held wider."""
    _require_managed(caller, body)
    return await _change(
        caller,
        database,
        principal_id,
        lambda held: remove_grant(held, body.path, body.verbs, caller.rights),
    )


@router.get("/{principal_id}/effective", responses=_WITH_ID, response_model_exclude_none=True)
async def get_effective(
    principal_id: str,
    caller: GrantManager,
    database: CurrentDatabase,
    path: Annotated[str, Query(description="A scope path; / is the root")],
    as_of: Annotated[
        str | None, Query(alias="asOf", description="At that time instead of now (RFC 3339)")
    ] = None,
) -> EffectiveResponse:
    """List the verbs that a principal holds at a path, now or at a time."""
    node = "" if path == "/" else parse_scope_path(path, "path")
    moment = None if as_of is None else parse_instant(as_of, "asOf")
    if not caller.rights.hold("grant:manage", node):
        raise forbidden("path: this key does not hold grant:manage there", reason=_OUTSIDE)
    row = await find_principal(database, caller.context.id, principal_id)
    grants = row.grants
    if moment is not None:
        grants = await PrincipalTable(database).load_grants(caller.context.id, row.id, moment)
    held = make_rights(grants)
    return EffectiveResponse(
        path=f"{node}/", verbs=[verb for verb in VERBS if held.hold(verb, node)], as_of=moment
    )


def _require_managed(caller: Caller, body: GrantBody) -> None:
    if not caller.rights.hold("grant:manage", body.path):
        detail = "path: this key does not hold grant:manage over all of the pattern"
        raise forbidden(detail, reason=_OUTSIDE)


async def _change(
    caller: Caller, database: Database, principal_id: str, change: Callable[[Grants], Grants]
) -> PrincipalResponse:
    found = await find_principal(database, caller.context.id, principal_id)
    check_mutable(found.id)

    def change_row(row: PrincipalRow) -> PrincipalRow:
        return replace(row, grants=change(row.grants))

    row = await PrincipalTable(database).change_principal(caller.context.id, found.id, change_row)
    if row is None:
        raise no_principal(principal_id)
    return format_principal(row, caller.rights)


async def _stream(caller: Caller, database: Database) -> AsyncIterator[str]:
    """The list, piece by piece: it is not paged, and a context may have a hundred thousand of them."""
    after, opening = "", "["
    while rows := await PrincipalTable(database).list_principals(
        caller.context.id, after=after, limit=_PAGE
    ):
        shown = (
            format_principal(row, caller.rights).model_dump_json(by_alias=True) for row in rows
        )
        yield opening + ",".join(shown)
        after, opening = rows[-1].id, ","
    yield "]"

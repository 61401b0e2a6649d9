"""The principals of a context, as operators manage them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.contexts import CurrentContext
from spectronctl.server.access.gates import Operator
from spectronctl.server.database.database import Database
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.pages import DEFAULT_LIMIT, Cursor, Limit, check_cursor, load_page
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import forbidden
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.principals.changes import simplify_grants
from spectronctl.server.principals.lookup import check_mutable, find_principal, no_principal
from spectronctl.server.principals.schemas import (
    GrantsBody,
    PrincipalBody,
    PrincipalPage,
    PrincipalPatchBody,
    PrincipalRecord,
    format_record,
)
from spectronctl.server.registry.principals import (
    ADMIN,
    STORED_ID,
    PrincipalTable,
    new_principal_id,
)
from spectronctl.server.registry.rows import ContextRow, PrincipalRow

router = APIRouter(
    prefix=PREFIX + "/contexts/{context_id}/principals",
    tags=["principals"],
    dependencies=[Operator],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
    ),
)
_CONFLICT = describe_problems(HTTPStatus.CONFLICT)


@router.get("")
async def list_principals(
    context: CurrentContext,
    database: CurrentDatabase,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PrincipalPage:
    """List a context's principals, ordered by id."""
    check_cursor(cursor, STORED_ID)

    async def list_after(after: str, limit: int) -> list[PrincipalRow]:
        return await PrincipalTable(database).list_principals(context.id, after=after, limit=limit)

    shown, next_cursor = await load_page(list_after, format_record, cursor or "", limit)
    return PrincipalPage(
        principals=shown, next_cursor=next_cursor, has_more=next_cursor is not None
    )


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=_CONFLICT | {200: {"model": PrincipalRecord, "description": "It exists, as it is"}},
)
async def create_principal(
    body: Annotated[PrincipalBody, Depends(body_of(PrincipalBody))],
    context: CurrentContext,
    database: CurrentDatabase,
    response: Response,
) -> PrincipalRecord:
    """Create a principal; one that has the external id is returned as it is, with 200."""
    row = PrincipalRow(
        id=new_principal_id(),
        context_id=context.id,
        kind=body.kind,
        display_name=body.display_name,
        external_id=body.external_id,
        grants=simplify_grants(body.grants),
        created_at=datetime.now(UTC),
    )
    found = await PrincipalTable(database).ensure_principal(row)
    if found is not row:
        response.status_code = HTTPStatus.OK
    return format_record(found)


@router.get("/{principal_id}")
async def get_principal(
    principal_id: str, context: CurrentContext, database: CurrentDatabase
) -> PrincipalRecord:
    """Show a principal."""
    return format_record(await find_principal(database, context.id, principal_id))


@router.patch("/{principal_id}", responses=_CONFLICT)
async def update_principal(
    principal_id: str,
    body: Annotated[PrincipalPatchBody, Depends(body_of(PrincipalPatchBody))],
    context: CurrentContext,
    database: CurrentDatabase,
) -> PrincipalRecord:
    """Change a principal; what is left out stays as it is."""
    changes = body.model_dump(exclude_unset=True)
    if "grants" in changes:
        changes["grants"] = simplify_grants(body.grants)
    return await _change(database, context, principal_id, **changes)


@router.put("/{principal_id}/grants")
async def replace_grants(
    principal_id: str,
    body: Annotated[GrantsBody, Depends(body_of(GrantsBody))],
    context: CurrentContext,
    database: CurrentDatabase,
) -> PrincipalRecord:
    """Replace all grants of a principal."""
    grants = simplify_grants(body.grants)
    return await _change(database, context, principal_id, grants=grants)


@router.delete("/{principal_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
async def delete_principal(
    principal_id: str, context: CurrentContext, database: CurrentDatabase
) -> None:
    """Delete a principal and its keys, which stop at once; this cannot be undone."""
    found = await find_principal(database, context.id, principal_id)
    check_mutable(found.id)
    if found.id == ADMIN:
        raise forbidden("the principal admin cannot be deleted")
    if not await PrincipalTable(database).delete_principal(context.id, found.id):
        raise no_principal(principal_id)


async def _change(
    database: Database, context: ContextRow, principal_id: str, **changes: object
) -> PrincipalRecord:
    found = await find_principal(database, context.id, principal_id)
    check_mutable(found.id)

    def change(row: PrincipalRow) -> PrincipalRow:
        return replace(row, **changes)  # type: ignore[arg-type]

    row = await PrincipalTable(database).change_principal(context.id, found.id, change)
    if row is None:
        raise no_principal(principal_id)
    return format_record(row)

"""The keys of the control plane: list, create, rotate, revoke, while the server runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import Operator
from spectronctl.server.database.errors import LastError
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.pages import DEFAULT_LIMIT, Cursor, Limit, check_cursor, load_page
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import ProblemError, conflict, not_found
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.http.visits import get_visit
from spectronctl.server.keys.management_schemas import (
    ManagementKeyBody,
    ManagementKeyPage,
    MintedManagementKeyResponse,
    format_management_key,
    format_minted_management_key,
)
from spectronctl.server.registry.bootstrap import create_management_key, rotate_management_key
from spectronctl.server.registry.credentials import MANAGEMENT_KEY_ID
from spectronctl.server.registry.keys import ManagementKeyTable
from spectronctl.server.registry.rows import ManagementKeyRow

router = APIRouter(
    prefix=PREFIX + "/management-keys",
    tags=["keys"],
    dependencies=[Operator],
    responses=describe_problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)

Force = Annotated[bool, Query(description="Revoke it even if no other management key is left")]


@router.get("", responses=describe_problems(HTTPStatus.BAD_REQUEST))
async def list_keys(
    database: CurrentDatabase, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> ManagementKeyPage:
    """List the management keys, ordered by id; never a secret."""
    check_cursor(cursor, MANAGEMENT_KEY_ID)

    async def list_after(after: str, limit: int) -> list[ManagementKeyRow]:
        return await ManagementKeyTable(database).list_management_keys(after=after, limit=limit)

    keys, next_cursor = await load_page(list_after, format_management_key, cursor or "", limit)
    return ManagementKeyPage(keys=keys, next_cursor=next_cursor, has_more=next_cursor is not None)


@router.post(
    "",
    name="create_management_key",
    status_code=HTTPStatus.CREATED,
    responses=describe_problems(HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT),
)
async def create_key(
    request: Request,
    body: Annotated[ManagementKeyBody, Depends(body_of(ManagementKeyBody))],
    database: CurrentDatabase,
) -> MintedManagementKeyResponse:
    """Create a management key. Only this response holds its secret."""
    made = await create_management_key(database, body.name)
    get_visit(request.scope).objects["management_key_id"] = made[0].id
    return format_minted_management_key(*made)


@router.post(
    "/{management_key_id}/rotate",
    name="rotate_management_key",
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def rotate_key(
    management_key_id: str, database: CurrentDatabase
) -> MintedManagementKeyResponse:
    """Give a management key a new secret; the old one stops at once. Only this response holds the new one."""
    # What cannot be an id is not there: no query is made of it.
    rotated = (
        await rotate_management_key(database, management_key_id)
        if MANAGEMENT_KEY_ID.fullmatch(management_key_id)
        else None
    )
    if rotated is None:
        raise _no_key(management_key_id)
    return format_minted_management_key(*rotated)


@router.delete(
    "/{management_key_id}",
    name="delete_management_key",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=describe_problems(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete_key(
    management_key_id: str, database: CurrentDatabase, force: Force = False
) -> None:
    """Revoke a management key at once, but not the last one without `force`."""
    if not MANAGEMENT_KEY_ID.fullmatch(management_key_id):
        raise _no_key(management_key_id)
    table = ManagementKeyTable(database)
    try:
        if not await table.delete_management_key(management_key_id, spare_last=not force):
            raise _no_key(management_key_id)
    except LastError:
        raise conflict(
            "this is the last management key: create another one first, or pass force=true; "
            "without any, a new one can only be made where the store is at hand"
        ) from None


def _no_key(key_id: str) -> ProblemError:
    return not_found(f"no management key {key_id[:64]}")

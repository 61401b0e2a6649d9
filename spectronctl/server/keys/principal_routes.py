"""Keys that an operator makes for a principal: by its id, or as a token for the external id of another system."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from spectronctl.ground.text import has_unprintable
from spectronctl.server.access.authentication import CurrentDatabase, HashKey
from spectronctl.server.access.contexts import CurrentContext
from spectronctl.server.access.gates import Operator
from spectronctl.server.access.grants import make_rights
from spectronctl.server.database.database import Database
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import forbidden, invalid, not_found
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.keys.minting import mint_key
from spectronctl.server.keys.schemas import (
    MAX_LIFE,
    AccessTokenBody,
    MintedKeyResponse,
    PrincipalKeyBody,
    format_minted_key,
)
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.principals import (
    SYSTEM,
    PrincipalTable,
    new_principal_id,
    parse_principal_id,
)
from spectronctl.server.registry.rows import ContextRow, Grants, PrincipalRow

router = APIRouter(
    prefix=PREFIX + "/contexts/{context_id}",
    tags=["keys"],
    dependencies=[Operator],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
    ),
)

_Seconds = Annotated[
    int | None,
    Query(ge=1, le=int(MAX_LIFE.total_seconds()), description="Until the key expires"),
]
_KeyName = Annotated[str, Path(min_length=1, max_length=128)]


@router.post(
    "/principals/{principal_id}/keys/{key_name}",
    status_code=HTTPStatus.CREATED,
    response_model_exclude_unset=True,
)
async def create_principal_key(
    request: Request,
    principal_id: str,
    key_name: _KeyName,
    body: Annotated[PrincipalKeyBody, Depends(body_of(PrincipalKeyBody, required=False))],
    context: CurrentContext,
    database: CurrentDatabase,
    hash_key: HashKey,
    ttl_seconds: _Seconds = None,
) -> MintedKeyResponse:
    """Create a key of a principal, which may do no more than that. Only this response holds its secret."""
    if has_unprintable(key_name) or not key_name.strip():
        raise invalid("key_name: must be of printable characters only")
    stored = parse_principal_id(principal_id)
    owner = await PrincipalTable(database).get_principal(context.id, stored) if stored else None
    if owner is None:
        raise not_found(f"no principal {principal_id[:64]} in context {context.id}")
    if owner.id == SYSTEM:
        raise forbidden("no key acts for the principal system")
    return await _mint(request, database, hash_key, owner, body.grants, ttl_seconds, name=key_name)


@router.post("/access-tokens", status_code=HTTPStatus.CREATED, response_model_exclude_unset=True)
async def create_access_token(
    request: Request,
    body: Annotated[AccessTokenBody, Depends(body_of(AccessTokenBody))],
    context: CurrentContext,
    database: CurrentDatabase,
    hash_key: HashKey,
) -> MintedKeyResponse:
    """Create a key that expires, for the principal of an external id, which is made if there is none."""
    owner = await _ensure_principal(database, context, body)
    cap = context.config.get("max_token_ttl_seconds")
    seconds = body.ttl_seconds if cap is None else min(body.ttl_seconds, cap)
    return await _mint(request, database, hash_key, owner, body.grants, seconds)


async def _ensure_principal(
    database: Database, context: ContextRow, body: AccessTokenBody
) -> PrincipalRow:
    wanted = PrincipalRow(
        id=new_principal_id(),
        context_id=context.id,
        kind=body.kind,
        display_name=body.display_name or body.external_id,
        external_id=body.external_id,
        grants=body.grants or {},
        created_at=datetime.now(UTC),
    )
    return await PrincipalTable(database).ensure_principal(wanted)


async def _mint(
    request: Request,
    database: Database,
    hash_key: bytes,
    owner: PrincipalRow,
    grants: Grants | None,
    seconds: int | None,
    *,
    name: str | None = None,
) -> MintedKeyResponse:
    if grants is not None and not make_rights(owner.grants).hold_all(make_rights(grants)):
        raise invalid("grants: wider than what the principal may do")
    now = datetime.now(UTC)
    row, secret = mint_key(
        request,
        hash_key,
        owner.context_id,
        name=name,
        principal_id=owner.id,
        grants=grants,
        created_at=now,
        expires_at=None if seconds is None else now + timedelta(seconds=seconds),
    )
    return format_minted_key(await KeyTable(database).create_key(row), secret)

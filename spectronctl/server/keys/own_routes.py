"""Keys of one's own, on the data plane: a caller lists, mints, rotates and deletes the keys of its principal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from spectronctl.server.access.authentication import CurrentDatabase, HashKey
from spectronctl.server.access.caller import Caller, resolve_caller
from spectronctl.server.access.gates import AnyMember, KeyMinter
from spectronctl.server.access.grants import make_rights
from spectronctl.server.database.errors import TakenError
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.pages import walk_rows
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import ProblemError, conflict, forbidden, invalid, not_found
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.keys.minting import mint_key
from spectronctl.server.keys.own_schemas import (
    MintBody,
    MintedOwnKeyResponse,
    OwnKeyResponse,
    format_minted_own_key,
    format_own_key,
)
from spectronctl.server.keys.schemas import MAX_LIFE
from spectronctl.server.registry.credentials import (
    digest_secret,
    mint_secret,
)
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.rows import KeyRow

router = APIRouter(
    prefix=PREFIX + "/{context_id}/keys",
    tags=["identity"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)

_Seconds = Annotated[
    int | None,
    Query(
        ge=1,
        le=int(MAX_LIFE.total_seconds()),
        description="Until the key expires; the context may cap it",
    ),
]


async def read_ttl(
    ttl_seconds: Annotated[_Seconds, Query(alias="ttlSeconds")] = None,
    legacy: Annotated[
        _Seconds, Query(alias="ttl_seconds", description="Another name of `ttlSeconds`")
    ] = None,
) -> int | None:
    """Seconds, under either name; 400 for two that differ."""
    if None not in (ttl_seconds, legacy) and ttl_seconds != legacy:
        raise invalid("ttlSeconds, ttl_seconds: give one of them, not both")
    return legacy if ttl_seconds is None else ttl_seconds


Ttl = Annotated[int | None, Depends(read_ttl)]


@router.get("", response_model_exclude_none=True)
async def list_own_keys(caller: AnyMember, database: CurrentDatabase) -> list[OwnKeyResponse]:
    """List the keys of the caller's principal, or all of the context with grant:manage over it; never a secret."""
    caller.require_own_keys()
    is_manager = caller.rights.hold("grant:manage", "/*")
    owner = None if is_manager else caller.owner.id

    async def list_after(after: str, limit: int) -> list[KeyRow]:
        return await KeyTable(database).list_keys(
            caller.context.id, after=after, limit=limit, principal_id=owner
        )

    return [format_own_key(row) async for row in walk_rows(list_after)]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model_exclude_none=True,
    responses=describe_problems(HTTPStatus.CONFLICT),
)
async def mint_own_key(
    request: Request,
    caller: KeyMinter,
    body: Annotated[MintBody, Depends(body_of(MintBody, required=False))],
    ttl: Ttl,
    database: CurrentDatabase,
    hash_key: HashKey,
) -> MintedOwnKeyResponse:
    """Mint a key for the caller's principal, which may do no more than the caller. Only this response holds it."""
    own = caller.key
    assert own is not None
    if body.grants == {}:
        raise invalid("grants: must hold a verb; leave it out for all that this key may do")
    if body.grants is not None and not caller.rights.hold_all(make_rights(body.grants)):
        raise invalid("grants: wider than what this key may do")
    now = datetime.now(UTC)
    row, secret = mint_key(
        request,
        hash_key,
        caller.context.id,
        name=body.name,
        principal=own.principal,
        principal_id=caller.owner.id,
        # What limits the caller's key limits this one, too, whatever its principal is granted later.
        scope_floor=own.scope_floor,
        grants=own.grants if body.grants is None else body.grants,
        created_at=now,
        expires_at=_find_expiry(caller, ttl, now),
    )
    try:
        return format_minted_own_key(await KeyTable(database).create_key(row), secret)
    except TakenError:
        # Not its own words: they name the key of another principal.
        raise conflict("name: another key of this context has that name") from None


@router.post(
    "/{key_name}/rotate",
    response_model_exclude_none=True,
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def rotate_own_key(
    caller: KeyMinter, key_name: str, ttl: Ttl, database: CurrentDatabase, hash_key: HashKey
) -> MintedOwnKeyResponse:
    """Give one of the caller's keys a new secret; the old one stops at once. Without `ttlSeconds` its expiry stays."""
    found = await _find(caller, key_name, database)
    if not caller.rights.hold_all(resolve_caller(caller.context, found, caller.owner).rights):
        # Else a narrow key would hand out the secret of a wide one.
        raise forbidden("that key may do more than this one")
    secret = mint_secret(found.id, caller.context.id)
    expires_at = found.expires_at if ttl is None else _find_expiry(caller, ttl, datetime.now(UTC))
    digest = digest_secret(hash_key, secret)
    row = await KeyTable(database).rotate_key_until(caller.context.id, found.id, digest, expires_at)
    if row is None:
        raise _no_key(key_name)
    return format_minted_own_key(row, secret)


@router.delete(
    "/{key_name}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def delete_own_key(caller: KeyMinter, key_name: str, database: CurrentDatabase) -> None:
    """Delete one of the caller's keys at once."""
    found = await _find(caller, key_name, database)
    if not await KeyTable(database).delete_key(caller.context.id, found.id):
        raise _no_key(key_name)


async def _find(caller: Caller, name: str, database: CurrentDatabase) -> KeyRow:
    """The key of that name; 404 for one of another principal as for none."""
    found = await KeyTable(database).find_named(caller.context.id, name)
    if found is None or found.principal_id != caller.owner.id:
        raise _no_key(name)
    return found


def _find_expiry(caller: Caller, ttl: int | None, now: datetime) -> datetime | None:
    cap = caller.context.config.get("max_token_ttl_seconds")
    seconds = min((each for each in (ttl, cap) if each is not None), default=None)
    return None if seconds is None else now + timedelta(seconds=seconds)


def _no_key(name: str) -> ProblemError:
    return not_found(f"no key {name[:64]} of this principal")

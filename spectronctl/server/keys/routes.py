"""The keys of a context: list, create, rotate, revoke."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from spectronctl.server.access.authentication import CurrentDatabase, HashKey
from spectronctl.server.access.contexts import CurrentContext
from spectronctl.server.access.gates import Operator
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.pages import DEFAULT_LIMIT, Cursor, Limit, check_cursor, load_page
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import ProblemError, not_found
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.keys.minting import mint_key
from spectronctl.server.keys.schemas import (
    KeyBody,
    KeyPage,
    MintedKeyResponse,
    format_key,
    format_minted_key,
)
from spectronctl.server.registry.credentials import (
    KEY_ID,
    digest_secret,
    mint_secret,
)
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.rows import KeyRow

router = APIRouter(
    prefix=PREFIX + "/contexts/{context_id}/keys",
    tags=["keys"],
    dependencies=[Operator],
    responses=describe_problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
    ),
)


@router.get(
    "", responses=describe_problems(HTTPStatus.BAD_REQUEST), response_model_exclude_unset=True
)
async def list_keys(
    context: CurrentContext,
    database: CurrentDatabase,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> KeyPage:
    """List a context's keys, ordered by id; never a secret."""
    check_cursor(cursor, KEY_ID)

    async def list_after(after: str, limit: int) -> list[KeyRow]:
        return await KeyTable(database).list_keys(context.id, after=after, limit=limit)

    keys, next_cursor = await load_page(list_after, format_key, cursor or "", limit)
    return KeyPage(keys=keys, next_cursor=next_cursor, has_more=next_cursor is not None)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=describe_problems(HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT),
    response_model_exclude_unset=True,
)
async def create_key(
    request: Request,
    body: Annotated[KeyBody, Depends(body_of(KeyBody))],
    context: CurrentContext,
    database: CurrentDatabase,
    hash_key: HashKey,
) -> MintedKeyResponse:
    """Create a key. Only this response holds its secret."""
    now = datetime.now(UTC)
    row, secret = mint_key(
        request,
        hash_key,
        context.id,
        name=body.name,
        principal=body.principal,
        principal_id=body.principal_id,
        scope_floor=body.scope_floor,
        grants=body.grants,
        created_at=now,
        expires_at=body.find_expiry(now),
    )
    return format_minted_key(await KeyTable(database).create_key(row), secret)


@router.post("/{key_id}/rotate", response_model_exclude_unset=True)
async def rotate_key(
    context_id: str, key_id: str, database: CurrentDatabase, hash_key: HashKey
) -> MintedKeyResponse:
    """Give a key a new secret; the old one stops at once. Only this response holds the new one."""
    # What cannot be an id is not there: no query is made of it.
    if not KEY_ID.fullmatch(key_id):
        raise _no_key(context_id, key_id)
    secret = mint_secret(key_id, context_id)
    digest = digest_secret(hash_key, secret)
    row = await KeyTable(database).rotate_key(context_id, key_id, digest)
    if row is None:
        raise _no_key(context_id, key_id)
    return format_minted_key(row, secret)


@router.delete("/{key_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
async def delete_key(context_id: str, key_id: str, database: CurrentDatabase) -> None:
    """Revoke a key at once."""
    if not KEY_ID.fullmatch(key_id) or not await KeyTable(database).delete_key(context_id, key_id):
        raise _no_key(context_id, key_id)


def _no_key(context_id: str, key_id: str) -> ProblemError:
    # Cut: a path may be kilobytes long, and the message would repeat it twice.
    return not_found(f"no key {key_id[:64]} in context {context_id[:64]}")

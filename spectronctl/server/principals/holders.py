"""Who may do something at a scope: the question of an auditor, answered from the grants and the keys as they are."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.caller import resolve_caller
from spectronctl.server.access.contexts import CurrentContext
from spectronctl.server.access.gates import Operator
from spectronctl.server.access.grants import make_rights
from spectronctl.server.access.patterns import parse_verb
from spectronctl.server.access.scopes import parse_scope_path
from spectronctl.server.database.database import Database
from spectronctl.server.http.pages import walk_rows
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import invalid
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.keys.schemas import KeyResponse, format_key
from spectronctl.server.principals.schemas import PrincipalRecord, format_record
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.principals import PrincipalTable
from spectronctl.server.registry.rows import ContextRow, KeyRow, PrincipalRow, is_expired

router = APIRouter(
    prefix=PREFIX + "/contexts/{context_id}/whocan",
    tags=["principals"],
    dependencies=[Operator],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
    ),
)


class HolderResponse(PrincipalRecord):
    """A principal that holds the verb there, and those of its keys that leave it."""

    keys: list[KeyResponse]


class HoldersResponse(BaseModel):
    """Who holds a verb at a path."""

    verb: str
    path: str
    principals: list[HolderResponse]


@router.get("", response_model_exclude_unset=True)
async def list_holders(
    context: CurrentContext,
    database: CurrentDatabase,
    verb: Annotated[str, Query(description=f"One of {', '.join(VERBS)}")],
    path: Annotated[str, Query(description="A scope such as org/acme; / is the whole context")],
) -> HoldersResponse:
    """List the principals that hold a verb at a scope, each with those of its keys that do."""
    wanted = _parse_verb(verb)
    pattern = "/*" if path in {"/", "/*", "*"} else parse_scope_path(path, "path")
    keys = await _collect_keys(database, context)

    async def list_owners(after: str, limit: int) -> list[PrincipalRow]:
        return await PrincipalTable(database).list_principals(context.id, after=after, limit=limit)

    holders = [
        HolderResponse(
            **format_record(owner).model_dump(),
            keys=[
                format_key(key)
                for key in keys.get(owner.id, ())
                if resolve_caller(context, key, owner).rights.hold(wanted, pattern)
            ],
        )
        async for owner in walk_rows(list_owners)
        if make_rights(owner.grants).hold(wanted, pattern)
    ]
    return HoldersResponse(verb=wanted, path=path, principals=holders)


async def _collect_keys(database: Database, context: ContextRow) -> dict[str, list[KeyRow]]:
    """The keys that have not expired, by their principals."""

    async def list_after(after: str, limit: int) -> list[KeyRow]:
        return await KeyTable(database).list_keys(context.id, after=after, limit=limit)

    found: dict[str, list[KeyRow]] = {}
    async for key in walk_rows(list_after):
        if not is_expired(key):
            found.setdefault(str(key.principal_id), []).append(key)
    return found


def _parse_verb(text: str) -> str:
    try:
        return parse_verb(text)
    except ValueError as error:
        raise invalid(f"verb: {error}") from None

"""Contexts: create, list, show, change, delete."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from spectronctl.ground.vocabulary import CONTEXT_ID
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.contexts import CurrentContext, no_context
from spectronctl.server.access.gates import Operator
from spectronctl.server.contexts.schemas import (
    Config,
    ContextBody,
    ContextPage,
    ContextPatchBody,
    ContextResponse,
    check_context_id,
    format_context,
)
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.pages import DEFAULT_LIMIT, Cursor, Limit, check_cursor, load_page
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow

router = APIRouter(
    prefix=PREFIX + "/contexts",
    tags=["contexts"],
    dependencies=[Operator],
    responses=describe_problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)


@router.get(
    "", response_model_exclude_unset=True, responses=describe_problems(HTTPStatus.BAD_REQUEST)
)
async def list_contexts(
    database: CurrentDatabase, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> ContextPage:
    """List the contexts, ordered by id."""
    check_cursor(cursor, CONTEXT_ID)

    async def list_after(after: str, limit: int) -> list[ContextRow]:
        return await ContextTable(database).list_contexts(after=after, limit=limit)

    contexts, next_cursor = await load_page(list_after, format_context, cursor or "", limit)
    return ContextPage(contexts=contexts, next_cursor=next_cursor, has_more=next_cursor is not None)


@router.post(
    "/{context_id}",
    status_code=HTTPStatus.CREATED,
    response_model_exclude_unset=True,
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
async def create_context(
    context_id: str,
    body: Annotated[ContextBody, Depends(body_of(ContextBody))],
    database: CurrentDatabase,
) -> ContextResponse:
    """Create a context: its database, at this server's schema, and its entry in the registry."""
    check_context_id(context_id)
    config = body.config or Config()
    row = ContextRow(
        id=context_id,
        config=config.settings,
        created_at=datetime.now(UTC),
        **body.model_dump(exclude={"config"}),
    )
    given = config.providers or {}
    # A null takes a secret away, and a new context has none.
    providers = {name: secret for name, secret in given.items() if secret is not None}
    return format_context(await Provisioning(database).create_context(row, providers=providers))


@router.get(
    "/{context_id}",
    response_model_exclude_unset=True,
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def get_context(context: CurrentContext) -> ContextResponse:
    """Show a context."""
    return format_context(context)


@router.patch(
    "/{context_id}",
    response_model_exclude_unset=True,
    responses=describe_problems(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND),
)
async def update_context(
    body: Annotated[ContextPatchBody, Depends(body_of(ContextPatchBody))],
    context: CurrentContext,
    database: CurrentDatabase,
) -> ContextResponse:
    """Merge into a context's configuration, deeply; a null clears the field."""
    providers = body.config.providers
    if providers is None:  # all of them are to be forgotten
        providers = dict.fromkeys(context.providers)
    row = await ContextTable(database).update_context(
        context.id,
        config=body.config.settings,
        providers=providers,
        settings=body.settings,
    )
    if row is None:
        raise no_context(context.id)
    return format_context(row)


@router.delete(
    "/{context_id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=describe_problems(HTTPStatus.NOT_FOUND),
)
async def delete_context(context_id: str, database: CurrentDatabase) -> None:
    """Drop a context's database, its keys and its registry entry. Irreversible."""
    if not await Provisioning(database).delete_context(context_id):
        raise no_context(context_id)

"""Upkeep of a context by whoever may forget (OpenAPI `decay_importance`, `expire_context`, `fsck`)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends

from spectronctl.server.access.authentication import (
    CANNOT_FORGET,
    ContextCaller,
    CurrentDatabase,
    Member,
)
from spectronctl.server.access.delegation import Delegate
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import forbidden
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.memory.fsck import Wanted, check_memories
from spectronctl.server.memory.schemas import (
    CHECKS,
    DEFAULT_FINDINGS,
    FsckBody,
    FsckResponse,
    UpkeepResponse,
)
from spectronctl.server.memory.upkeep import decay, expire

router = APIRouter(
    prefix=PREFIX + "/{context_id}",
    tags=["lifecycle"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)


async def _require_forget(caller: Member) -> ContextCaller:
    if not caller.may("memory:forget"):
        raise forbidden(CANNOT_FORGET)
    return caller


Forgetter = Annotated[ContextCaller, Depends(_require_forget)]


@router.post("/lifecycle/decay")
async def decay_memories(
    caller: Forgetter, _: Delegate, database: CurrentDatabase
) -> UpkeepResponse:
    """Take out the memories whose time is over, where the key may write, and outdated vectors of its queries."""
    done = await decay(database, caller.context, caller.region)
    return UpkeepResponse(affected=done.affected)


@router.post("/lifecycle/expire")
async def expire_memories(
    caller: Forgetter, _: Delegate, database: CurrentDatabase
) -> UpkeepResponse:
    """Take out the memories whose time is over, where the key may write."""
    return UpkeepResponse(affected=await expire(database, caller.context, caller.region))


@router.get("/lifecycle/expire")
async def preview_expiry(
    caller: Forgetter, _: Delegate, database: CurrentDatabase
) -> UpkeepResponse:
    """Count the memories that a POST would take out now."""
    count = await expire(database, caller.context, caller.region, dry_run=True)
    return UpkeepResponse(affected=count)


@router.post("/fsck")
async def fsck(
    caller: Member,
    _: Delegate,
    body: Annotated[FsckBody, Depends(body_of(FsckBody, required=False))],
    database: CurrentDatabase,
) -> FsckResponse:
    """Look for what is wrong with the memories that the key may read; nothing is changed."""
    wanted = Wanted(
        checks=(body.check,) if body.check else CHECKS,
        threshold=1.0 if body.duplicate_threshold is None else body.duplicate_threshold,
        most=body.max_results or DEFAULT_FINDINGS,
    )
    return await check_memories(database, caller.context, caller.region, wanted)

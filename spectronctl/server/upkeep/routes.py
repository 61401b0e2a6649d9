"""Upkeep of a context by the keys that may forget."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import Forgetter, Reader
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.upkeep.decay import decay, expire
from spectronctl.server.upkeep.fsck import Wanted, check_memories
from spectronctl.server.upkeep.schemas import (
    CHECKS,
    DEFAULT_FINDINGS,
    FsckBody,
    FsckResponse,
    UpkeepResponse,
)

router = APIRouter(
    prefix=PREFIX + "/{context_id}",
    tags=["lifecycle"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)


@router.post("/lifecycle/decay")
async def decay_memories(caller: Forgetter, database: CurrentDatabase) -> UpkeepResponse:
    """Take out the memories whose time is over, where the key may write, and outdated vectors of its queries."""
    done = await decay(database, caller.context, caller.region("memory:forget"))
    return UpkeepResponse(affected=done.affected)


@router.post("/lifecycle/expire")
async def expire_memories(caller: Forgetter, database: CurrentDatabase) -> UpkeepResponse:
    """Take out the memories whose time is over, where the key may write."""
    count = await expire(database, caller.context, caller.region("memory:forget"))
    return UpkeepResponse(affected=count)


@router.get("/lifecycle/expire")
async def preview_expiry(caller: Forgetter, database: CurrentDatabase) -> UpkeepResponse:
    """Count the memories that a POST would take out now."""
    count = await expire(database, caller.context, caller.region("memory:forget"), dry_run=True)
    return UpkeepResponse(affected=count)


@router.post("/fsck")
async def fsck(
    caller: Reader,
    body: Annotated[FsckBody, Depends(body_of(FsckBody, required=False))],
    database: CurrentDatabase,
) -> FsckResponse:
    """Look for what is wrong with the memories that the key may read; nothing is changed."""
    region = caller.region("memory:read")
    wanted = Wanted(
        checks=(body.check,) if body.check else CHECKS,
        threshold=1.0 if body.duplicate_threshold is None else body.duplicate_threshold,
        most=body.max_results or DEFAULT_FINDINGS,
    )
    return await check_memories(database, caller.context, region, wanted)

"""Upkeep of a context by the keys that may forget (OpenAPI `decay_importance`, `expire_context`, `fsck`)."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import Forgetter, Reader
from spectronctl.server.http.bodies import OptionalJsonObject, describe_body
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.memory.fsck import FsckBody, check_memories, read_fsck
from spectronctl.server.memory.schemas import FsckAnswer, UpkeepAnswer
from spectronctl.server.memory.upkeep import decay, expire

router = APIRouter(
    prefix=PREFIX + "/{context_id}",
    tags=["lifecycle"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
    ),
)


@router.post("/lifecycle/decay")
async def decay_memories(caller: Forgetter, database: CurrentDatabase) -> UpkeepAnswer:
    """Take out the memories whose time is over, where the key may write, and outdated vectors of its queries."""
    done = await decay(database, caller.context, caller.region("memory:forget"))
    return UpkeepAnswer(affected=done.affected)


@router.post("/lifecycle/expire")
async def expire_memories(caller: Forgetter, database: CurrentDatabase) -> UpkeepAnswer:
    """Take out the memories whose time is over, where the key may write."""
    return UpkeepAnswer(
        affected=await expire(database, caller.context, caller.region("memory:forget"))
    )


@router.get("/lifecycle/expire")
async def preview_expiry(caller: Forgetter, database: CurrentDatabase) -> UpkeepAnswer:
    """Count the memories that a POST would take out now."""
    count = await expire(database, caller.context, caller.region("memory:forget"), dry_run=True)
    return UpkeepAnswer(affected=count)


@router.post("/fsck", openapi_extra=describe_body(FsckBody, required=False))
async def fsck(caller: Reader, body: OptionalJsonObject, database: CurrentDatabase) -> FsckAnswer:
    """Look for what is wrong with the memories that the key may read; nothing is changed."""
    region = caller.region("memory:read")
    return await check_memories(database, caller.context, region, read_fsck(body))

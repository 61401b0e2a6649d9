"""Upkeep of a context's memories by its operator."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends
from starlette.responses import Response

from spectronctl.server.access.authentication import CurrentDatabase, require_operator
from spectronctl.server.access.contexts import find_context
from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import unusable
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.jobs.schemas import StartedJob
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.memory.embedders import CurrentEmbedders
from spectronctl.server.memory.embedding import UnusableEmbedderError
from spectronctl.server.memory.schemas import DecayResponse
from spectronctl.server.memory.upkeep import decay

router = APIRouter(
    prefix=PREFIX + "/contexts/{context_id}/lifecycle",
    tags=["lifecycle"],
    dependencies=[Depends(require_operator)],
    responses=describe_problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
    ),
)


@router.post("/decay")
async def decay_memories(context_id: str, database: CurrentDatabase) -> DecayResponse:
    """Take out the memories whose time is over, and the outdated vectors of queries."""
    return await decay(database, await find_context(database, context_id), WHOLE)


@router.post(
    "/reindex",
    status_code=HTTPStatus.ACCEPTED,
    responses=describe_problems(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def start_reindex(
    context_id: str, response: Response, database: CurrentDatabase, embedders: CurrentEmbedders
) -> StartedJob:
    """Queue a job that embeds every memory with the configured model and indexes it anew."""
    context = await find_context(database, context_id)
    try:
        embedder = await embedders.find(context)
    except UnusableEmbedderError as error:
        raise unusable(str(error)) from error
    job = await JobTable(database).create_job(context, kind="reindex", embedder=embedder.name)
    response.headers["Location"] = f"{PREFIX}/contexts/{context_id}/lifecycle/jobs/{job.id}"
    return StartedJob(job_id=job.id, status="queued")

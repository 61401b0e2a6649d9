"""Upkeep of a context's memories by its operator."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.contexts import CurrentContext
from spectronctl.server.access.gates import Operator
from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import unusable
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.http.visits import get_visit
from spectronctl.server.index.embedders import CurrentEmbedders
from spectronctl.server.index.reindex import REINDEX
from spectronctl.server.jobs.schemas import StartedJob
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.providers.errors import UnusableProviderError
from spectronctl.server.upkeep.decay import decay
from spectronctl.server.upkeep.schemas import DecayResponse

router = APIRouter(
    prefix=PREFIX + "/contexts/{context_id}/lifecycle",
    tags=["lifecycle"],
    dependencies=[Operator],
    responses=describe_problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
    ),
)


@router.post("/decay")
async def decay_memories(context: CurrentContext, database: CurrentDatabase) -> DecayResponse:
    """Take out the memories whose time is over, and the outdated vectors of queries."""
    return await decay(database, context, WHOLE)


@router.post(
    "/reindex",
    status_code=HTTPStatus.ACCEPTED,
    responses=describe_problems(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def start_reindex(
    request: Request,
    context: CurrentContext,
    response: Response,
    database: CurrentDatabase,
    embedders: CurrentEmbedders,
) -> StartedJob:
    """Queue a job that embeds every memory with the configured model and indexes it anew."""
    try:
        embedder = await embedders.find(context)
    except UnusableProviderError as error:
        raise unusable(str(error)) from error
    job = await JobTable(database).create_job(
        context, kind=REINDEX, payload={"embedder": embedder.name}
    )
    get_visit(request.scope).objects["job_id"] = job.id
    response.headers["Location"] = f"{PREFIX}/contexts/{context.id}/lifecycle/jobs/{job.id}"
    return StartedJob(job_id=job.id, status="queued")

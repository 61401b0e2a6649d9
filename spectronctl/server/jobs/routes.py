"""The jobs of a context: list, show, cancel."""

from __future__ import annotations

import re
from http import HTTPStatus

from fastapi import APIRouter

from spectronctl.ground.ulids import ULID_PATTERN
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.contexts import CurrentContext
from spectronctl.server.access.gates import Operator
from spectronctl.server.http.pages import DEFAULT_LIMIT, Cursor, Limit, check_cursor, load_page
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import ProblemError, conflict, not_found
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.jobs.rows import JobRow
from spectronctl.server.jobs.schemas import JobPage, JobResponse, format_job
from spectronctl.server.jobs.table import JobTable

JOB_ID = re.compile(f"job_{ULID_PATTERN}")

router = APIRouter(
    prefix=PREFIX + "/contexts/{context_id}/lifecycle",
    tags=["lifecycle"],
    dependencies=[Operator],
    responses=describe_problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
    ),
)


@router.get("/jobs", responses=describe_problems(HTTPStatus.BAD_REQUEST))
async def list_jobs(
    context: CurrentContext,
    database: CurrentDatabase,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> JobPage:
    """List a context's jobs, ordered by id: the oldest first. They are kept for 30 days."""
    check_cursor(cursor, JOB_ID)

    async def list_after(after: str, limit: int) -> list[JobRow]:
        return await JobTable(database).list_jobs(context.id, after=after, limit=limit)

    jobs, next_cursor = await load_page(list_after, format_job, cursor or "", limit)
    return JobPage(jobs=jobs, next_cursor=next_cursor, has_more=next_cursor is not None)


@router.get("/jobs/{job_id}")
async def get_job(context_id: str, job_id: str, database: CurrentDatabase) -> JobResponse:
    """Show a job."""
    row = await JobTable(database).get_job(context_id, job_id) if JOB_ID.fullmatch(job_id) else None
    if row is None:
        raise _no_job(context_id, job_id)
    return format_job(row)


@router.delete("/jobs/{job_id}", responses=describe_problems(HTTPStatus.CONFLICT))
async def cancel_job(context_id: str, job_id: str, database: CurrentDatabase) -> JobResponse:
    """Cancel a job: at once while it is queued, between two batches while it runs."""
    row = (
        await JobTable(database).cancel_job(context_id, job_id)
        if JOB_ID.fullmatch(job_id)
        else None
    )
    if row is None:
        raise _no_job(context_id, job_id)
    if row.status in ("succeeded", "failed"):
        raise conflict(f"job {job_id} has {row.status} already")
    return format_job(row)


def _no_job(context_id: str, job_id: str) -> ProblemError:
    return not_found(f"no job {job_id[:64]} in context {context_id[:64]}")

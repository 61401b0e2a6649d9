"""Jobs, as responses show them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from spectronctl.ground.vocabulary import JobStatus
from spectronctl.server.jobs.rows import JobRow


class JobProgress(BaseModel):
    """How far a job is; `total` is null until it is counted."""

    done: int
    total: int | None


class JobResponse(BaseModel):
    """Work that takes longer than a request."""

    id: str
    kind: str
    status: JobStatus
    progress: JobProgress
    error: str | None
    cancel_requested: bool
    embedder: str | None = Field(
        description="`provider/model` of a reindex, as the config said when the job was made"
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobPage(BaseModel):
    """Jobs in the order of their ids: the oldest first."""

    jobs: list[JobResponse]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


class StartedJob(BaseModel):
    """A job that was just queued; its address is in the `Location` header."""

    job_id: str
    status: JobStatus


def format_job(row: JobRow) -> JobResponse:
    """A job as a response shows it."""
    return JobResponse(
        id=row.id,
        kind=row.kind,
        status=row.status,  # type: ignore[arg-type]
        progress=JobProgress(done=row.done, total=row.total),
        error=row.error,
        cancel_requested=row.cancel_requested,
        embedder=row.payload.get("embedder"),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )

"""Upkeep of a context's memory, and the jobs that it takes."""

from __future__ import annotations

from pydantic import Field

from spectronctl.ground.vocabulary import JOB_STATES
from spectronctl.models._base import Model

REINDEX = "reindex"
"""The kind of job that embeds every chunk again."""


class Decay(Model):
    """Response of `POST /contexts/{id}/lifecycle/decay`: rows that are gone, and of which kinds."""

    affected: int
    expired_memories: int | None = None
    pruned_cache_entries: int | None = None


class Expiry(Model):
    """Response of `POST /{context}/lifecycle/expire`: memories that are past their time."""

    affected: int


class JobProgress(Model):
    """How many things a job has done, of how many; None while that is not known."""

    done: int = 0
    total: int | None = None


class Job(Model):
    """Work that takes longer than a request. `status` is one of `JOB_STATES`; times are RFC 3339."""

    id: str
    status: str
    kind: str | None = None
    progress: JobProgress = Field(default_factory=JobProgress)
    error: str | None = None
    cancel_requested: bool = False
    embedder: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in JOB_STATES[2:]


class StartedJob(Model):
    """Response of `POST /contexts/{id}/lifecycle/reindex`."""

    job_id: str
    status: str = JOB_STATES[0]


class Duplicate(Model):
    """Two entities that look like one; `similarity` is between 0 and 1."""

    entity_a: str
    entity_b: str
    similarity: float


class Contradiction(Model):
    """Several values where an entity should have one."""

    entity: str
    key: str
    values: list[str]


class Injection(Model):
    """Stored text that speaks to a model instead of telling it something."""

    row_id: str
    kind: str
    snippet: str


class UnscopedContent(Model):
    """Rows of a table that no scope guards."""

    table: str
    count: int
    sample_ids: list[str] = Field(default_factory=list)


class BrokenReference(Model):
    """A row whose `field` leads to a `target` that is not there."""

    row_id: str
    field: str
    target: str


class FsckReport(Model):
    """Response of `POST /{context}/fsck`; `total` counts the findings of all kinds."""

    duplicates: list[Duplicate] = Field(default_factory=list)
    contradictions: list[Contradiction] = Field(default_factory=list)
    injection: list[Injection] = Field(default_factory=list)
    unscoped_content: list[UnscopedContent] = Field(default_factory=list)
    broken_references: list[BrokenReference] = Field(default_factory=list)
    total: int

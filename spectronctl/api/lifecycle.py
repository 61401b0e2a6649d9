"""Upkeep of a context's memory, and its jobs. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request, path
from spectronctl.models.lifecycle import Decay, Expiry, FsckReport, Job, StartedJob


def decay_context(context_id: str) -> Request[Decay]:
    """Expire memories that are past their time, and prune cache entries that are past theirs."""
    return Request("POST", path("/contexts/{id}/lifecycle/decay", id=context_id), Decay)


def reindex_context(context_id: str) -> Request[StartedJob]:
    """Start to embed every chunk again; 409 while that is under way, 422 when the embedder cannot be used."""
    return Request("POST", path("/contexts/{id}/lifecycle/reindex", id=context_id), StartedJob)


def list_jobs(context_id: str, *, limit: int = PAGE_SIZE) -> Request[Page[Job]]:
    """One page of at most `limit` jobs (1 to 500), the oldest first."""
    return Request("GET", _jobs(context_id), Page[Job], params={"limit": limit})


def get_job(context_id: str, job_id: str) -> Request[Job]:
    """One job; 404 when the context has none of that id."""
    return Request("GET", _jobs(context_id, job_id), Job)


def cancel_job(context_id: str, job_id: str) -> Request[Job]:
    """Cancel a job: a queued one at once, a running one between two batches; 409 when it is over otherwise."""
    return Request("DELETE", _jobs(context_id, job_id), Job)


def expire_memories(context_id: str) -> Request[Expiry]:
    """Expire memories that are past their time, by their category."""
    return Request("POST", path("/{id}/lifecycle/expire", id=context_id), Expiry)


def preview_expiry(context_id: str) -> Request[Expiry]:
    """What `expire_memories` would do; changes nothing. 404 or 405 on servers without it."""
    return Request("GET", path("/{id}/lifecycle/expire", id=context_id), Expiry)


def check_memory(
    context_id: str,
    *,
    check: str | None = None,
    duplicate_threshold: float | None = None,
    max_results: int | None = None,
) -> Request[FsckReport]:
    """
    Look for what should not be in a context's memory; all there is to look for, unless `check` names one thing.

    `duplicate_threshold` is the least similarity, between 0 and 1; `max_results` bounds the findings of each kind.
    """
    body = {
        "check": check,
        # The data plane documents camelCase, the management plane snake_case.
        "duplicateThreshold": duplicate_threshold,
        "maxResults": max_results,
    }
    sent = {name: value for name, value in body.items() if value is not None}
    return Request("POST", path("/{id}/fsck", id=context_id), FsckReport, json=sent)


def _jobs(context_id: str, job_id: str | None = None) -> str:
    if job_id is None:
        return path("/contexts/{id}/lifecycle/jobs", id=context_id)
    return path("/contexts/{id}/lifecycle/jobs/{job_id}", id=context_id, job_id=job_id)

"""Jobs: started once whatever becomes of the response, watched until they are over, cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from spectronctl.api import lifecycle as api
from spectronctl.client import Client, Polling
from spectronctl.errors import ConflictError, RequestError, SpectronctlError, WaitTimeoutError
from spectronctl.ground.times import parse_time
from spectronctl.models.lifecycle import REINDEX, Job
from spectronctl.operations.recovery import Advice, settle

IfRunning = Literal["fail", "join"]

ATTEMPTS = 3
"""How often a reindex is asked for that is refused because of one which is over by the time one looks."""

CLOCK_SLACK = timedelta(seconds=2)
"""How well the server's clock is known: it tells whole seconds."""


def start_reindex(client: Client, context_id: str, *, if_running: IfRunning = "fail") -> Job:
    """
    Start to embed every chunk of a context again; under `join`, take the job that does so already.

    The ConflictError of one that is under way names it as its only candidate. A start whose response was lost is
    settled by looking at the jobs, and never sent again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        # Our own time of asking; the server's is computed once its response has told its clock.
        asked_at = datetime.now(UTC)
        try:
            started = client.send(api.reindex_context(context_id))
            return Job(id=started.job_id, kind=REINDEX, status=started.status)
        except ConflictError as exc:
            job = _find_running(client, context_id, exc)
            if job is not None:
                return _join(job, context_id, if_running)
            # It ended between the refusal and the look. Under `join` nothing is there to join, so a new one is asked
            # for.
            if if_running == "fail" or attempt == ATTEMPTS:
                exc.hint = "What was under way seems to be over: run this again."
                raise
        except RequestError as exc:
            return _settle(client, context_id, if_running, asked_at, exc)
    raise AssertionError("the last attempt returns or raises")


def _find_running(client: Client, context_id: str, conflict: ConflictError) -> Job | None:
    try:
        return _pick_running(_list_reindexes(client, context_id))
    except SpectronctlError:  # what was refused is said all the same
        raise conflict from None


def _list_reindexes(client: Client, context_id: str) -> list[Job]:
    jobs = client.items(api.list_jobs(context_id))
    # A server may not name the kind of a job: it may be a reindex then.
    return [job for job in jobs if job.kind in {REINDEX, None}]


def _pick_running(jobs: list[Job]) -> Job | None:
    # The list begins with the oldest, and the one that runs is among the newest: another is refused meanwhile.
    return next((job for job in reversed(jobs) if not job.is_over), None)


def _join(job: Job, context_id: str, if_running: IfRunning) -> Job:
    if if_running == "join":
        return job
    raise ConflictError(
        f"context {context_id} is being reindexed already: {job.id} is {job.status}",
        status=409,
        candidates=[job.id],
    )


def _settle(
    client: Client, context_id: str, if_running: IfRunning, asked_at: datetime, error: RequestError
) -> Job:
    """The job that a lost response would have named."""

    def judge(jobs: list[Job]) -> Job | Advice:  # by now the server's clock is known
        since = asked_at + client.clock_offset - CLOCK_SLACK
        return _judge(jobs, context_id, if_running, since)

    return settle(
        error,
        read=lambda: _list_reindexes(client, context_id),
        judge=judge,
        unreadable=Advice(
            "Whether a reindex was started is unknown.",
            f"spectronctl lifecycle jobs list -c {context_id}",
        ),
    )


def _judge(
    jobs: list[Job], context_id: str, if_running: IfRunning, since: datetime
) -> Job | Advice:
    """One that was made since it was asked for, or else one that is under way."""
    for job in reversed(jobs):
        # Also one that is over already: a small context is done before one looks.
        if (made_at := parse_time(job.created_at)) and made_at >= since:
            return job
    if running := _pick_running(jobs):
        return _join(running, context_id, if_running)
    return Advice(
        "No reindex is under way, but it may still begin; it is safe to run this again:"
        " a second one is refused."
    )


def read_job(client: Client, context_id: str, job: Job) -> Job:
    """A job as it is now; as it was known where that cannot be read."""
    try:
        return client.send(api.get_job(context_id, job.id))
    # The job was started, or joined: a read that fails now must not make that a failure.
    except SpectronctlError:
        return job


def watch_job(
    client: Client,
    context_id: str,
    job_id: str,
    *,
    timeout: float | None = None,
    is_known: bool = False,
    on_failure: Callable[[RequestError], object] | None = None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Job]:
    """
    A job as it is, again and again until it is over, at most `timeout` seconds long.

    Failures that may pass are survived once the job was seen, and from the start where `is_known` says that there is
    one; `on_failure` is told. WaitTimeoutError says how far it had come; the job goes on.
    """
    polling = Polling[Job](
        lambda job: job.is_over,
        timeout=timeout,
        is_known=is_known,
        on_failure=on_failure,
        clock=clock,
    )
    job: Job | None = None
    try:
        for job in client.poll(api.get_job(context_id, job_id), polling, sleep=sleep):
            yield job
    except WaitTimeoutError as exc:
        raise WaitTimeoutError(
            f"job {job_id} of context {context_id} {_describe_state(job)}: {exc.message}",
            hint=exc.hint,
        ) from None


def _describe_state(job: Job | None) -> str:
    if job is None:
        return "was not seen"
    done, total = job.progress.done, job.progress.total
    return f"is {job.status}, {done}" + (f" of {total} done" if total is not None else " done")


def check_succeeded(job: Job, context_id: str) -> None:
    """ConflictError for a job that failed, with its error, or was cancelled."""
    if job.status == "failed":
        reason = job.error or "the server does not say why"
        raise ConflictError(f"job {job.id} of context {context_id} failed: {reason}")
    if job.status == "cancelled":
        raise ConflictError(f"job {job.id} of context {context_id} was cancelled")


def check_cancelled(job: Job, context_id: str) -> None:
    """ConflictError for a job that came to its end before it could be cancelled."""
    if job.status != "cancelled":
        raise ConflictError(f"job {job.id} of context {context_id} {job.status} before that")

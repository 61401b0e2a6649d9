"""Waiting for a job: what is told meanwhile, and what is said of the work when the wait ends first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spectronctl.cli._reporting import format_command
from spectronctl.errors import NotFoundError, WaitTimeoutError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.errors import RequestError
    from spectronctl.models.lifecycle import Job
    from spectronctl.output.progress import Progress

LOCAL_FUTURE = (
    "stopped for now: in the local store a job runs only while a command waits for it,"
    " or 'spectronctl serve' runs."
)
"""What becomes of a job that only this process works on."""


def watch_command(rt: Runtime, context: str, job_id: str) -> str:
    """What waits for a job."""
    return format_command(rt, "lifecycle", "jobs", "watch", job_id, "-c", context)


def cancel_command(rt: Runtime, context: str, job_id: str) -> str:
    """What ends a job."""
    return format_command(rt, "lifecycle", "jobs", "cancel", job_id, "-c", context)


def describe_future(rt: Runtime, context: str, job_id: str) -> str:
    """What becomes of a job that is not waited for, and what sees to it."""
    watch, cancel = watch_command(rt, context, job_id), cancel_command(rt, context, job_id)
    future = f" is {LOCAL_FUTURE}" if rt.settings.is_local else " goes on."
    return f"Job {job_id}{future}\nTo wait for it: {watch}\nTo cancel it: {cancel}"


def wait_for_job(
    rt: Runtime,
    context: str,
    job_id: str,
    progress: Progress,
    *,
    timeout: float | None = None,
    is_known: bool = False,
    sleep: Callable[[float], object] = time.sleep,
) -> Job:
    """The job once it is over; WaitTimeoutError with the command that goes on waiting."""
    from spectronctl.operations.jobs import watch_job

    def report_failure(failure: RequestError) -> None:
        text = f"no response, trying again: {failure.text}"
        progress.reach(progress.done, progress.total, text)

    watched = watch_job(
        rt.client,
        context,
        job_id,
        timeout=timeout,
        is_known=is_known,
        on_failure=report_failure,
        sleep=sleep,
    )
    try:
        for job in watched:
            _report_progress(progress, job)
    except WaitTimeoutError as exc:
        exc.command = watch_command(rt, context, job_id)
        if rt.settings.is_local:
            exc.hint = "It stops, and goes on while a command waits for it or serves the store."
        raise
    # The last one that was shown: a watch ends with a job that is over, or raises.
    return job


def _report_progress(progress: Progress, job: Job) -> None:
    text = "to be cancelled" if job.cancel_requested and not job.is_over else job.status
    progress.reach(job.progress.done, job.progress.total, text)


@contextmanager
def explain_interrupt(rt: Runtime, context: str, job_id: str) -> Iterator[None]:
    """Interrupting a wait ends nothing else: say so."""
    try:
        yield
    except KeyboardInterrupt:
        rt.out.leave(f"interrupted. {describe_future(rt, context, job_id)}")
        raise


@contextmanager
def explain_unknown_job(context: str) -> Iterator[None]:
    """A job that is not there, or is another context's: name the command that lists those there are."""
    try:
        yield
    except NotFoundError as exc:
        exc.command = f"spectronctl lifecycle jobs list -c {context}"
        raise

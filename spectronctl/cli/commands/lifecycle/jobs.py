"""`spectronctl lifecycle jobs`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.api import lifecycle as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import parse_wait_timeout
from spectronctl.cli.commands.lifecycle._options import WaitTimeoutOption
from spectronctl.cli.commands.lifecycle._view import JOBS
from spectronctl.cli.listing import list_items
from spectronctl.cli.seen import remember_items
from spectronctl.cli.waiting import explain_interrupt, explain_unknown_job, wait_for_job
from spectronctl.ground.vocabulary import JobStatus

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.lifecycle import Job

app = App()

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Use the job with this id.")]


@app.command("list")
def list_jobs(
    ctx: Context,
    status: Annotated[
        JobStatus | None, typer.Option("--status", help="Show only jobs with this status.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", metavar="KIND", help="Show only jobs of this kind, such as reindex."
        ),
    ] = None,
) -> None:
    """
    List the jobs of a context, the oldest first.

    Examples:
      spectronctl lifecycle jobs list
      spectronctl lifecycle jobs list --status failed
    """
    rt = ctx.runtime
    rt.out.check(JOBS)

    def keep(job: Job) -> bool:
        return (status is None or job.status == status) and kind in (None, job.kind)

    is_any = status is None and kind is None
    found = list_items(rt, api.list_jobs(rt.context), None if is_any else keep)
    rt.out.rows(remember_items(rt, "jobs", found, context=rt.context, is_whole=is_any), JOBS)


@app.command("get")
def get_job(ctx: Context, job: JobArgument) -> None:
    """
    Show one job.

    Examples:
      spectronctl lifecycle jobs get job_01JC4YKM3VQ8Z5T2N7XW9RHEA1
    """
    rt = ctx.runtime
    rt.out.check(JOBS)
    with explain_unknown_job(rt.context):
        found = rt.client.send(api.get_job(rt.context, _resolve(rt, job)))
    rt.out.show(found.to_dict(), JOBS)


@app.command("watch")
def watch_job(ctx: Context, job: JobArgument, wait_timeout: WaitTimeoutOption = None) -> None:
    """
    Wait until a job is over, and show it.

    A job that failed or was cancelled exits with 6.

    Examples:
      spectronctl lifecycle jobs watch job_01JC4YKM3VQ8Z5T2N7XW9RHEA1
    """
    from spectronctl.operations.jobs import check_succeeded

    rt = ctx.runtime
    rt.out.check(JOBS)
    timeout = parse_wait_timeout(wait_timeout)
    # Before `_resolve`, which may send the first request: the application in this process is opened with it.
    rt.clients.works_on_jobs = True
    found = _wait(rt, _resolve(rt, job), timeout=timeout)
    check_succeeded(found, rt.context)
    rt.out.note(f"Job {found.id} of context {rt.context} {found.status}.")
    rt.out.show(found.to_dict(), JOBS)


@app.command("cancel")
def cancel_job(
    ctx: Context,
    job: JobArgument,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the job is cancelled, between two batches.")
    ] = False,
) -> None:
    """
    Cancel a job: a queued one at once, a running one between batches.

    It is safe to repeat.

    Examples:
      spectronctl lifecycle jobs cancel job_01JC4YKM3VQ8Z5T2N7XW9RHEA1
    """
    from spectronctl.operations.jobs import check_cancelled

    rt = ctx.runtime
    rt.out.check(JOBS)
    # A cancellation alone works on no job: it would go on with the one that is to end.
    rt.clients.works_on_jobs = wait
    job = _resolve(rt, job)
    with explain_unknown_job(rt.context):
        found = rt.client.send(api.cancel_job(rt.context, job))
    if wait and not found.is_over:
        found = _wait(rt, job, is_known=True)
        check_cancelled(found, rt.context)
    rt.out.note(f"Job {found.id} is {found.status}{_describe_cancellation(rt, found)}.")
    rt.out.show(found.to_dict(), JOBS)


def _resolve(rt: Runtime, job: str) -> str:
    """The whole id of a job; ConflictError when several begin so."""
    from spectronctl.operations.names import resolve_id

    def list_ids() -> list[str]:
        return [each.id for each in rt.client.items(api.list_jobs(rt.context))]

    return resolve_id(job, list_ids, prefix="job_", thing="job")


def _describe_cancellation(rt: Runtime, job: Job) -> str:
    if job.is_over:
        return ""
    once = " once it goes on: pass --wait to see to that" if rt.settings.is_local else ""
    return f", and will be cancelled between two batches{once}"


def _wait(rt: Runtime, job: str, *, timeout: float | None = None, is_known: bool = False) -> Job:
    context = rt.context
    with (
        explain_unknown_job(context),
        explain_interrupt(rt, context, job),
        rt.out.progress(job) as progress,
    ):
        return wait_for_job(rt, context, job, progress, timeout=timeout, is_known=is_known)

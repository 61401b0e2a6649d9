"""`spectronctl lifecycle reindex`"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import parse_wait_timeout
from spectronctl.cli.commands.lifecycle._options import ContextOptions, WaitTimeoutOption
from spectronctl.cli.commands.lifecycle._view import JOBS, REINDEXES
from spectronctl.cli.contexts import Task, check_contexts, run_in_contexts
from spectronctl.cli.seen import remember_name
from spectronctl.cli.waiting import describe_future, explain_interrupt, wait_for_job, watch_command
from spectronctl.errors import ConflictError, SpectronctlError, UsageError
from spectronctl.ground.times import format_duration, parse_time

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.lifecycle import Job

app = App()


class IfRunning(StrEnum):
    """What a reindex makes of one that is under way already."""

    FAIL = "fail"
    JOIN = "join"


@dataclass(frozen=True, kw_only=True)
class ReindexOptions:
    """Whether to wait, how long, and for which job."""

    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Start the job, and do not wait for it.")
    ] = False
    wait_timeout: WaitTimeoutOption = None
    if_running: Annotated[
        IfRunning,
        typer.Option(
            "--if-running",
            help="Choose what to do if a reindex is already running.",
            show_default=True,
        ),
    ] = IfRunning.FAIL

    @property
    def seconds(self) -> float | None:
        """How long to wait; UsageError for what is no duration, or not waited for."""
        if self.no_wait and self.wait_timeout is not None:
            raise UsageError("--no-wait and --wait-timeout cannot be used together")
        return parse_wait_timeout(self.wait_timeout)


@app.command()
def reindex_contexts(ctx: Context, chosen: ContextOptions, options: ReindexOptions) -> None:
    """
    Embed every chunk again, rebuild the indexes, and wait for the end.

    The job runs in the server: an interrupt ends only the wait; use 'spectronctl lifecycle jobs' for the job.

    Examples:
      spectronctl lifecycle reindex acme-prod
      spectronctl lifecycle reindex acme-prod --no-wait -o name
    """
    rt = ctx.runtime
    check_contexts(rt, chosen, JOBS, REINDEXES)
    timeout = options.seconds
    rt.clients.works_on_jobs = not options.no_wait
    if chosen.is_many:
        _reindex_many(rt, chosen, options, timeout)
    else:
        _reindex_one(rt, chosen.find_one(rt), options, timeout)


def _reindex_one(rt: Runtime, context: str, options: ReindexOptions, timeout: float | None) -> None:
    """Start the job of one context, or join it, wait for it and show it."""
    from spectronctl.operations.jobs import check_succeeded, read_job

    job = _start(rt, context, options)
    if options.no_wait:
        job = read_job(rt.client, context, job)
        rt.out.note(describe_future(rt, context, job.id))
    else:
        with (
            explain_interrupt(rt, context, job.id),
            rt.out.progress(f"reindex {context}") as progress,
        ):
            job = wait_for_job(rt, context, job.id, progress, timeout=timeout, is_known=True)
        check_succeeded(job, context)
        rt.out.note(_describe_success(job, context))
    rt.out.show(job.to_dict(), JOBS)


def _reindex_many(
    rt: Runtime, chosen: ContextOptions, options: ReindexOptions, timeout: float | None
) -> None:
    """Do so in several contexts, several at a time, and show what became of each."""
    from spectronctl.operations.jobs import check_succeeded, read_job
    from spectronctl.output.progress import Progress

    stopped = Event()
    under_way: dict[str, Job] = {}

    def sleep(seconds: float) -> None:
        # In place of time.sleep: a Ctrl-C reaches only the main thread, and the waiting ones must end without delay.
        if stopped.wait(seconds):
            raise SpectronctlError("interrupted")

    def work(context: str) -> dict[str, Any]:
        job = under_way[context] = _start(rt, context, options)
        if options.no_wait:
            job = read_job(rt.client, context, job)
        else:
            # Several bars would draw over each other: the batch counts contexts instead.
            unseen = Progress("", None, lambda done, text: None)
            job = wait_for_job(
                rt, context, job.id, unseen, timeout=timeout, is_known=True, sleep=sleep
            )
            # Left in while the job is not over, also after a failed wait: an interrupt names every job that goes on.
            # Once the pool has ended no thread changes it any more.
            del under_way[context]
            check_succeeded(job, context)
        return job.to_dict()

    task = Task(
        work,
        lambda job: f"{job['id']} {job['status']}",
        command=f"spectronctl lifecycle reindex --if-running {options.if_running.value}",
        view=JOBS,
        summary=REINDEXES,
        stopped=stopped,
        leave=lambda: "\n".join(describe_future(rt, *pair) for pair in _list_ids(under_way)),
    )
    run_in_contexts(rt, chosen, task)


def _list_ids(jobs: dict[str, Job]) -> list[tuple[str, str]]:
    return [(context, job.id) for context, job in jobs.items()]


def _start(rt: Runtime, context: str, options: ReindexOptions) -> Job:
    from spectronctl.operations.jobs import start_reindex

    try:
        job = start_reindex(rt.client, context, if_running=options.if_running.value)
    except ConflictError as exc:
        if exc.candidates:
            exc.hint = "Wait for that one, or pass --if-running join."
            exc.command = watch_command(rt, context, exc.candidates[0])
            # The command names the job already; as a candidate it would read as a name that comes near.
            exc.candidates = []
        raise
    # Sent once and never again: whether the server had it by then shows only in its list of jobs.
    except KeyboardInterrupt:
        rt.out.leave(
            "interrupted before the server had responded. Whether a job was started:"
            f" spectronctl lifecycle jobs list -c {context}"
        )
        raise
    remember_name(rt, "jobs", job.id, context=context)
    return job


def _describe_success(job: Job, context: str) -> str:
    """What a job has done, and how long that took."""
    began, ended = parse_time(job.started_at), parse_time(job.finished_at)
    took = f" in {_format_length(began, ended)}" if began and ended else ""
    return f"Job {job.id} has reindexed {job.progress.done} chunks of context {context}{took}."


def _format_length(began: datetime, ended: datetime) -> str:
    seconds = (ended - began).total_seconds()
    return format_duration(round(seconds, 1 if seconds < 10 else 0))

"""Reindexes on their way: one, or many at a time, and what is told of each."""

from __future__ import annotations

from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any

from spectronctl.cli.commands.lifecycle._contexts import ContextOptions, Task, run_in_contexts
from spectronctl.cli.commands.lifecycle._view import JOBS, REINDEXES
from spectronctl.cli.commands.lifecycle._waiting import (
    explain_interrupt,
    tell_future,
    wait_for_job,
    watch_command,
)
from spectronctl.errors import ConflictError, SpectronctlError
from spectronctl.ground.times import format_duration, parse_time
from spectronctl.operations.jobs import check_succeeded, read_job, start_reindex
from spectronctl.output.progress import Progress

if TYPE_CHECKING:
    from spectronctl.cli.commands.lifecycle.reindex import ReindexOptions
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.lifecycle import Job


def reindex_one(rt: Runtime, context: str, options: ReindexOptions, timeout: float | None) -> None:
    """Start the job of one context, or join it, wait for it and show it."""
    job = _start(rt, context, options)
    if options.no_wait:
        job = read_job(rt.client, context, job)
        rt.out.note(tell_future(rt, context, job.id))
    else:
        with (
            explain_interrupt(rt, context, job.id),
            rt.out.progress(f"reindex {context}") as progress,
        ):
            job = wait_for_job(rt, context, job.id, progress, timeout=timeout, is_known=True)
        check_succeeded(job, context)
        rt.out.note(tell_success(job, context))
    rt.out.show(job.to_dict(), JOBS)


def reindex_many(
    rt: Runtime, chosen: ContextOptions, options: ReindexOptions, timeout: float | None
) -> None:
    """Do so in several contexts, several at a time, and show what became of each."""
    stopped = Event()
    under_way: dict[str, Job] = {}

    def sleep(seconds: float) -> None:
        if stopped.wait(seconds):
            raise SpectronctlError("interrupted")

    def work(context: str) -> dict[str, Any]:
        job = under_way[context] = _start(rt, context, options)
        if options.no_wait:
            job = read_job(rt.client, context, job)
        else:
            unseen = Progress("", None, lambda done, text: None)
            job = wait_for_job(
                rt, context, job.id, unseen, timeout=timeout, is_known=True, sleep=sleep
            )
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
        leave=lambda: "\n".join(tell_future(rt, *pair) for pair in _list_ids(under_way)),
    )
    run_in_contexts(rt, chosen, task)


def _list_ids(jobs: dict[str, Job]) -> list[tuple[str, str]]:
    return [(context, job.id) for context, job in jobs.items()]


def _start(rt: Runtime, context: str, options: ReindexOptions) -> Job:
    try:
        return start_reindex(rt.client, context, if_running=options.if_running.value)
    except ConflictError as exc:
        if exc.candidates:
            exc.hint = "Wait for that one, or pass --if-running join."
            exc.command = watch_command(rt, context, exc.candidates[0])
            exc.candidates = []
        raise
    except KeyboardInterrupt:
        rt.out.leave(
            "interrupted before the server had answered. Whether a job was started:"
            f" spectronctl lifecycle jobs list -c {context}"
        )
        raise


def tell_success(job: Job, context: str) -> str:
    """What a job has done, and how long that took."""
    began, ended = parse_time(job.started_at), parse_time(job.finished_at)
    took = f" in {_tell_length(began, ended)}" if began and ended else ""
    return f"Job {job.id} has reindexed {job.progress.done} chunks of context {context}{took}."


def _tell_length(began: datetime, ended: datetime) -> str:
    seconds = (ended - began).total_seconds()
    return format_duration(round(seconds, 1 if seconds < 10 else 0))

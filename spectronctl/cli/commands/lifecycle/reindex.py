"""`spectronctl lifecycle reindex`"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.lifecycle._contexts import ContextOptions, check_contexts
from spectronctl.cli.commands.lifecycle._view import JOBS, REINDEXES
from spectronctl.cli.commands.lifecycle._waiting import WaitTimeoutOption, read_wait_timeout
from spectronctl.errors import UsageError

app = App()


class IfRunning(StrEnum):
    """What a reindex makes of one that is under way already."""

    FAIL = "fail"
    JOIN = "join"


@dataclass(frozen=True, kw_only=True)
class ReindexOptions:
    """Whether to wait, how long, and for which job."""

    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Start the job, show it, and do not wait for it.")
    ] = False
    wait_timeout: WaitTimeoutOption = None
    if_running: Annotated[
        IfRunning,
        typer.Option("--if-running", help="What one under way means.", show_default=True),
    ] = IfRunning.FAIL

    @property
    def seconds(self) -> float | None:
        """How long to wait; UsageError for what is no duration, or not waited for."""
        if self.no_wait and self.wait_timeout is not None:
            raise UsageError("--no-wait and --wait-timeout exclude each other")
        return read_wait_timeout(self.wait_timeout)


@app.command()
def reindex_contexts(ctx: Context, chosen: ContextOptions, options: ReindexOptions) -> None:
    """
    Embed every chunk of a context again, and rebuild its indexes; waits until that is done.

    The job is the server's: interrupting the wait does not end it, 'spectronctl lifecycle jobs' sees to it.
    """
    from spectronctl.cli.commands.lifecycle._reindexing import reindex_many, reindex_one

    rt = ctx.runtime
    check_contexts(rt, chosen, JOBS, REINDEXES)
    timeout = options.seconds
    rt.works_on_jobs = not options.no_wait
    if chosen.is_many:
        reindex_many(rt, chosen, options, timeout)
    else:
        reindex_one(rt, chosen.find_one(rt), options, timeout)

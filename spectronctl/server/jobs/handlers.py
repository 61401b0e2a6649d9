"""What a worker needs of those who know how to do a kind of job. No kind is named here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from spectronctl.server.jobs.rows import ClaimedJob, LostJobError
from spectronctl.server.registry.rows import ContextRow


class CancelledJobError(Exception):
    """The job is to be cancelled."""


class FailedJobError(Exception):
    """The job cannot be done. The message is its record's `error`: one line, without a secret."""


@dataclass
class Run:
    """A job at work: how far it is, and what the renewal of its lease has reported."""

    claimed: ClaimedJob
    context: ContextRow
    done: int = 0
    total: int | None = None
    is_cancelled: bool = False
    is_lost: bool = False

    @property
    def payload(self) -> Mapping[str, Any]:
        """What this job is to do, in the words of its kind."""
        return self.claimed.job.payload

    def advance(self, done: int, total: int | None) -> None:
        """Report progress; `total` is None while it is not known."""
        self.done, self.total = done, total

    def check(self) -> None:
        """Whether to go on, between two steps: CancelledJobError, LostJobError."""
        # Before the cancellation: a job that another worker has is not ours to undo.
        if self.is_lost:
            raise LostJobError
        if self.is_cancelled:
            raise CancelledJobError


class Handler(Protocol):
    """Does one kind of job."""

    async def run(self, run: Run) -> None:
        """
        Do the whole job, from where an earlier worker left it.

        FailedJobError when it cannot be done; what `run.check` raises, and a ProblemError of a database that does not
        respond, go through.
        """

    async def undo(self, run: Run) -> None:
        """Remove what a job that failed or was cancelled has left; LostJobError when the job is no longer ours."""


Handlers = Mapping[str, Handler]
"""The handler of each kind."""

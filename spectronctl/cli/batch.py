"""The same work for many things, several at a time: progress, an interrupt, an outcome each, a command per failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Generic, TypeVar

from spectronctl.errors import SpectronctlError, UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

T = TypeVar("T")
R = TypeVar("R")


def refuse_limit(rt: Runtime, plural: str) -> None:
    """UsageError for a typed `--limit`: passed over in silence, all would be changed where a few were meant."""
    if rt.flags.get("limit") is not None:
        raise UsageError(
            f"--limit shortens lists that are shown; it does not choose {plural}",
            hint="Name the ones you mean, or narrow the selection.",
        )


@dataclass
class Outcome(Generic[T, R]):
    """What became of one thing; one that was never begun has neither a result nor an error."""

    item: T
    result: R | None = None
    error: SpectronctlError | None = None
    is_begun: bool = False


@dataclass(kw_only=True)
class Batch(Generic[T, R]):
    """
    Work that is done for many things.

    `label` counts them while the work goes on, and `plural` names them afterwards. `say` tells an outcome in a line,
    `retry` is the command that goes on with one that failed, and `after_interrupt` says how all of it goes on.
    No more are begun after `max_failures`. `stopped` is set when the work is interrupted: what is under way is waited
    for, unless it looks. `is_limited` says that `--limit` has been applied to the items.
    """

    work: Callable[[T], R]
    label: str
    plural: str
    say: Callable[[Outcome[T, R]], str]
    retry: Callable[[Outcome[T, R]], str | None] = lambda outcome: None
    after_interrupt: Callable[[Sequence[Outcome[T, R]]], str]
    parallel: int
    max_failures: int | None = None
    is_limited: bool = False
    stopped: Event = field(default_factory=Event)

    def run(self, rt: Runtime, items: Iterable[T]) -> list[Outcome[T, R]]:
        """Do the work; the outcomes in the order of the items, whichever of them failed."""
        if not self.is_limited:
            refuse_limit(rt, self.plural)
        # All of them before the first begins: they end in any order, and those that never begin are told too.
        outcomes: list[Outcome[T, R]] = [Outcome(item) for item in items]
        try:
            self._run_all(rt, outcomes)
        except KeyboardInterrupt:
            rt.out.leave(self.after_interrupt(outcomes))
            raise
        return outcomes

    def _run_all(self, rt: Runtime, outcomes: Sequence[Outcome[T, R]]) -> None:
        def run(outcome: Outcome[T, R]) -> Outcome[T, R]:
            # Asked by each when it is its turn. Up to `parallel` are under way when the bound is reached, and are
            # finished.
            if not self.stopped.is_set() and not self._has_failed_enough(outcomes):
                self._run_one(outcome)
            return outcome

        with (
            rt.out.progress(self.label, len(outcomes)) as progress,
            ThreadPoolExecutor(self.parallel) as pool,
        ):
            try:
                for future in as_completed([pool.submit(run, outcome) for outcome in outcomes]):
                    done = future.result()
                    if done.is_begun:
                        progress.advance(self.say(done))
            except KeyboardInterrupt:
                # Before the pool is closed: leaving `with` waits for all that was submitted, so those that wait must
                # learn to end, and those that have not begun must be dropped.
                self.stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _run_one(self, outcome: Outcome[T, R]) -> None:
        outcome.is_begun = True
        try:
            # Only failures that are told to users are an outcome. A defect comes out of `future.result()` and ends the
            # batch.
            outcome.result = self.work(outcome.item)
        except SpectronctlError as exc:
            outcome.error = exc

    def _has_failed_enough(self, outcomes: Sequence[Outcome[T, R]]) -> bool:
        if self.max_failures is None:  # counting for each of thousands takes longer than their work
            return False
        return sum(outcome.error is not None for outcome in outcomes) >= self.max_failures

    def raise_failures(self, outcomes: Sequence[Outcome[T, R]], *, advice: str = "") -> None:
        """SpectronctlError when any failed, naming each with its command, and the `advice` for all of them."""
        failed = [outcome for outcome in outcomes if outcome.error]
        if not failed:
            return
        left = sum(not outcome.is_begun for outcome in outcomes)
        told = [self._tell_failure(outcome) for outcome in failed]
        raise SpectronctlError(
            f"{len(failed)} of {len(outcomes)} {self.plural} failed"
            + (f", {left} were not begun" if left else ""),
            hint="\n".join(filter(None, [*told, advice])),
        )

    def _tell_failure(self, outcome: Outcome[T, R]) -> str:
        command = self.retry(outcome)
        return f"{self.say(outcome)}; try: {command}" if command else self.say(outcome)

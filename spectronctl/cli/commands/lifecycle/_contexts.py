"""The contexts that a command is about: one, several or all, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.output.views import Column, View

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

Answer = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ContextOptions:
    """Which contexts, and how many at a time."""

    contexts: Annotated[
        list[str] | None,
        typer.Argument(metavar="CONTEXT", help="Ids of contexts, in place of -c."),
    ] = None
    all_contexts: Annotated[
        bool, typer.Option("--all-contexts", help="Every context of the server.")
    ] = False
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=32, metavar="N", help="Contexts at a time.")
    ] = 4

    @property
    def is_many(self) -> bool:
        """Whether the answer is a list, with an object for each context."""
        return self.all_contexts or len(self._named) > 1

    @property
    def _named(self) -> list[str]:
        return list(dict.fromkeys(self.contexts or ()))

    def check(self, rt: Runtime) -> None:
        """UsageError for ways to name a context that exclude each other."""
        typed = rt.flags.get("context")
        if self.all_contexts and (self._named or typed):
            raise UsageError("--all-contexts is every context: name none beside it")
        if self._named and typed not in (None, *self._named[:1]):
            raise UsageError(
                f"the context is {', '.join(self._named)} by the argument, and {typed} by --context"
            )

    def find_one(self, rt: Runtime) -> str:
        """The one that is meant."""
        return self._named[0] if self._named else rt.context

    def list_all(self, rt: Runtime) -> list[str]:
        """Those that are meant; the server's own list where that is all."""
        from spectronctl.api import contexts as api

        if self._named:
            return self._named
        return [context.id for context in rt.client.items(api.list_contexts())]


@dataclass
class Outcome:
    """What became of one context; one that was never begun has neither an answer nor an error."""

    context: str
    answer: Answer | None = None
    error: SpectronctlError | None = None

    def describe(self) -> Answer:
        """What became of it, as it is shown."""
        if self.error:
            return {"context": self.context, "error": self.error.message}
        return {"context": self.context, **(self.answer or {})}


@dataclass(frozen=True)
class Task:
    """
    What is to be done in each context.

    `work` takes a context and returns the answer, which `say` tells in words; `command` does it again. `view` shows one
    answer, `summary` several; `stopped` is set when the others are no longer waited for, and `leave` says what goes on.
    """

    work: Callable[[str], Answer]
    say: Callable[[Answer], str]
    command: str
    view: View
    summary: View
    stopped: Event = field(default_factory=Event)
    leave: Callable[[], str] | None = None


def summarize(view: View, *columns: Column) -> View:
    """The view of several answers: each with its context, and the error of those that have no answer."""
    return replace(
        view,
        columns=(Column("context"), *(columns or view.columns), Column("error")),
        name="context",
        plural="contexts",
        parts=None,
    )


def run_in_contexts(rt: Runtime, chosen: ContextOptions, task: Task) -> list[Answer]:
    """Do it in the chosen contexts and show what came of it; the answers."""
    if chosen.is_many:
        return _run_in_many(rt, chosen, task)
    answer = task.work(chosen.find_one(rt))
    if task.view.parts is None:  # where there are, they speak for themselves
        rt.out.note(task.say(answer))
    rt.out.show(answer, task.view)
    return [answer]


def check_contexts(rt: Runtime, chosen: ContextOptions, view: View, summary: View) -> None:
    """Before any request: what is wrong with the contexts or the output."""
    chosen.check(rt)
    rt.out.check(summary if chosen.is_many else view)


def _run_in_many(rt: Runtime, chosen: ContextOptions, task: Task) -> list[Answer]:
    outcomes = [Outcome(context) for context in chosen.list_all(rt)]
    _run_all(rt, outcomes, task, chosen.parallel)
    rt.out.rows([outcome.describe() for outcome in outcomes], task.summary)
    _raise_failures(outcomes, task)
    return [outcome.answer for outcome in outcomes if outcome.answer is not None]


def _run_all(rt: Runtime, outcomes: Sequence[Outcome], task: Task, parallel: int) -> None:
    def run(outcome: Outcome) -> Outcome:
        if not task.stopped.is_set():
            try:
                outcome.answer = task.work(outcome.context)
            except SpectronctlError as exc:
                outcome.error = exc
        return outcome

    with (
        _explain_interrupt(rt, outcomes, task),
        rt.out.progress("contexts", len(outcomes)) as progress,
        ThreadPoolExecutor(parallel) as pool,
    ):
        try:
            for future in as_completed([pool.submit(run, outcome) for outcome in outcomes]):
                progress.advance(_say(future.result(), task))
        except KeyboardInterrupt:
            task.stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextmanager
def _explain_interrupt(rt: Runtime, outcomes: Sequence[Outcome], task: Task) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        rt.out.leave(_tell_interrupt(outcomes, task))
        raise


def _tell_interrupt(outcomes: Sequence[Outcome], task: Task) -> str:
    done = sum(outcome.answer is not None for outcome in outcomes)
    told = f"interrupted; done in {done} of {len(outcomes)} contexts"
    return "\n".join(filter(None, [told, task.leave and task.leave()]))


def _say(outcome: Outcome, task: Task) -> str:
    if outcome.error:
        return f"{outcome.context}: {outcome.error.message}"
    return f"{outcome.context}: {task.say(outcome.answer or {})}"


def _raise_failures(outcomes: Sequence[Outcome], task: Task) -> None:
    """SpectronctlError when any failed, naming each with the command that does it again."""
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        raise SpectronctlError(
            f"{len(failed)} of {len(outcomes)} contexts failed",
            hint="\n".join(f"{_say(each, task)}; try: {_repeat(each, task)}" for each in failed),
        )


def _repeat(outcome: Outcome, task: Task) -> str:
    told = outcome.error and outcome.error.command
    return told or f"{task.command} {outcome.context}"

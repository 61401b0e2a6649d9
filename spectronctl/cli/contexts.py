"""The same in one context, in several or in all: one response, or a row for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from spectronctl.cli.batch import Batch, Outcome
from spectronctl.cli.listing import refuse_limit
from spectronctl.output.views import View

if TYPE_CHECKING:
    from spectronctl.cli.commands.lifecycle._options import ContextOptions
    from spectronctl.cli.runtime import Runtime

Response = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """
    What is to be done in each context.

    `work` takes a context and returns the response, which `say` puts in words; `command` repeats it. `view` shows one
    response, `summary` several; `stopped` is set when the others are not waited for; `leave` says what goes on.
    `agree` is called with the contexts before any of it, and raises when it must not be.
    """

    work: Callable[[str], Response]
    say: Callable[[Response], str]
    command: str
    view: View
    summary: View
    stopped: Event = field(default_factory=Event)
    leave: Callable[[], str] | None = None
    agree: Callable[[Sequence[str]], object] = lambda contexts: None


def check_contexts(rt: Runtime, chosen: ContextOptions, view: View, summary: View) -> None:
    """Before any request: what is wrong with the contexts or the output."""
    chosen.check(rt)
    if chosen.all_contexts:
        refuse_limit(rt, "--all-contexts")
    rt.out.check(summary if chosen.is_many else view)


def run_in_contexts(rt: Runtime, chosen: ContextOptions, task: Task) -> list[Response]:
    """Do it in the chosen contexts and show what came of it; the responses."""
    if chosen.is_many:
        contexts = chosen.named or _list_all(rt)
        task.agree(contexts)
        return _run_in_many(rt, contexts, chosen.parallel, task)
    context = chosen.find_one(rt)
    task.agree([context])
    response = task.work(context)
    if task.view.parts is None:  # where there are, they speak for themselves
        rt.out.note(task.say(response))
    rt.out.show(response, task.view)
    return [response]


def _list_all(rt: Runtime) -> list[str]:
    from spectronctl.api import contexts as api

    return [context.id for context in rt.client.items(api.list_contexts())]


def _run_in_many(rt: Runtime, contexts: Sequence[str], parallel: int, task: Task) -> list[Response]:
    batch = Batch(
        work=task.work,
        label="contexts",
        plural="contexts",
        say=lambda outcome: _say(outcome, task),
        retry=lambda outcome: _find_command(outcome, task),
        after_interrupt=lambda outcomes: _describe_interrupt(outcomes, task),
        parallel=parallel,
        stopped=task.stopped,
    )
    outcomes = batch.run(rt, contexts)
    # First the rows, those of the failed ones too, then the failure: programs get a result for each in any case.
    rt.out.rows(map(_describe, outcomes), task.summary)
    batch.raise_failures(outcomes)
    return [outcome.result for outcome in outcomes if outcome.result is not None]


def _describe(outcome: Outcome[str, Response]) -> Response:
    if outcome.error:
        return {"context": outcome.item, "error": outcome.error.message}
    return {"context": outcome.item, **(outcome.result or {})}


def _say(outcome: Outcome[str, Response], task: Task) -> str:
    told = outcome.error.message if outcome.error else task.say(outcome.result or {})
    return f"{outcome.item}: {told}"


def _find_command(outcome: Outcome[str, Response], task: Task) -> str:
    told = outcome.error and outcome.error.command
    return told or f"{task.command} {outcome.item}"


def _describe_interrupt(outcomes: Sequence[Outcome[str, Response]], task: Task) -> str:
    done = sum(outcome.result is not None for outcome in outcomes)
    told = f"interrupted; done in {done} of {len(outcomes)} contexts"
    return "\n".join(filter(None, [told, task.leave and task.leave()]))

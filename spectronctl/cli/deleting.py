"""One thing deleted, or several: a result for each, and a failure of one keeps no other from being deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from spectronctl.cli.batch import Batch, Outcome

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.output.views import View

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Deletion(Generic[T]):
    """
    How things are deleted and told of; `plural` and `view` are theirs.

    `delete` is False for one that was not there, where that is no failure. `describe` gives the fields of a result that
    say which one it is, and `name` what a sentence calls it.
    """

    plural: str
    view: View
    delete: Callable[[T], bool]
    describe: Callable[[T], dict[str, Any]]
    name: Callable[[T], str]

    def run(self, rt: Runtime, items: Sequence[T], *, named: Sequence[str]) -> None:
        """
        Delete them and show what became of each; SpectronctlError when any of several failed.

        Where several were `named` the result is a list, whether or not they turned out to be one.
        """
        if len(named) == 1:
            self._run_one(rt, items[0])
        else:
            self._run_many(rt, items)

    def _run_one(self, rt: Runtime, item: T) -> None:
        deleted = self.delete(item)
        row = {**self.describe(item), "deleted": deleted}
        rt.out.done(row, self.view, self._tell(item, deleted=deleted))

    def _run_many(self, rt: Runtime, items: Sequence[T]) -> None:
        batch = Batch[T, bool](
            work=self.delete,
            label=self.plural,
            plural=self.plural,
            say=self._say,
            after_interrupt=self._describe_interrupt,
            parallel=4,
        )
        outcomes = batch.run(rt, items)
        note = f"Deleted {len(_select_deleted(outcomes))} of {len(items)} {self.plural}."
        rt.out.done_all(list(map(self._show, outcomes)), self.view, note)
        # A lost response, or a second try of all of them: what is gone by then is no failure.
        batch.raise_failures(outcomes, advice="Repeated with --if-missing ok, it deletes the rest.")

    def _show(self, outcome: Outcome[T, bool]) -> dict[str, Any]:
        error = outcome.error.message if outcome.error else None
        return {**self.describe(outcome.item), "deleted": bool(outcome.result), "error": error}

    def _say(self, outcome: Outcome[T, bool]) -> str:
        if outcome.error:
            return f"{self.name(outcome.item)}: {outcome.error.message}"
        return self._tell(outcome.item, deleted=bool(outcome.result))

    def _tell(self, item: T, *, deleted: bool) -> str:
        return f"Deleted {self.name(item)}." if deleted else f"There was no {self.name(item)}."

    def _describe_interrupt(self, outcomes: Sequence[Outcome[T, bool]]) -> str:
        names = [self.name(outcome.item) for outcome in _select_deleted(outcomes)]
        return f"interrupted; deleted by then: {', '.join(names) or 'none'}"


def _select_deleted(outcomes: Sequence[Outcome[T, bool]]) -> list[Outcome[T, bool]]:
    return [outcome for outcome in outcomes if outcome.result]

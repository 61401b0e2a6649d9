"""What every command that writes an ontology says of it, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spectronctl.cli.commands.ontology._view import ONTOLOGY
from spectronctl.cli.consent import get_consent

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.operations.ontologies import Difference, Part, Written

DECLINED = "Nothing was changed."

_MAX_NAMED = 5


class Consent:
    """Shows what a write is about to change, and asks once about each name that it takes away."""

    def __init__(self, rt: Runtime, confirmed: str | None = None) -> None:
        self._rt = rt
        self._confirmed = confirmed
        self._shown: Difference | None = None
        self._agreed: set[Part] = set()

    def __call__(self, difference: Difference) -> None:
        """DeclinedError when a person says no; UsageError when the session is not interactive."""
        rt = self._rt
        # Called once for each attempt: where others write meanwhile the change is made anew from what is there then.
        if difference != self._shown:
            rt.out.changes(difference.list_lines())
            self._shown = difference
        removed = [part for part in difference.removed if part not in self._agreed]
        if not removed:
            return
        get_consent(
            rt,
            f"Remove {name_parts(removed)} from the ontology of context {rt.context} at {rt.place}?",
            name=rt.context,
            confirmed=self._confirmed,
            declined=DECLINED,
        )
        # What was agreed to stays agreed to; a name that another client has added since is asked about.
        self._agreed.update(removed)


def name_parts(parts: Sequence[Part]) -> str:
    """The first few of them by name, and how many more there are."""
    named = ", ".join(map(str, parts[:_MAX_NAMED]))
    more = len(parts) - _MAX_NAMED
    return f"{named} and {more} more" if more > 0 else named


def show_written(rt: Runtime, written: Written, unchanged: str) -> None:
    """Say that it was done, or `unchanged`; programs get the ontology as it is now."""
    changed = f"Changed the ontology of context {rt.context}."
    rt.out.note(changed if written.difference else unchanged)
    ontology = written.ontology
    # No lines for people: the difference was shown before, and the whole ontology would bury it.
    rt.out.show(ontology.to_dict(), ONTOLOGY, lines=())

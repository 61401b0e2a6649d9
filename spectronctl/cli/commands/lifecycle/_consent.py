"""What is asked before memories end: with their number, where the server can tell it beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectronctl.api import lifecycle as api
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.consent import check_confirmable, get_consent, is_agreed
from spectronctl.errors import SpectronctlError

if TYPE_CHECKING:
    from spectronctl.cli.commands.lifecycle._options import ContextOptions
    from spectronctl.cli.runtime import Runtime

NO_PREVIEW = "this server cannot tell beforehand what would expire; nothing was expired"

_MAX_NAMED = 5


@dataclass(frozen=True)
class ExpiryConsent:
    """The consent to the end of memories in the chosen contexts; `confirmed` is what `--confirm` says."""

    rt: Runtime
    chosen: ContextOptions
    confirmed: str | None

    def check(self) -> None:
        """Before anything is sent: UsageError when it is not given, and no person can be asked."""
        check_confirmable(self.rt, "Expire memories?", name=self._name, confirmed=self.confirmed)

    def ask(self, contexts: Sequence[str]) -> None:
        """Count what would expire, and ask; DeclinedError when a person says no."""
        # Before the count: with --yes and hundreds of contexts it would be as many requests for a question that is not
        # asked.
        if is_agreed(self.rt, name=self._name, confirmed=self.confirmed):
            return
        get_consent(
            self.rt,
            f"Expire {self._describe(contexts)} at {self.rt.place}? This cannot be undone.",
            name=self._name,
            confirmed=self.confirmed,
            declined="Nothing was expired.",
        )

    @property
    def _name(self) -> str:
        return self.chosen.name_all(self.rt)

    def _describe(self, contexts: Sequence[str]) -> str:
        with ThreadPoolExecutor(self.chosen.parallel) as pool:
            counts = list(pool.map(self._count, contexts))
        known = [count for count in counts if count is not None]
        where = name_contexts(contexts)
        if not known:
            return f"the memories that are past their time (the server cannot tell how many) in {where}"
        if len(known) < len(contexts):
            where += f" (how many in {len(contexts) - len(known)} of them is not known)"
        return f"{count_memories(sum(known))} in {where}"

    def _count(self, context: str) -> int | None:
        """None where it cannot be told; what is wrong with a context shows when its memories are to expire."""
        try:
            return int(count_expiring(self.rt, context)["affected"])
        except SpectronctlError:
            return None


def count_expiring(rt: Runtime, context: str) -> dict[str, Any]:
    """How many memories an expiry would take, as `affected`; NotAvailableError where the server has no preview."""
    with open_plane(rt, context) as (client, _), explain_missing(NO_PREVIEW):
        return client.send(api.preview_expiry(context)).to_dict()


def count_memories(count: int) -> str:
    return f"{count} {'memory' if count == 1 else 'memories'}"


def name_contexts(contexts: Sequence[str]) -> str:
    """One context, or how many and the first few of them."""
    if len(contexts) == 1:
        return f"context {contexts[0]}"
    more = ", …" if len(contexts) > _MAX_NAMED else ""
    return f"{len(contexts)} contexts ({', '.join(contexts[:_MAX_NAMED])}{more})"

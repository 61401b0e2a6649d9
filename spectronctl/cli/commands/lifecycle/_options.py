"""Options that the verbs of upkeep share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

WaitTimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--wait-timeout",
        metavar="DURATION",
        help="Wait at most this duration, such as 10m; the job goes on.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ContextOptions:
    """Which contexts, and how many at a time."""

    contexts: Annotated[
        list[str] | None,
        typer.Argument(metavar="CONTEXT", help="Use the contexts with these ids, instead of -c."),
    ] = None
    all_contexts: Annotated[
        bool, typer.Option("--all-contexts", help="Use every context of the server.")
    ] = False
    parallel: Annotated[
        int,
        typer.Option(
            "--parallel", min=1, max=32, metavar="N", help="Process N contexts at the same time."
        ),
    ] = 4

    @property
    def is_many(self) -> bool:
        """Whether the response is a list, with an object for each context."""
        return self.all_contexts or len(self.named) > 1

    @property
    def named(self) -> list[str]:
        """Those that are named, each once."""
        return list(dict.fromkeys(self.contexts or ()))

    def check(self, rt: Runtime) -> None:
        """UsageError for ways to name a context that cannot be used together."""
        # What was typed, not the setting: a context of the environment or the profile gives way to the argument.
        typed = rt.flags.get("context")
        if self.all_contexts and (self.named or typed):
            raise UsageError("--all-contexts is every context: name none beside it")
        if self.named and typed not in (None, *self.named[:1]):
            raise UsageError(
                f"the context is {', '.join(self.named)} by the argument, and {typed} by --context"
            )

    def name_all(self, rt: Runtime) -> str:
        """What confirms work on all of them: their ids, or for every context the name of the profile, or the URL."""
        if self.all_contexts:
            # Their ids are known only after a request, and a name is checked before the first.
            return str(rt.settings.profile.value or rt.settings.url.value)
        return ",".join(self.named) or rt.context

    def find_one(self, rt: Runtime) -> str:
        """The one that is meant."""
        return self.named[0] if self.named else rt.context

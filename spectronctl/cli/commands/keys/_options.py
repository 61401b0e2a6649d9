"""Arguments and options that the verbs of a key share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.config.values import parse_duration, parse_named
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.operations.rotations import Method

KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="Use the key with this id or name.")
]
RecoverOption = Annotated[
    bool,
    typer.Option(
        "--recover", help="Rotate again if the response is lost, to get a secret that is known."
    ),
]
WaitOption = Annotated[
    bool,
    typer.Option("--wait", help="Wait until the old key is deleted; an interrupt loses nothing."),
]
ParallelOption = Annotated[
    int,
    typer.Option(
        "--parallel", min=1, max=32, metavar="N", help="Run N rotations at the same time."
    ),
]


def read_duration(text: str, option: str) -> float:
    """Seconds; UsageError names the option that is no duration."""
    return float(parse_named(parse_duration, text, option))


DEFAULT_DRAIN = "5m"


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """How a key is rotated."""

    overlap: Annotated[
        str | None,
        typer.Option(
            "--overlap",
            metavar="DURATION",
            help="Keep the old key working for this duration, such as 24h.",
        ),
    ] = None
    # No default here: a drain that was typed without --overlap is an error, and could not be told from one that was
    # not.
    drain: Annotated[
        str | None,
        typer.Option(
            "--drain",
            metavar="DURATION",
            help="Delete the old key only once it was unused for this duration; with --overlap.  [default: 5m]",
        ),
    ] = None
    leaked: Annotated[
        bool,
        typer.Option(
            "--leaked", help="Delete the old key first, then create and deliver a new one."
        ),
    ] = False

    @property
    def method(self) -> Method:
        """What the options say; UsageError when they cannot be used together."""
        if self.leaked and self.overlap is not None:
            raise UsageError(
                "--leaked deletes the old key at once, --overlap keeps it: give one of them"
            )
        if self.drain is not None and self.overlap is None:
            raise UsageError("--drain says how --overlap ends: give --overlap too")
        if self.overlap is not None:
            return "overlap"
        return "leaked" if self.leaked else "in place"

    def check(self) -> None:
        """Read everything once, so that what is wrong is said before anything is sent."""
        _ = self.method, self.seconds

    @property
    def seconds(self) -> tuple[float, float]:
        """The overlap and the drain."""
        overlap = parse_named(parse_duration, self.overlap or "0s", "--overlap")
        return overlap, parse_named(parse_duration, self.drain or DEFAULT_DRAIN, "--drain")


@dataclass(frozen=True, kw_only=True)
class ManyOptions:
    """Which keys, and how many at a time."""

    every: Annotated[bool, typer.Option("--all", help="Rotate every key of the context.")] = False
    parallel: ParallelOption = 4
    max_failures: Annotated[
        int,
        typer.Option(
            "--max-failures", min=1, metavar="N", help="Start no more rotations after N failures."
        ),
    ] = 10
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")
    ] = False

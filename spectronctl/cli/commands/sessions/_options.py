"""Arguments and options of these commands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli.commands.sessions._format import Format
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.operations.exports import Wanted

SessionArgument = Annotated[str, typer.Argument(metavar="SESSION", help="Id of the session.")]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="PATH", help="Tag it with this path; may be repeated."),
]
ParallelOption = Annotated[
    int, typer.Option("--parallel", min=1, max=32, metavar="N", help="Requests at a time.")
]


class Role(StrEnum):
    """Who may have said a turn."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


@dataclass(frozen=True, kw_only=True)
class TurnOptions:
    """Which turns, and how they are written."""

    format: Annotated[
        Format | None,
        typer.Option(
            "--format", help="How it is written; text, unless -o or the file's name says otherwise."
        ),
    ] = None
    tail: Annotated[
        int | None, typer.Option("--tail", min=0, metavar="N", help="Only the last N turns.")
    ] = None
    from_seq: Annotated[
        int | None,
        typer.Option("--from-seq", min=0, metavar="N", help="Only turns from this seq on."),
    ] = None
    role: Annotated[
        list[Role] | None,
        typer.Option("--role", help="Only turns of this role; may be repeated."),
    ] = None
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with new turns as they come, until interrupted.")
    ] = False

    def check(self) -> None:
        """UsageError for options that exclude each other."""
        if self.tail is not None and self.from_seq is not None:
            raise UsageError("--tail and --from-seq both say where to start: give one of them")

    def choose(self, parallel: int) -> Wanted:
        """What is wanted."""
        from spectronctl.operations.exports import Wanted

        return Wanted(
            tail=self.tail,
            from_seq=self.from_seq,
            roles=tuple(sorted({role.value for role in self.role or ()})),
            parallel=parallel,
        )


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """Where transcripts are written; to stdout when nothing is said."""

    output_file: Annotated[
        Path | None, typer.Option("--output-file", metavar="PATH", help="Write to this file.")
    ] = None
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", metavar="PATH", help="Write a file per session in here."),
    ] = None
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with what an interrupted run has left in the files."),
    ] = False
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there already.")
    ] = False

    def check(self) -> None:
        """UsageError for options that exclude or need each other."""
        if self.output_file and self.output_dir:
            raise UsageError("--output-file and --output-dir exclude each other")
        for option, given in {"--resume": self.resume, "--force": self.force}.items():
            if given and not (self.output_file or self.output_dir):
                raise UsageError(f"{option} is about files: name one with --output-file PATH")

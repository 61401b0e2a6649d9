"""Arguments and options of these commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli.commands._periods import check_period, find_period
from spectronctl.cli.commands.sessions._format import Format
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.client import Client
    from spectronctl.operations.exports import Wanted
    from spectronctl.operations.transcripts import Said

SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="Use the session with this id.")
]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope", metavar="PATH", help="Tag the session with this path; may be repeated."
    ),
]
ParallelOption = Annotated[
    int,
    typer.Option(
        "--parallel", min=1, max=32, metavar="N", help="Send N requests at the same time."
    ),
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
            "--format", help="Choose the format; by default text, or what -o or the file name says."
        ),
    ] = None
    tail: Annotated[
        int | None, typer.Option("--tail", min=0, metavar="N", help="Print only the last N turns.")
    ] = None
    from_seq: Annotated[
        int | None,
        typer.Option(
            "--from-seq", min=0, metavar="N", help="Print only turns from this number (seq) on."
        ),
    ] = None
    role: Annotated[
        list[Role] | None,
        typer.Option("--role", help="Print only turns of this role; may be repeated."),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Print only turns said since this time: 7d (ago), or 2026-05-01.",
        ),
    ] = None
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="Print only turns said until this time: 7d (ago), or 2026-05-01.",
        ),
    ] = None
    grep: Annotated[
        str | None,
        typer.Option(
            "--grep",
            metavar="PATTERN",
            help="Print only turns whose text this regular expression finds; (?i) ignores case.",
        ),
    ] = None
    follow: Annotated[
        bool, typer.Option("--follow", help="Print new turns as they come, until interrupted.")
    ] = False

    def check(self) -> None:
        """UsageError for options that cannot be used together."""
        if self.tail is not None and self.from_seq is not None:
            raise UsageError("--tail and --from-seq both say where to start: give one of them")
        if self.follow and self.until is not None:
            raise UsageError("--follow waits for new turns, and --until ends before them")
        check_period(self.since, self.until)
        # For its error alone: a wrong pattern is refused before anything is sent.
        _compile(self.grep)

    def _find_said(self, client: Client) -> Said:
        from spectronctl.operations.transcripts import ANYTHING, Said

        typed = (self.since, self.until, self.grep)
        # The common case asks no server for its time.
        if not any(typed):
            return ANYTHING
        since, until = find_period(client, self.since, self.until)
        return Said(since, until, _compile(self.grep), typed=typed)

    def choose(self, client: Client, parallel: int) -> Wanted:
        """What is wanted; the client tells the server's time, if that matters."""
        from spectronctl.operations.exports import Wanted

        return Wanted(
            tail=self.tail,
            from_seq=self.from_seq,
            # Sorted, for a file that is resumed: it holds what was wanted, and the order of options makes no
            # difference.
            roles=tuple(sorted({role.value for role in self.role or ()})),
            said=self._find_said(client),
            parallel=parallel,
        )


def _compile(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as exc:
        raise UsageError(f"--grep {pattern!r}: not a regular expression: {exc}") from None


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """Where transcripts are written; to stdout when nothing is said."""

    output_file: Annotated[
        Path | None, typer.Option("--output-file", metavar="PATH", help="Write to this file.")
    ] = None
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir", metavar="PATH", help="Write a file for each session to this directory."
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue the files of an interrupted run."),
    ] = False
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False

    def check(self) -> None:
        """UsageError for options that exclude or need each other."""
        for option, path in {
            "--output-file": self.output_file,
            "--output-dir": self.output_dir,
        }.items():
            if path == Path("-"):
                raise UsageError(
                    f"{option} takes a path, and - is not one",
                    hint="Leave it out: a transcript goes to stdout. For a file of that name, write ./-.",
                )
        if self.output_file and self.output_dir:
            raise UsageError("--output-file and --output-dir cannot be used together")
        for option, given in {"--resume": self.resume, "--force": self.force}.items():
            if given and not (self.output_file or self.output_dir):
                raise UsageError(f"{option} is about files: name one with --output-file PATH")

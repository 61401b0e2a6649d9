"""`spectronctl sessions transcript`"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._format import (
    Format,
    check_endless,
    choose_for_file,
    choose_for_stdout,
)
from spectronctl.cli.commands.sessions._options import ParallelOption
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.cli.commands.sessions._turns import Wanted
    from spectronctl.cli.runtime import Runtime

app = App()


class Role(StrEnum):  # Typer repeats no Literal
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

    def choose(self, format: Format, parallel: int) -> Wanted:
        """What is wanted, in that format."""
        from spectronctl.cli.commands.sessions._turns import Wanted

        return Wanted(
            format=format.value,
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


@app.command()
def print_transcript(
    ctx: Context,
    turns: TurnOptions,
    files: FileOptions,
    session: Annotated[
        list[str] | None, typer.Argument(metavar="SESSION", help="Ids of the sessions.")
    ] = None,
    all_sessions: Annotated[
        bool, typer.Option("--all", help="Every session of the context, with --output-dir.")
    ] = False,
    parallel: ParallelOption = 4,
) -> None:
    """Print what was said in a session, or write it to a file; many sessions at once, too."""
    rt = ctx.runtime
    ids = list(dict.fromkeys(session or ()))
    turns.check()
    files.check()
    _check_sessions(ids, turns, files, all_sessions=all_sessions)
    if files.output_dir:
        _export_many(rt, turns, files, None if all_sessions else ids, parallel)
    elif files.output_file:
        _export_one(rt, turns, files, files.output_file, ids[0], parallel)
    else:
        _print_one(rt, turns, ids[0], parallel)


def _check_sessions(
    ids: list[str], turns: TurnOptions, files: FileOptions, *, all_sessions: bool
) -> None:
    if all_sessions and ids:
        raise UsageError("--all and the ids of sessions exclude each other")
    if not all_sessions and not ids:
        raise UsageError(
            "no session named",
            hint="Name one, or export every one with --all --output-dir PATH.",
            command="spectronctl sessions list",
        )
    if (all_sessions or len(ids) > 1) and not files.output_dir:
        raise UsageError(
            "several transcripts do not go to one place",
            hint="Name a directory: --output-dir PATH.",
        )
    if turns.follow and files.output_dir:
        raise UsageError("--follow has one session and no --output-dir")


def _print_one(rt: Runtime, turns: TurnOptions, session_id: str, parallel: int) -> None:
    from spectronctl.cli.commands.sessions._printing import (
        check_shaping,
        follow_transcript,
        print_transcript,
    )

    chosen = choose_for_stdout(rt, turns.format)
    check_shaping(rt, turns.format, follow=turns.follow)
    if turns.follow:
        check_endless(chosen)
    with open_plane(rt) as (client, context):
        show = follow_transcript if turns.follow else print_transcript
        show(rt, turns.choose(chosen, parallel).bind(client, context, session_id))


def _export_one(
    rt: Runtime,
    turns: TurnOptions,
    files: FileOptions,
    path: Path,
    session_id: str,
    parallel: int,
) -> None:
    from spectronctl.cli.commands.sessions._exports import Export, export_one

    chosen = choose_for_file(turns.format, path)
    if turns.follow:
        check_endless(chosen)
    with open_plane(rt) as (client, context):
        source = turns.choose(chosen, parallel).bind(client, context, session_id)
        export = Export(source, path, resume=files.resume, force=files.force)
        export_one(rt, export, follow=turns.follow)


def _export_many(
    rt: Runtime,
    turns: TurnOptions,
    files: FileOptions,
    ids: list[str] | None,
    parallel: int,
) -> None:
    from spectronctl.cli.commands.sessions._exports import export_many

    wanted = turns.choose(choose_for_file(turns.format), parallel)
    assert files.output_dir
    export_many(rt, wanted, ids, files.output_dir, resume=files.resume, force=files.force)

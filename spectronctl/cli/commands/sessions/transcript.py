"""`spectronctl sessions transcript`"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from spectronctl.api import sessions as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.batch import Batch, Outcome
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.commands.sessions._format import (
    SUFFIXES,
    Format,
    check_endless,
    choose_for_file,
    choose_for_stdout,
)
from spectronctl.cli.commands.sessions._naming import resolve_session, resolve_sessions
from spectronctl.cli.commands.sessions._options import FileOptions, ParallelOption, TurnOptions
from spectronctl.cli.commands.sessions._view import EXPORTED, NO_LIST
from spectronctl.cli.listing import refuse_limit
from spectronctl.errors import RequestError, SpectronctlError, UsageError, WaitTimeoutError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.client import Client
    from spectronctl.operations.exports import Export, Source

    Exported = Outcome[tuple[Path, Export], None]

app = App()

INTERRUPTED = "interrupted; the same command with --resume goes on"
RESUMES = "The same command with --resume goes on."


@app.command()
def print_transcript(
    ctx: Context,
    turns: TurnOptions,
    files: FileOptions,
    session: Annotated[
        list[str] | None, typer.Argument(metavar="SESSION", help="Use the sessions with these ids.")
    ] = None,
    all_sessions: Annotated[
        bool, typer.Option("--all", help="Write every session of the context; needs --output-dir.")
    ] = False,
    parallel: ParallelOption = 4,
) -> None:
    """
    Print the transcript of a session, or write many to files.

    Examples:
      spectronctl sessions transcript session:01JC4YKM3VQ8Z5T2N7XW9RHEA1 --tail 20
      spectronctl sessions transcript session:01JC4YKM3VQ8Z5T2N7XW9RHEA1 --since 7d
      spectronctl sessions transcript session:01JC4YKM3VQ8Z5T2N7XW9RHEA1 -o json
      spectronctl sessions transcript --all --output-dir . --format json
    """
    rt = ctx.runtime
    ids = list(dict.fromkeys(session or ()))
    turns.check()
    files.check()
    _check_sessions(ids, turns, files, all_sessions=all_sessions)
    if all_sessions:
        refuse_limit(rt, "--all")
    if files.output_dir:
        _export_many(rt, turns, files, files.output_dir, None if all_sessions else ids, parallel)
    elif files.output_file:
        _export_one(rt, turns, files, files.output_file, ids[0], parallel)
    else:
        _print_one(rt, turns, ids[0], parallel)


def _check_sessions(
    ids: list[str], turns: TurnOptions, files: FileOptions, *, all_sessions: bool
) -> None:
    if all_sessions and ids:
        raise UsageError("--all and the ids of sessions cannot be used together")
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
        session_id = resolve_session(client, context, session_id)
        show = follow_transcript if turns.follow else print_transcript
        show(rt, turns.choose(client, parallel).bind(client, context, session_id), chosen.value)


def _export_one(
    rt: Runtime,
    turns: TurnOptions,
    files: FileOptions,
    path: Path,
    session_id: str,
    parallel: int,
) -> None:
    """Write one transcript and say where it is."""
    import time

    from spectronctl.cli.commands.sessions._printing import tell_failure

    chosen = choose_for_file(turns.format, path)
    if turns.follow:
        check_endless(chosen)
    rt.out.check(EXPORTED)
    _refuse_limit(rt)
    with open_plane(rt) as (client, context), rt.out.progress("turns") as progress:
        session_id = resolve_session(client, context, session_id)
        source = turns.choose(client, parallel).bind(client, context, session_id)
        export = _make_export(source, path, chosen, files)
        try:
            export.run(
                lambda count: progress.advance(count=count),
                # A file has no reader who may leave, unlike stdout, where the pause also watches for that.
                follow=time.sleep if turns.follow else None,
                on_failure=partial(tell_failure, rt),
            )
        except (RequestError, WaitTimeoutError) as exc:
            exc.hint = " ".join(filter(None, [exc.hint, RESUMES]))
            raise
        except KeyboardInterrupt:
            # To interrupt is how following ends, and the file is whole then.
            if not turns.follow:
                rt.out.leave(INTERRUPTED)
            raise
    rt.out.done(_describe(path, export), EXPORTED, _tell(path, export))


def _refuse_limit(rt: Runtime) -> None:
    # A limit of the environment is for lists that are shown: it must not make an export partial.
    if rt.flags.get("limit") is not None:
        raise UsageError(
            "--limit would leave a file that looks whole and is not",
            hint="--tail N writes the last N turns.",
        )


def _export_many(
    rt: Runtime,
    turns: TurnOptions,
    files: FileOptions,
    directory: Path,
    ids: list[str] | None,
    parallel: int,
) -> None:
    """Write the transcripts of these sessions, or of all, each with what became of it; fail when any did."""
    chosen = choose_for_file(turns.format)
    rt.out.check(EXPORTED)
    _refuse_limit(rt)
    if not directory.is_dir():
        raise UsageError(f"there is no directory {directory}", command=f"mkdir -p {directory}")
    with open_plane(rt) as (client, context):
        ids = _list_ids(client, context) if ids is None else resolve_sessions(client, context, ids)
        # All of them before the first is written: each file is refused once more when it is opened.
        _check_new(name_files(ids, chosen, directory), files)
        # --parallel bounds the requests of all together: few sessions share it out among their pages.
        at_once = max(1, min(parallel, len(ids)))
        wanted = turns.choose(client, max(1, parallel // at_once))
        exports = [
            (path, _make_export(wanted.bind(client, context, each), path, chosen, files))
            for each, path in zip(ids, name_files(ids, chosen, directory), strict=True)
        ]
        batch = _make_batch(at_once)
        outcomes = batch.run(rt, exports)
    rt.out.rows([_describe(*outcome.item, outcome.error) for outcome in outcomes], EXPORTED)
    batch.raise_failures(outcomes, advice=RESUMES)


def _list_ids(client: Client, context: str) -> list[str]:
    with explain_missing(NO_LIST):
        return [session.id for session in client.items(api.list_sessions(context))]


def _make_export(source: Source, path: Path, format: Format, files: FileOptions) -> Export:
    from spectronctl.operations.exports import Export
    from spectronctl.output.transcripts import TranscriptFile

    def open_file() -> TranscriptFile:
        return TranscriptFile.open(
            path, format.value, export=source.identity, resume=files.resume, force=files.force
        )

    return Export(source, open_file)


def _make_batch(parallel: int) -> Batch[tuple[Path, Export], None]:
    def check(count: int) -> None:
        # Asked after every batch of turns: an export that is interrupted there is resumed from that place.
        if batch.stopped.is_set():
            raise SpectronctlError("interrupted")

    batch = Batch[tuple[Path, "Export"], None](
        work=lambda item: item[1].run(check),
        label="sessions",
        plural="exports",
        say=lambda outcome: _tell(*outcome.item, outcome.error),
        after_interrupt=lambda outcomes: INTERRUPTED,
        parallel=parallel,
        # A typed --limit was refused above, with a reason of its own.
        is_limited=True,
    )
    return batch


def name_files(ids: Sequence[str], format: Format, directory: Path) -> list[Path]:
    """A file per session. No two ids have one name, and none leads out of the directory."""
    # Windows has no colon in names, so it becomes an underscore; those that are in an id are escaped first, or two ids
    # could meet in one name.
    names = (quote(each, safe=":").replace("_", "%5F").replace(":", "_") for each in ids)
    return [directory / (name + SUFFIXES[format]) for name in names]


def _check_new(paths: Sequence[Path], files: FileOptions) -> None:
    there = [] if files.resume or files.force else [path for path in paths if path.exists()]
    if there:
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(
            f"{there[0]} already exists{more}",
            hint="Pass --resume to leave what is whole and go on with the rest, or --force to replace all.",
        )


def _describe(path: Path, export: Export, error: SpectronctlError | None = None) -> dict[str, Any]:
    """What became of it, as it is shown."""
    return {
        "session": export.source.session_id,
        "file": str(path),
        "status": export.status,
        "turns": export.turns,
        "error": error.message if error else None,
    }


def _tell(path: Path, export: Export, error: SpectronctlError | None = None) -> str:
    name = export.source.session_id
    if error:
        return f"{name}: {error.message}"
    if export.status == "was there":
        return f"{path} was already complete."
    return f"Wrote {export.turns} turns of {name} to {path}."

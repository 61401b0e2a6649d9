"""`spectronctl sessions import`"""

# ruff: noqa: N999 - a module bears the name of its verb, and this one is loaded by name only

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.sessions._naming import resolve_session
from spectronctl.cli.commands.sessions._options import ParallelOption, ScopeOption
from spectronctl.cli.commands.sessions._view import IMPORTED
from spectronctl.errors import ConflictError, SpectronctlError, UsageError
from spectronctl.ground.times import parse_time

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.facts import Message
    from spectronctl.models.sessions import Session
    from spectronctl.operations.conversations import Conversation, Origin
    from spectronctl.operations.imports import Progress

app = App()


@app.command()
def import_conversation(
    ctx: Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help="""Read lines of {"role": …, "content": …, "ts": …}, or a transcript exported as JSON.""",
        ),
    ],
    session: Annotated[
        str | None,
        typer.Option(
            "--session",
            metavar="SESSION",
            help="Append to this session; by default a new one is created.",
        ),
    ] = None,
    scope: ScopeOption = None,
    parallel: ParallelOption = 4,
) -> None:
    """
    Append a conversation from a file to a session; safe to repeat.

    A new session takes its scopes, metadata and time of creation from a JSON export, and every turn its time. Ids are
    new, and memories are no part of an export.

    Examples:
      spectronctl sessions import talk.jsonl
      spectronctl sessions import talk.jsonl --scope org/acme
    """
    rt = ctx.runtime
    rt.out.check(IMPORTED)
    if session and scope:
        raise UsageError("--scope is for a session that is made, and --session names one")
    with _open_conversation(rt, file) as conversation:
        done = _import(rt, conversation, file, session, scope, parallel)
    outcome = {"session": done.session_id, "found": done.found, "sent": done.sent}
    before = f"; {done.found} were there before" if done.found else ""
    note = f"Imported {done.sent} turns into {done.session_id}{before}."
    told = _list_losses(conversation.origin, done.made, scope)
    rt.out.done(outcome, IMPORTED, "\n".join([note, *told]))


def _list_losses(
    origin: Origin | None, made: Session | None, scope: list[str] | None
) -> Iterator[str]:
    """What an export says of its session, and the session that the turns are in now does not have."""
    if origin is None:
        return
    if made is None:
        yield "The session keeps its own scopes, metadata and time: those of the export were not taken over."
        return
    if not (scope or origin.scopes):
        yield "The export names no scopes: the session has those of the key. Pass --scope to choose them."
    if origin.created_at and parse_time(origin.created_at) != parse_time(made.created_at):
        yield f"The server dates sessions itself: that this one was created at {origin.created_at} is lost."


def _import(
    rt: Runtime,
    conversation: _Conversation,
    file: str,
    session: str | None,
    scope: list[str] | None,
    parallel: int,
) -> Progress:
    from spectronctl.operations.conversations import Origin
    from spectronctl.operations.imports import import_turns

    reached: Progress | None = None
    # A session that is named has all of this already.
    origin = (None if session else conversation.origin) or Origin()

    with (
        open_plane(rt) as (client, context),
        rt.out.progress("turns", conversation.total) as progress,
    ):

        def note(now: Progress) -> None:
            nonlocal reached
            before = reached.found + reached.sent if reached else 0
            reached = now
            # The first report comes with no turns, once the session is known: from then on a failure can name it.
            if count := now.found + now.sent - before:
                progress.advance(count=count)

        target = resolve_session(client, context, session) if session else None
        try:
            return import_turns(
                client,
                context,
                conversation.messages,
                session_id=target,
                scopes=scope or origin.scopes or None,
                metadata=origin.metadata,
                created_at=origin.created_at,
                source=conversation.source,
                parallel=parallel,
                attempts=1 + rt.settings.retries.value,
                report=note,
            )
        except (SpectronctlError, KeyboardInterrupt) as exc:
            if reached:
                _describe_continuation(rt, exc, file, reached)
            raise


def _describe_continuation(
    rt: Runtime, exc: SpectronctlError | KeyboardInterrupt, file: str, reached: Progress
) -> None:
    command = f"spectronctl sessions import {shlex.quote(file)} --session {reached.session_id}"
    count = reached.found + reached.sent
    if isinstance(exc, KeyboardInterrupt):
        rt.out.warn(f"interrupted after {count} turns; {command} goes on")
    # The same command would meet the same conflict: the session holds another conversation.
    elif not isinstance(exc, ConflictError):
        told = f"By now session {reached.session_id} holds {count} of the turns."
        exc.hint = " ".join(filter(None, [exc.hint, told]))
        exc.command = exc.command or command


@dataclass(frozen=True)
class _Conversation:
    """Messages, how many there are where that can be known, and what tells their source from another."""

    messages: Iterator[Message]
    total: int | None
    source: str
    origin: Origin | None


@contextmanager
def _open_conversation(rt: Runtime, name: str) -> Iterator[_Conversation]:
    """
    Open a file, or stdin for `-`.

    UsageError names the line that is broken: of a file at once, of what can be read only once when it is its turn.
    """
    if name == "-":
        read = _read(rt.inputs.open_stdin("FILE"), "stdin")
        yield _Conversation(read.messages, None, name, read.origin)
        return
    try:
        file = open(name, "rb")  # noqa: SIM115 - closed below; only a failure to open is a usage error
    except OSError as exc:
        raise UsageError(f"{name}: {exc.strerror}") from None
    with file:
        total = None
        # Read twice, so that a broken line is found before anything is sent, and the bar knows its end. A pipe can be
        # read once.
        if file.seekable():
            total = sum(1 for _ in _read(file, name).messages)
            file.seek(0)
        read = _read(file, name)
        # By whichever path: for 24 hours the same file with the same beginning comes to the same new session.
        yield _Conversation(read.messages, total, os.path.realpath(name), read.origin)


def _read(file: BinaryIO, name: str) -> Conversation:
    from spectronctl.operations.conversations import parse_conversation

    return parse_conversation(_decode(file, name), name)


def _decode(lines: Iterable[bytes], name: str) -> Iterator[str]:
    from spectronctl.ground.documents import DocumentError, decode_document

    for number, line in enumerate(lines, 1):
        try:
            # A mark of Windows editors stands at the very beginning only; further on it is a character of the text.
            yield decode_document(line) if number == 1 else line.decode()
        except (DocumentError, UnicodeDecodeError) as exc:
            problem = exc.problem if isinstance(exc, DocumentError) else "not UTF-8"
            raise UsageError(f"{name}, line {number}: {problem}") from None

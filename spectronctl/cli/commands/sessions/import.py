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
from spectronctl.cli.commands.sessions._options import ParallelOption, ScopeOption
from spectronctl.cli.commands.sessions._view import IMPORTED
from spectronctl.errors import ConflictError, SpectronctlError, UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.facts import Message
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
    """Append a conversation from a file to a session; safe to repeat."""
    rt = ctx.runtime
    rt.out.check(IMPORTED)
    if session and scope:
        raise UsageError("--scope is for a session that is made, and --session names one")
    with _open_conversation(rt, file) as conversation:
        done = _import(rt, conversation, file, session, scope, parallel)
    outcome = {"session": done.session_id, "found": done.found, "sent": done.sent}
    before = f"; {done.found} were there before" if done.found else ""
    rt.out.done(outcome, IMPORTED, f"Imported {done.sent} turns into {done.session_id}{before}.")


def _import(
    rt: Runtime,
    conversation: _Conversation,
    file: str,
    session: str | None,
    scope: list[str] | None,
    parallel: int,
) -> Progress:
    from spectronctl.operations.imports import import_turns

    reached: Progress | None = None

    with (
        open_plane(rt) as (client, context),
        rt.out.progress("turns", conversation.total) as progress,
    ):

        def note(now: Progress) -> None:
            nonlocal reached
            before = reached.found + reached.sent if reached else 0
            reached = now
            if count := now.found + now.sent - before:
                progress.advance(count=count)

        try:
            return import_turns(
                client,
                context,
                conversation.messages,
                session_id=session,
                scopes=scope or None,
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


@contextmanager
def _open_conversation(rt: Runtime, name: str) -> Iterator[_Conversation]:
    """
    Open a file, or stdin for `-`.

    UsageError names the line that is broken: of a file at once, of what can be read only once when it is its turn.
    """
    if name == "-":
        yield _Conversation(_read(rt.inputs.open_stdin("FILE"), "stdin"), None, name)
        return
    try:
        file = open(name, "rb")  # noqa: SIM115 - closed below; only a failure to open is a usage error
    except OSError as exc:
        raise UsageError(f"{name}: {exc.strerror}") from None
    with file:
        total = None
        if file.seekable():
            total = sum(1 for _ in _read(file, name))
            file.seek(0)
        yield _Conversation(_read(file, name), total, os.path.realpath(name))


def _read(file: BinaryIO, name: str) -> Iterator[Message]:
    from spectronctl.operations.conversations import parse_messages

    return parse_messages(_decode(file, name), name)


def _decode(lines: Iterable[bytes], name: str) -> Iterator[str]:
    from spectronctl.ground.documents import DocumentError, decode_document

    for number, line in enumerate(lines, 1):
        try:
            yield decode_document(line) if number == 1 else line.decode()
        except (DocumentError, UnicodeDecodeError) as exc:
            problem = exc.problem if isinstance(exc, DocumentError) else "not UTF-8"
            raise UsageError(f"{name}, line {number}: {problem}") from None

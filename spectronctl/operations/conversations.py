"""Conversations as files hold them: JSON lines, or the tool's own JSON export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from spectronctl.errors import UsageError
from spectronctl.ground.documents import DocumentError, parse_json
from spectronctl.ground.vocabulary import ROLES
from spectronctl.models.facts import Message

SHAPE = 'Each turn is {"role": …, "content": …} with an optional "ts", one per line, or an export of this tool.'


@dataclass(frozen=True)
class Origin:
    """What an export says of the session that it was made from: `scopes` as a server takes them, a time as RFC 3339."""

    id: str | None = None
    scopes: Any = None
    metadata: Any = None
    created_at: str | None = None


@dataclass(frozen=True)
class Conversation:
    """The messages of a file, and where they are from, if it says."""

    messages: Iterator[Message]
    origin: Origin | None = None


def parse_conversation(lines: Iterable[str], name: str) -> Conversation:
    """
    What a file holds: one object per line; or an array of turns; or an export, `{"session": …, "turns": […]}`.

    Lines are read as they are wanted, a JSON document at once. UsageError names the file, and the line or turn that
    is broken; everything before it has been handed out.
    """
    rest = iter(lines)
    # The first line alone decides the format, so that a file of a million lines is read as its turns are sent.
    blank, first = 0, next(rest, None)
    while first is not None and not first.strip():
        blank, first = blank + 1, next(rest, None)
    if first is None:
        return Conversation(iter(()))
    if _opens_document(first):
        return _parse_document(first + "".join(rest), name)
    return Conversation(_parse_lines(chain([first], rest), name, blank + 1))


def _opens_document(line: str) -> bool:
    """Whether a first line is that of a JSON document, and not of JSON lines."""
    text = line.strip()
    # An indented document has a brace alone on its first line, which no turn has.
    if text.startswith("[") or text == "{":
        return True
    try:
        value = parse_json(text)
    except DocumentError:
        return False
    # A compact export is one line, as a turn is. A turn may have a field `turns`, but an export has no role.
    return isinstance(value, dict) and "turns" in value and "role" not in value


def _parse_lines(lines: Iterable[str], name: str, first: int) -> Iterator[Message]:
    for number, line in enumerate(lines, first):
        if line.strip():
            where = f"{name}, line {number}"
            yield _parse_message(_decode(line, where), where)


def _parse_document(text: str, name: str) -> Conversation:
    document = _decode(text, name)
    turns = document.get("turns") if isinstance(document, dict) else document
    if not isinstance(turns, list):
        raise UsageError(f"{name}: an array of turns is missing", hint=SHAPE)
    messages = (_parse_message(turn, f"{name}, turn {n}") for n, turn in enumerate(turns, 1))
    return Conversation(messages, _parse_origin(document, name))


def _parse_origin(document: Any, name: str) -> Origin | None:
    session = document.get("session") if isinstance(document, dict) else None
    if not isinstance(session, dict):
        return None
    made = session.get("created_at") or session.get("createdAt")
    return Origin(
        id=session.get("id"),
        scopes=session.get("scopes"),
        metadata=session.get("metadata"),
        created_at=None if made is None else _check_time(made, f"{name}, session", "created_at"),
    )


def _decode(text: str, where: str) -> Any:
    try:
        return parse_json(text)
    except DocumentError as exc:
        # Of JSON lines each is a document of its own, so its own line is always 1: the file's line stands in `where`.
        place = f" at {exc.where.removeprefix('line 1, ')}" if exc.where else ""
        raise UsageError(f"{where}: {exc.problem}{place}", hint=SHAPE) from None


def _parse_message(turn: Any, where: str) -> Message:
    if not isinstance(turn, dict):
        raise UsageError(f"{where}: not an object", hint=SHAPE)
    role, content = turn.get("role"), turn.get("content")
    if role not in ROLES:
        raise UsageError(f"{where}: role: {role!r} is not one of {', '.join(ROLES)}")
    if not isinstance(content, str):
        raise UsageError(f"{where}: content: a string is needed", hint=SHAPE)
    _check_text(content, where)
    message = Message(role=role, content=content)
    # `created_at` is how an export names it, in either spelling of the server that it came from.
    ts = turn.get("ts") or turn.get("created_at") or turn.get("createdAt")
    if ts is not None:
        message["ts"] = _check_time(ts, where, "ts")
    return message


def _check_text(content: str, where: str) -> None:
    try:
        # A lone surrogate is valid in JSON as an escape, and cannot be sent. Found here, the message names the turn,
        # not the request.
        content.encode()
    except UnicodeEncodeError as exc:
        code = f"U+{ord(content[exc.start]):04X}"
        raise UsageError(f"{where}: content: {code} is not a character on its own") from None


def _check_time(ts: Any, where: str, field: str) -> str:
    try:
        # A time without a zone would be the server's in one place and this machine's in another.
        aware = datetime.fromisoformat(ts).tzinfo is not None
    except (TypeError, ValueError):
        aware = False
    if not aware:
        raise UsageError(
            f"{where}: {field}: {ts!r} is not a time with a time zone",
            hint="For instance 2026-05-01T12:30:00Z.",
        )
    return str(ts)

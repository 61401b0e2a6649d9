"""Transcripts for programs: every turn as the server sent it."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticSerializationError
from pydantic_core import to_json as to_json_bytes

from spectronctl.ground.text import escape_in_json
from spectronctl.output.documents import to_json
from spectronctl.output.transcripts._format import Format, Session, Turn

COLUMNS = ("seq", "role", "created_at", "content")


def make_json() -> Format:
    """One document, `{"session": …, "turns": […]}`; `sessions import` reads it."""
    return Format(
        write_head=_open_document,
        write_turn=lambda turn: "\n    " + to_json(turn, indent=2).replace("\n", "\n    "),
        between=",",
        tail="\n  ]\n}\n",
    )


def _open_document(session: Session) -> str:
    held = to_json(session, indent=2).replace("\n", "\n  ")
    return f'{{\n  "session": {held},\n  "turns": ['


def make_json_lines() -> Format:
    """A turn per line."""
    return Format(write_turn=_write_line)


def _write_line(turn: Turn) -> str:
    # As `to_json` spells it, several times faster: a transcript may have a million of these.
    try:
        text = to_json_bytes(turn, inf_nan_mode="null").decode()
    except (PydanticSerializationError, UnicodeError):  # a lone surrogate
        return to_json(turn) + "\n"
    return escape_in_json(text) + "\n"


def make_csv() -> Format:
    """The columns that every turn has. Content stands as it is, what a spreadsheet calculates among it."""
    return Format(
        write_head=lambda session: ",".join(COLUMNS) + "\n",
        write_turn=_write_row,
    )


def _write_row(turn: Turn) -> str:
    return ",".join([_write_cell(turn.get(name)) for name in COLUMNS]) + "\n"


def _write_cell(value: Any) -> str:
    """A cell as documents.format_csv writes it, several times faster."""
    text = "" if value is None else value if isinstance(value, str) else to_json(value)
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return f'"{text}"' if "," in text or "\n" in text or "\r" in text else text

"""The formats by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spectronctl.errors import UsageError
from spectronctl.output.rendering import Terminal
from spectronctl.output.transcripts._format import Format, Session, Turn
from spectronctl.output.transcripts._markdown import make_markdown
from spectronctl.output.transcripts._page import make_page
from spectronctl.output.transcripts._records import make_csv, make_json, make_json_lines
from spectronctl.output.transcripts._text import make_text

_MAKERS = {
    "markdown": make_markdown,
    "html": make_page,
    "json": make_json,
    "jsonl": make_json_lines,
    "csv": make_csv,
}

FORMATS = ("text", *_MAKERS)


def format_transcript(
    format: str, session: Session, turns: Iterable[Turn], *, terminal: Terminal | None = None
) -> Iterator[str]:
    """
    The pieces of a transcript, one per turn, a head before them and a tail after them.

    `session` has at least an `id`, a turn `seq`, `role`, `content`, `created_at`. Nothing is held. Text is drawn
    for `terminal`; every other format, and text without a terminal, is the same everywhere. UsageError for a format
    that there is not.
    """
    return _write(find_format(format, terminal), session, turns)


def _write(spelling: Format, session: Session, turns: Iterable[Turn]) -> Iterator[str]:
    yield spelling.write_head(session)
    # Written in front of each further turn and not behind each: the last one is known only when there is no other.
    between = ""
    for turn in turns:
        yield between + spelling.write_turn(turn)
        between = spelling.between
    yield spelling.tail


def find_format(name: str, terminal: Terminal | None = None) -> Format:
    """How a format spells a transcript; UsageError for a name that there is not."""
    if name == "text":
        return make_text(terminal)
    if name not in _MAKERS:
        raise UsageError(
            f"there is no transcript format {name!r}",
            hint=f"The formats are {', '.join(FORMATS)}.",
            candidates=FORMATS,
        )
    return _MAKERS[name]()

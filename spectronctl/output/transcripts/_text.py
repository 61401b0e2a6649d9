"""
Transcripts as plain text, for reading.

Content is indented, so that no line of it can be taken for the one that opens a turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from spectronctl.ground.text import escape, escape_steering
from spectronctl.output.cells import measure
from spectronctl.output.rendering import Terminal
from spectronctl.output.transcripts._format import Format, Turn, find_moment, format_moment

INDENT = "  "

_MIN_WIDTH = 20
_BOLD, _DIM = "1", "2"
_COLORS = {"user": "1;36", "assistant": "1;32", "system": "1;33", "tool": "1;35"}

_SHOWN_AS_IT_IS = re.compile("[^\n\t]+")
_WORD = re.compile(" +|[^ ]+")


def make_text(terminal: Terminal | None) -> Format:
    """Text for a terminal, wrapped to its width; without one, the same bytes everywhere."""
    if terminal is None:
        return Format(write_turn=_write_plain, between="\n")
    return Format(write_turn=lambda turn: _draw(turn, terminal), between="\n")


def _write_plain(turn: Turn) -> str:
    opening = f"#{turn['seq']} {escape(turn['role'])} {format_moment(turn)}".rstrip()
    return (
        "\n".join([opening, *map(_indent, _parse_lines(turn["content"], escape_steering))]) + "\n"
    )


def _draw(turn: Turn, terminal: Terminal) -> str:
    width = max(terminal.width, _MIN_WIDTH) - len(INDENT)
    lines = [_draw_opening(turn, color=terminal.color)]
    for line in _parse_lines(turn["content"], escape):
        # A tab's width depends on the column it begins in, and the indent moves that.
        lines.extend(map(_indent, _wrap(line.expandtabs(4), width)))
    return "\n".join(lines) + "\n"


def _draw_opening(turn: Turn, *, color: bool) -> str:
    # The reader's own time on a terminal; in a file, which is read elsewhere, UTC.
    moment = find_moment(turn, zone=None)
    role = escape(turn["role"])
    when = f"{moment:%Y-%m-%d %H:%M}" if moment else format_moment(turn)
    rest = f"{when}  #{turn['seq']}"
    if not color:
        return f"{role}  {rest}"
    return f"\x1b[{_COLORS.get(role, _BOLD)}m{role}\x1b[0m  \x1b[{_DIM}m{rest}\x1b[0m"


def _parse_lines(content: str, spell: Callable[[str], str]) -> list[str]:
    text = content.replace("\r\n", "\n")
    return _SHOWN_AS_IT_IS.sub(lambda match: spell(match.group()), text).split("\n")


def _indent(line: str) -> str:
    return INDENT + line if line else ""


def _wrap(line: str, width: int) -> Iterator[str]:
    """Lines of at most `width` cells; blanks are lost where a line is broken, and nowhere else."""
    held, used = "", 0
    for word in _WORD.findall(line.rstrip(" ")):
        size = measure(word)
        if used + size <= width:
            held, used = held + word, used + size
            continue
        if held.strip():
            yield held.rstrip()
        *whole, held = _cut("" if word.isspace() else word, width)
        yield from whole
        used = measure(held)
    yield held


def _cut(word: str, width: int) -> Iterator[str]:
    """A word in pieces of at most `width` cells."""
    start, used = 0, 0
    for place, character in enumerate(word):
        size = measure(character)
        if used + size > width:
            yield word[start:place]
            start, used = place, 0
        used += size
    yield word[start:]

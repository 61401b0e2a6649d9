"""
Transcripts as Markdown: a heading per turn, what was said as a quotation below it.

A quotation holds headings, lists and code of its own, and ends where it must. What could reach out of it is defused:
HTML, and definitions of links and footnotes, which hold for the whole document. In code both are only text, and stay
as they are wherever it is beyond doubt that CommonMark sees code too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spectronctl.ground.text import escape
from spectronctl.output.transcripts._format import (
    Format,
    Session,
    Turn,
    format_moment,
    spell_controls,
)

_PUNCTUATION = re.compile(r"[\\`*_{}\[\]<>#|~!&]")
_INDENT = re.compile(r"[ \t]*")

_FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})")
_MAY_BE_FENCE = re.compile(r"`{3}|~{3}")
_TICKS = re.compile(r"`+")
_REACHES_OUT = re.compile(r"(?<!\\)(\\*)(<(?=[A-Za-z/!?])|](?=:))")

Span = tuple[int, int]


def make_markdown() -> Format:
    """CommonMark that no content can break."""
    return Format(write_head=_format_title, write_turn=_format_turn)


def _format_title(session: Session) -> str:
    return f"# Session {_escape_words(str(session['id']))}\n"


def _format_turn(turn: Turn) -> str:
    heading = " · ".join(filter(None, (turn["role"], format_moment(turn))))
    lines = [_expand(line) for line in spell_controls(turn["content"]).split("\n")]
    quoted = "\n".join(f"> {line}" if line else ">" for line in _defuse(lines))
    return f"\n## {turn['seq']} · {_escape_words(heading)}\n\n{quoted}\n"


def _escape_words(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\g<0>", escape(text))


def _expand(line: str) -> str:
    """The line without tabs in front: behind the mark of a quotation they would count for less."""
    indent = _INDENT.match(line).group()  # type: ignore[union-attr] # matches anything
    return indent.expandtabs(4) + line[len(indent) :]


def _defuse(lines: list[str]) -> Iterator[str]:
    number, fences_are_clear, spans_are_clear = 0, True, True
    while number < len(lines):
        line = lines[number]
        end = _find_end_of_fence(lines, number) if fences_are_clear else None
        if end is not None:
            yield from lines[number:end]
            number, spans_are_clear = end, True
            continue
        # Once a line may open a fence where this does not see one, inside a list, say, no later line is known to be
        # outside.
        fences_are_clear = fences_are_clear and not _MAY_BE_FENCE.search(line)
        spans_are_clear = spans_are_clear or not line.strip(" \t")  # no span goes past a blank line
        spans = _find_code(line) if fences_are_clear and spans_are_clear else None
        spans_are_clear = spans is not None
        yield _defuse_line(line, spans or [])
        number += 1


def _find_end_of_fence(lines: list[str], start: int) -> int | None:
    """The line after the fenced code that opens here; None where there is none, or it may end elsewhere."""
    opening = _FENCE.match(lines[start])
    if opening is None:
        return None
    indent, fence = opening.groups()
    closing = re.compile(rf"( *){fence[0]}{{{len(fence)},}}[ \t]*$")
    for number in range(start + 1, len(lines)):
        line = lines[number]
        closes = closing.match(line)
        if closes and len(indent) <= len(closes[1]) <= 3:
            return number + 1
        # An indented fence may belong to the item of a list, and end with it.
        if indent and (closes or (line.strip(" \t") and not line.startswith(indent))):
            return None
    return None if indent else len(lines)


def _find_code(line: str) -> list[Span] | None:
    """Where a line has code between backticks; None where that may hang on what is around it."""
    # An escaped backtick opens no code, but may well close it: what is code then hangs on the order.
    if "\\`" in line:
        return None
    spans: list[Span] = []
    ticks = [match.span() for match in _TICKS.finditer(line)]
    sizes = [end - start for start, end in ticks]
    opening = 0
    while opening < len(ticks):
        try:
            closing = sizes.index(sizes[opening], opening + 1)
        except ValueError:
            return None
        start, end = ticks[opening][0], ticks[closing][1]
        if "|" in line[start:end] or "]:" in line[start:end]:  # cells and definitions come first
            return None
        spans.append((start, end))
        opening = closing + 1
    return spans


def _defuse_line(line: str, code: list[Span]) -> str:
    parts, start = [], 0
    for opening, closing in code:
        parts += [_REACHES_OUT.sub(_defuse_mark, line[start:opening]), line[opening:closing]]
        start = closing
    return "".join([*parts, _REACHES_OUT.sub(_defuse_mark, line[start:])])


def _defuse_mark(match: re.Match[str]) -> str:
    backslashes, mark = match.groups()
    if len(backslashes) % 2:
        return match.group()  # was harmless already
    return backslashes + ("&lt;" if mark == "<" else "\\]")

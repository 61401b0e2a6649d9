"""How one value looks in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from spectronctl.ground.text import escape
from spectronctl.ground.times import parse_time
from spectronctl.output.documents import to_json

MISSING = "-"

_DAY = 86400
_UNITS = (
    ("year", 365 * _DAY),
    ("month", 30 * _DAY),
    ("day", _DAY),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)
_SHORT_UNITS = tuple((unit[0], length) for unit, length in _UNITS if unit != "month")
_MAX_DAYS = 730  # a key of 400 days is told from one of 700


def measure(text: str) -> int:
    """Cells that the text takes in a terminal: two for a wide East Asian character or an emoji, none for an accent."""
    # rich is slow to import, and most tables are of ASCII.
    if text.isascii():
        return len(text)
    # It knows what emoji, joiners and variation selectors make of each other, which no table of Unicode says.
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """The text, or as much of it as `width` cells hold beside an ellipsis."""
    if measure(text) <= width:
        return text
    if text.isascii():
        return f"{text[: width - 1].rstrip()}…"
    from rich.cells import set_cell_size

    return f"{set_cell_size(text, width - 1).rstrip()}…"


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells; a longer word stays in one piece, so that it can be copied."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if measure(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def to_text(value: Any) -> str:
    """A value as words: text as it is, a list joined by commas, anything else as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(part, (list, Mapping)) for part in value):
        return ",".join(map(to_text, value))
    return to_json(value)


def format_value(value: Any) -> str:
    """A value as one cell of text, `-` when there is nothing to see."""
    # Not `if not value`: 0 and false are something to see.
    if value is None or value in ({}, []):
        return MISSING
    return escape(to_text(value)) or MISSING


def format_words(values: list[Any]) -> str:
    """A list as one cell that a line may be broken in between its parts."""
    return ", ".join(map(format_value, values)) or MISSING


def format_age(value: Any, now: datetime) -> str:
    """An RFC 3339 time as seen from `now`: `3 minutes ago`, `in 2 days`; anything else as it is."""
    return _place(value, now, _format_distance)


def format_short_age(value: Any, now: datetime) -> str:
    """The same for a cell of a table: `3m ago`, `in 2d`."""
    return _place(value, now, _format_short_distance)


def _place(value: Any, now: datetime, format_distance: Callable[[int], str]) -> str:
    moment = parse_time(value)
    if moment is None:
        return format_value(value)
    seconds = (now - moment).total_seconds()
    distance = round(abs(seconds))
    if not distance:
        return "now"
    return f"{format_distance(distance)} ago" if seconds > 0 else f"in {format_distance(distance)}"


def _format_distance(seconds: int) -> str:
    unit, length = next(each for each in _UNITS if seconds >= each[1])
    count = seconds // length
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _format_short_distance(seconds: int) -> str:
    units = _SHORT_UNITS if seconds >= _MAX_DAYS * _DAY else _SHORT_UNITS[1:]
    unit, length = next(each for each in units if seconds >= each[1])
    return f"{seconds // length}{unit}"

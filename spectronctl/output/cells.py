"""How one value looks in a table."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from spectronctl.ground.text import escape
from spectronctl.ground.times import parse_time
from spectronctl.output.documents import to_json

MISSING = "-"

_EMOJI_STYLE = "\ufe0f"
_JOINER = "\u200d"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"

_UNITS = (
    ("year", 365 * 86400),
    ("month", 30 * 86400),
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)


def measure(text: str) -> int:
    """Cells that the text takes in a terminal: two for a wide East Asian character or an emoji, none for an accent."""
    return len(text) if text.isascii() else sum(_measure_all(text))


def _measure_all(text: str) -> Iterator[int]:
    before, width = "", 0
    for character in text:
        if character == _EMOJI_STYLE and width == 1:  # such as a heart, or the digit of a keycap
            width = 2
            yield 1
        elif (character in _SKIN_TONES and width == 2) or (before == _JOINER and width == 2):
            yield 0  # one picture with what comes before
        elif own := _measure_character(character):
            width = own
            yield own
        before = character


def _measure_character(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def to_text(value: Any) -> str:
    """A value as words: text as it is, a list joined by commas, anything else as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(part, (list, Mapping)) for part in value):
        return ",".join(map(to_text, value))
    return to_json(value)


def format_value(value: Any) -> str:
    """A value as one cell of text, `-` when there is nothing to see."""
    if value is None or value in ({}, []):
        return MISSING
    return escape(to_text(value)) or MISSING


def format_words(values: list[Any]) -> str:
    """A list as one cell that a line may be broken in between its parts."""
    return ", ".join(map(format_value, values)) or MISSING


def format_age(value: Any, now: datetime) -> str:
    """An RFC 3339 time as seen from `now`: `3 minutes ago`, `in 2 days`; anything else as it is."""
    moment = parse_time(value)
    if moment is None:
        return format_value(value)
    seconds = (now - moment).total_seconds()
    distance = _format_distance(round(abs(seconds)))
    if distance is None:
        return "now"
    return f"{distance} ago" if seconds > 0 else f"in {distance}"


def _format_distance(seconds: int) -> str | None:
    for unit, length in _UNITS:
        if count := seconds // length:
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return None

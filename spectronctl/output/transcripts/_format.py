"""What a format is, and what all formats that people read have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from spectronctl.ground.text import escape
from spectronctl.ground.times import format_time, parse_time

Session = Mapping[str, Any]
Turn = Mapping[str, Any]

# Controls but the tab and the end of a line, and what has no UTF-8.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Format:
    """The pieces of a transcript: a head, one per turn with something between two, a tail."""

    write_turn: Callable[[Turn], str]
    write_head: Callable[[Session], str] = lambda session: ""
    between: str = ""
    tail: str = ""


def spell_controls(content: str) -> str:
    """The content with its lines as they are, and what a terminal would act on spelt out."""
    return _CONTROL.sub(lambda match: escape(match.group()), content.replace("\r\n", "\n"))


def find_moment(turn: Turn, zone: tzinfo | None = UTC) -> datetime | None:
    """When a turn was said, by the clock of a zone (None: of this machine); None when it does not say."""
    moment = parse_time(turn.get("created_at"))
    try:
        return moment and moment.astimezone(zone)
    except (OverflowError, ValueError, OSError):  # at the ends of the calendar
        return None


def format_moment(turn: Turn) -> str:
    """When a turn was said, RFC 3339 in UTC; what is no time as it is."""
    moment = find_moment(turn)
    if moment is None:
        return escape(str(turn.get("created_at") or ""))
    return format_time(moment)

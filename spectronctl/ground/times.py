"""Moments as they travel on the wire (RFC 3339), and lengths of time as people write them (`500ms`, `1h30m`, `7d`)."""

from __future__ import annotations

import math
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# `fromisoformat` also takes `20240101` and `2024-W01-1`, and `\d` without ASCII the digits of every script.
_STRICT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

_MILLISECONDS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_PARTS = re.compile("".join(rf"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit in _MILLISECONDS))


def parse_time(value: Any) -> datetime | None:
    """The moment that an ISO 8601 text names, in UTC where it names no zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(value.upper())  # RFC 3339 allows `t` and `z`
    except (AttributeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_strict_time(value: Any) -> datetime | None:
    """The moment that an RFC 3339 text names: a day, a time and a zone; None for anything else."""
    is_strict = isinstance(value, str) and _STRICT.fullmatch(value)
    return parse_time(value) if is_strict else None


def format_time(moment: datetime, timespec: str = "auto") -> str:
    """The moment as RFC 3339 in UTC, with `Z`; `timespec` as in `datetime.isoformat`."""
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def read_uptime() -> tuple[str, float] | None:
    """This start of the machine, and the seconds since then, sleep included; None where the system does not tell."""
    with suppress(OSError, AttributeError):
        # Seconds since a start compare within that start only, so the start is named with them. Not `monotonic()`: on
        # Linux it stands still while the machine sleeps.
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return boot, time.clock_gettime(time.CLOCK_BOOTTIME)
    return None


def duration_in_seconds(text: str) -> float | None:
    """Seconds in a duration: numbers with units, from large to small; None for anything else, a bare number too."""
    seconds = _sum_parts(text.strip())
    return seconds if seconds is not None and math.isfinite(seconds) else None


def format_duration(seconds: float) -> str:
    """The shortest way to write a duration, exact to the millisecond."""
    # Whole milliseconds: in floats 0.1 and 0.2 add up to a bit more than 0.3.
    left = round(seconds * 1000)
    parts = []
    for unit, size in _MILLISECONDS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _sum_parts(written: str) -> float | None:
    match = _PARTS.fullmatch(written)
    if not written or match is None:
        return None
    found = {unit: float(count) for unit, count in match.groupdict().items() if count}
    return sum(count * _MILLISECONDS[unit] for unit, count in found.items()) / 1000

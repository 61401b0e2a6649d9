"""Durations on the command line and in the config file."""

from __future__ import annotations

from spectronctl.errors import UsageError
from spectronctl.ground.durations import MILLISECONDS, read_seconds


def parse_duration(text: str) -> float:
    """Seconds in a duration; UsageError for what is none."""
    seconds = read_seconds(text)
    if seconds is None:
        raise UsageError(
            f"{text!r} is not a duration",
            hint="Write it as 500ms, 30s, 5m, 24h, 7d, 2w or combined, largest first: 1h30m. A bare number is seconds.",
        )
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest way to write a duration, exact to the millisecond."""
    left = round(seconds * 1000)
    parts = []
    for unit, size in MILLISECONDS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"

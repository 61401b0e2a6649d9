"""Lengths of time as people write them: `500ms`, `30s`, `5m`, `1h30m`, `7d`, `2w`."""

from __future__ import annotations

import math
import re

from spectronctl.errors import UsageError

_MILLISECONDS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_BARE = re.compile(_NUMBER)
_PARTS = re.compile("".join(rf"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit in _MILLISECONDS))


def parse_duration(text: str) -> float:
    """Seconds in a duration: units from large to small, a bare number is seconds."""
    written = text.strip()
    seconds = float(written) if _BARE.fullmatch(written) else _sum_parts(written)
    if seconds is None or not math.isfinite(seconds):
        raise UsageError(
            f"{text!r} is not a duration",
            hint="Write it as 500ms, 30s, 5m, 24h, 7d, 2w or combined, largest first: 1h30m. A bare number is seconds.",
        )
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest way to write a duration, exact to the millisecond."""
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

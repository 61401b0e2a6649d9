"""Lengths of time as people write them: `500ms`, `30s`, `5m`, `1h30m`, `7d`, `2w`."""

from __future__ import annotations

import math
import re

MILLISECONDS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_BARE = re.compile(_NUMBER)
_PARTS = re.compile("".join(rf"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit in MILLISECONDS))


def read_seconds(text: str) -> float | None:
    """Seconds in a duration: units from large to small, a bare number is seconds; None for anything else."""
    written = text.strip()
    seconds = float(written) if _BARE.fullmatch(written) else _sum_parts(written)
    return seconds if seconds is not None and math.isfinite(seconds) else None


def _sum_parts(written: str) -> float | None:
    match = _PARTS.fullmatch(written)
    if not written or match is None:
        return None
    found = {unit: float(count) for unit, count in match.groupdict().items() if count}
    return sum(count * MILLISECONDS[unit] for unit, count in found.items()) / 1000

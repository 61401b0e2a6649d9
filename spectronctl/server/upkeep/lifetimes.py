"""How long memories live, by their category."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronctl.ground.times import duration_in_seconds
from spectronctl.ground.vocabulary import CATEGORIES

LIFETIME_RULE = "must be a duration such as 30m, 12h or 7d, of 1 second to 100 years"

_DAY = 86_400
_LONGEST = 36_525 * _DAY
_DEFAULT_DAYS = 7


def parse_lifetime(value: Any) -> float | None:
    """Seconds in a lifetime; None for anything against `LIFETIME_RULE`."""
    seconds = duration_in_seconds(value) if isinstance(value, str) else None
    return seconds if seconds is not None and 1 <= seconds <= _LONGEST else None


def parse_lifetimes(config: Mapping[str, Any]) -> dict[str, float]:
    """
    Seconds that memories live, for every category whose memories end.

    `memory_ttl.CATEGORY` says it. Where it does not, `context` lives for `retention_days`, or else for 7 days, and the
    others have no end.
    """
    days = config.get("retention_days") or _DEFAULT_DAYS
    named = config.get("memory_ttl") or {}
    found = {category: parse_lifetime(named.get(category)) for category in CATEGORIES}
    if found["context"] is None:
        # `retention_days` may be any number of 64 bits, and no `datetime` goes back so far.
        found["context"] = float(min(days * _DAY, _LONGEST))
    return {name: seconds for name, seconds in found.items() if seconds is not None}

"""Moments as they travel on the wire: RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def read_time(value: Any) -> datetime | None:
    """The moment an RFC 3339 text names, in UTC where it does not say; None for anything else."""
    try:
        moment = datetime.fromisoformat(value.upper())  # RFC 3339 allows `t` and `z`
    except (AttributeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def write_time(moment: datetime) -> str:
    """The moment as RFC 3339 in UTC, with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

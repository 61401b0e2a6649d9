"""`--since` and `--until`: moments, or how long ago they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from spectronctl.config.values import parse_duration
from spectronctl.errors import UsageError
from spectronctl.ground.times import parse_time


def parse_period(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Both ends in UTC; UsageError for what is no time, and for a period that ends before it begins."""
    now = datetime.now(UTC)
    first, last = _parse_moment(since, "--since", now), _parse_moment(until, "--until", now)
    if first and last and first > last:
        raise UsageError(f"--since {since} is later than --until {until}: nothing fits")
    return first, last


def _parse_moment(text: str | None, option: str, now: datetime) -> datetime | None:
    """A moment, or how long ago it was."""
    if text is None:
        return None
    try:
        if moment := parse_time(text.strip()):
            return moment.astimezone(UTC)
        return now - timedelta(seconds=parse_duration(text))
    except (UsageError, OverflowError) as exc:
        raise UsageError(
            f"{option}: {text!r} is neither a time nor a duration",
            hint="For instance 7d (that long ago), 2026-05-01 or 2026-05-01T12:30:00Z.",
            candidates=getattr(exc, "candidates", ()),
        ) from None

"""`--since` and `--until`: moments, or how long ago they were by the server's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from spectronctl.config.values import parse_duration
from spectronctl.errors import UsageError
from spectronctl.ground.times import parse_time

if TYPE_CHECKING:
    from spectronctl.client import Client

Period = tuple[datetime | None, datetime | None]


def check_period(since: str | None, until: str | None) -> None:
    """Before anything is sent: UsageError for what is no time, and for a period that ends before it begins."""
    # By our clock: it decides nothing here, where only what can never fit is refused.
    _parse_period(since, until, datetime.now(UTC))


def find_period(client: Client, since: str | None, until: str | None) -> Period:
    """Both ends in UTC; a length of time counts from the server's now, by which things were made."""
    from spectronctl.operations.clocks import find_server_time

    # Two moments need no clock at all, so the server is not asked for its time.
    is_relative = any(text and not parse_time(text.strip()) for text in (since, until))
    now = find_server_time(client) if is_relative else datetime.now(UTC)
    return _parse_period(since, until, now)


def _parse_period(since: str | None, until: str | None, now: datetime) -> Period:
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

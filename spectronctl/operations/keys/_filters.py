"""Keys chosen by what they are: by age, use, principal and name, or because they look like orphans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from spectronctl.ground.times import parse_time
from spectronctl.models.keys import Key, has_expired, split_name

OrphanReason = Literal["superseded", "never used", "expired"]


@dataclass(frozen=True, kw_only=True)
class KeyFilter:
    """Which keys are meant: lengths of time in seconds, `match` a pattern such as `app-*`; None is any."""

    older_than: float | None = None
    unused_for: float | None = None
    expiring: float | None = None
    principal: str | None = None
    match: str | None = None

    @property
    def is_set(self) -> bool:
        """Whether it leaves anything out."""
        return self != KeyFilter()

    def keeps(self, key: Key, now: datetime) -> bool:
        """Whether the key is one of them; one of unknown age is not older than anything."""
        return (
            self.principal in {None, key.principal}
            and (self.match is None or _is_named_like(key, self.match))
            and _lies_back(key.created_at, self.older_than, now)
            and _lies_back(key.last_used_at or key.created_at, self.unused_for, now)
            and (self.expiring is None or _expires_within(key, self.expiring, now))
        )


def _is_named_like(key: Key, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in (key.name, split_name(key.name)[0]))


def _lies_back(time: str | None, seconds: float | None, now: datetime) -> bool:
    if seconds is None:
        return True
    moment = parse_time(time)
    # A server tells its time in whole seconds, so what has just been made may seem to lie ahead: 0 leaves nothing out.
    return moment is not None and (not seconds or (now - moment).total_seconds() >= seconds)


def _expires_within(key: Key, seconds: float, now: datetime) -> bool:
    ends = parse_time(key.expires_at)
    return (
        ends is not None and not has_expired(key, now) and (ends - now).total_seconds() <= seconds
    )


def find_orphans(
    keys: Iterable[Key], now: datetime, grace: float, open_ids: frozenset[str] = frozenset()
) -> list[tuple[Key, OrphanReason]]:
    """
    Keys that are probably lost or no longer used, each with the first reason that holds.

    `grace` is how many seconds a key may go unused, since it is new or since its last use; `open_ids` are keys that a
    rotation still works on.
    """
    listed = list(keys)
    live = [split_name(key.name) for key in listed if not has_expired(key, now)]
    # Sorted by name, then generation: of the pairs with the same name the last one stays in the dict, which is the
    # newest.
    newest = dict(sorted(live))
    reasons = [(key, _find_reason(key, newest, now, grace)) for key in listed]
    return [(key, reason) for key, reason in reasons if reason and key.id not in open_ids]


def _find_reason(
    key: Key, newest: Mapping[str, int], now: datetime, grace: float
) -> OrphanReason | None:
    logical, generation = split_name(key.name)
    if generation < newest.get(logical, 0):
        # One that is in use may be in the overlap of a rotation whose journal another machine or user has.
        is_used = key.last_used_at is not None and not _lies_back(key.last_used_at, grace, now)
        return None if is_used else "superseded"
    if has_expired(key, now):
        return "expired"
    unused = key.last_used_at is None and _lies_back(key.created_at, grace, now)
    return "never used" if unused else None

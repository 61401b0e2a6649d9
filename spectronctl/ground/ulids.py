"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime, timedelta

ULID_PATTERN = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_TIME_LENGTH = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_last = 0


def new_ulid() -> str:
    """26 Crockford characters: 48 bits of milliseconds, 80 random; each greater than the one before it here."""
    global _last
    with _lock:
        fresh = time.time_ns() // 1_000_000 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        # In the same millisecond, or when the clock was set back, count on from the last one.
        _last = fresh if fresh >> _RANDOM_BITS > _last >> _RANDOM_BITS else _last + 1
        # 26 characters have room for 130 bits: the first never goes above 7.
        return "".join(_ALPHABET[_last >> shift & 31] for shift in range(125, -1, -5))


def new_ulid_at(moment: datetime) -> str:
    """A ULID of another time than now, to the millisecond; it comes in no order with others of the same one."""
    tail = secrets.randbits(_RANDOM_BITS)
    letters = (_ALPHABET[tail >> shift & 31] for shift in range(_RANDOM_BITS - 5, -1, -5))
    return make_ulid_bound_at(moment) + "".join(letters)


def parse_ulid_time(ulid: str) -> datetime:
    """When a ULID was made, to the millisecond."""
    number = 0
    for character in ulid[:_TIME_LENGTH]:
        number = number << 5 | _ALPHABET.index(character)
    return _EPOCH + timedelta(milliseconds=number)


def make_ulid_bound(milliseconds: int) -> str:
    """What sorts before every ULID of that millisecond of the Unix epoch, and after all earlier ones."""
    return "".join(
        _ALPHABET[max(milliseconds, 0) >> shift & 31]
        for shift in range(5 * _TIME_LENGTH - 5, -1, -5)
    )


def make_ulid_bound_at(moment: datetime, *, later: int = 0) -> str:
    """The same for the millisecond of a moment, or for one so many later."""
    return make_ulid_bound((moment - _EPOCH) // timedelta(milliseconds=1) + later)

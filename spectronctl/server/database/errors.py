"""
What the database, and the tables on it, refuse: without HTTP. `http/problems.py` has the response to each.

    DatabaseError           a detail in words
    ├── UnstorableError     a value that the database cannot keep unchanged, or too much of it
    ├── ReservedError       a name that is Spectron's own
    ├── GoneError           what is asked for, or written to, is not there
    ├── TakenError          an id, a name or a place that something else has
    ├── LastError           the last of a kind, of which one must stay
    ├── ChangedError        not what it was when the caller looked
    ├── ReusedKeyError      an Idempotency-Key that belongs to another write
    ├── InFlightError       the same write is being done just now
    ├── DiskError           the disk takes no writes; reads continue
    │   └── FullError       because it, or a quota on it, is full
    └── UnavailableError    the database does not respond, or others are in the way: try again
"""

from __future__ import annotations


class DatabaseError(Exception):
    """A refusal. `detail` is shown to the caller, so it never holds a secret."""

    retry_after: int | None = None
    """Seconds after which to try again; None when it would be refused again."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class UnstorableError(DatabaseError):
    """The database cannot keep the value unchanged, or it is too much; the detail names the field."""


class ReservedError(DatabaseError):
    """The name is Spectron's own."""


class GoneError(DatabaseError):
    """There is no such thing, or not any more."""


class TakenError(DatabaseError):
    """Something else has the id, the name or the place."""


class LastError(DatabaseError):
    """It is the last of its kind, and one must stay."""


class ChangedError(DatabaseError):
    """It was changed since the caller looked."""


class ReusedKeyError(DatabaseError):
    """The Idempotency-Key belongs to another write."""


class InFlightError(DatabaseError):
    """The same write is being done just now; its response can be asked for a little later."""

    retry_after = 1


class DiskError(DatabaseError):
    """The disk takes no writes; reads continue."""

    retry_after = 30


class FullError(DiskError):
    """The disk, or a quota on it, is full."""


class UnavailableError(DatabaseError):
    """The database cannot do it now."""

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

"""An operation that changed something, or was refused, as the audit keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from spectronctl.ground.ulids import parse_ulid_time

PREFIX = "aud_"


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """
    Who (`key_id`, `name`) did what (`action`, `operation`, `objects`), from where, and what became of it.

    `operation` is a method and a route, `objects` the ids that the path named or the request made. `status` is that of
    the response, None for a request that was cut off before it had one.
    """

    id: str
    action: str
    operation: str
    context_id: str | None
    objects: Mapping[str, str]
    key_id: str | None
    name: str
    address: str | None
    status: int | None
    request_id: str

    @property
    def created_at(self) -> datetime:
        """When it was written, to the millisecond: its id begins with that."""
        return parse_ulid_time(self.id.removeprefix(PREFIX))

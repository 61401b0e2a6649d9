"""The audit of the management plane, in the control plane's database."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from spectronctl.ground.ulids import make_ulid_bound_at, new_ulid
from spectronctl.server.access.authentication import LOCAL
from spectronctl.server.audit.rows import PREFIX, EventRow
from spectronctl.server.database.database import Database, Row

KEPT = timedelta(days=400)
"""A year, and time to look at it."""

_COLUMNS = (
    "event_id, action, operation, context_id, objects, key_id, name, address, status, request_id"
)

_ADD = "CREATE audit_event:[$event.event_id] CONTENT $event RETURN NONE;"

_LIST = f"""
SELECT {_COLUMNS} FROM audit_event WHERE event_id >= $after AND event_id < $before AND <filters>
ORDER BY event_id DESC LIMIT $limit;
"""

# In batches, so that requests come between them.
_PRUNE = """
RETURN count(DELETE (SELECT VALUE id FROM audit_event WHERE event_id < $before LIMIT 1000) RETURN BEFORE);
"""

_FILTERS = {
    "context_id": "context_id = $context_id",
    "key": "(key_id = $key OR name = $key)",
    "action": "action = $action",
}
LAST = f"{PREFIX}a"
"""After every id: those are in capitals."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which events: from `since` to `until`, both included; `key` is the id of one, or its name."""

    since: datetime | None = None
    until: datetime | None = None
    context_id: str | None = None
    key: str | None = None
    action: str | None = None

    @property
    def first(self) -> str:
        """The lowest id there can be."""
        return _bound(self.since) if self.since else ""

    @property
    def end(self) -> str:
        """Above the highest id there can be."""
        return _bound(self.until, later=1) if self.until else LAST


class AuditTable:
    """What was done over the management plane."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_event(self, row: EventRow) -> None:
        event = asdict(row) | {"objects": json.dumps(row.objects)}
        event["event_id"] = event.pop("id")
        await self._database.query(_ADD, {"event": event})

    async def add_local_event(
        self, action: str, operation: str, objects: Mapping[str, str]
    ) -> None:
        """What the operator did at the store itself, without a key and without a request."""
        await self.add_event(
            EventRow(
                id=f"{PREFIX}{new_ulid()}",
                action=action,
                operation=operation,
                context_id=None,
                objects=objects,
                key_id=None,
                name=LOCAL,
                address=None,
                status=HTTPStatus.OK,
                request_id=f"req_{new_ulid()}",
            )
        )

    async def list_events(self, wanted: Wanted, *, before: str, limit: int) -> list[EventRow]:
        """The newest first, from below an id."""
        named = {name: getattr(wanted, name) for name in _FILTERS}
        given = {name: value for name, value in named.items() if value is not None}
        filters = " AND ".join(_FILTERS[name] for name in given) or "true"
        page = {"after": wanted.first, "before": before, "limit": limit}
        rows = await self._database.select(_LIST.replace("<filters>", filters), given | page)
        return [_parse_event(row) for row in rows]

    async def prune_events(self) -> None:
        """Delete those that are older than they are kept."""
        bound = {"before": _bound(datetime.now(UTC) - KEPT)}
        while (await self._database.query(_PRUNE, bound))[0]:
            pass


def _bound(moment: datetime, *, later: int = 0) -> str:
    """Before every id of that millisecond, or of one so many later."""
    return PREFIX + make_ulid_bound_at(moment, later=later)


def _parse_event(row: Row) -> EventRow:
    return EventRow(
        id=row["event_id"],
        action=row["action"],
        operation=row["operation"],
        context_id=row.get("context_id"),
        objects=json.loads(row["objects"]),
        key_id=row.get("key_id"),
        name=row["name"],
        address=row.get("address"),
        status=row.get("status"),
        request_id=row["request_id"],
    )

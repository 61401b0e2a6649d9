"""What is known of a request afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from spectronctl.ground.ulids import parse_ulid_time
from spectronctl.server.access.caller import Caller
from spectronctl.server.access.scopes import Scopes
from spectronctl.server.http.visits import Visit

Kind = Literal["decision", "retrieval", "response"]

DENIED = "authz.denied"
"""The event of a decision that a caller may not do what it asked for."""


@dataclass(frozen=True, kw_only=True)
class TraceRow:
    """
    A trace: who asked, what it cost, and what came of it.

    `principal` acted for `delegate`, if there is one. `cost` is in tokens. `details` is what else there is to say of
    its kind: ids and numbers of memories, never their text. `scopes` is all that the caller could read, as one clause:
    none for the whole context.
    """

    id: str
    kind: Kind
    principal: str
    key_id: str | None
    scopes: Scopes
    delegate: str | None = None
    event: str | None = None
    session_id: str | None = None
    parent: str | None = None
    query: str = ""
    mode: str = ""
    tier: str = ""
    reason: str = ""
    cached: bool = False
    model: str | None = None
    cost: int = 0
    rows_touched: int = 0
    latency_ms: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def created_at(self) -> datetime:
        """When the request came, to the millisecond: its id begins with that."""
        return parse_ulid_time(self.id.removeprefix("trace:"))


def make_trace(visit: Visit, caller: Caller, kind: Kind, **fields: Any) -> TraceRow:
    """The trace of a request, by the id that its response names."""
    return TraceRow(
        id=visit.trace_id,
        kind=kind,
        principal=caller.principal_id,
        key_id=visit.key_id,
        delegate=caller.delegate,
        scopes=list_readable(caller),
        **fields,
    )


def list_readable(caller: Caller) -> Scopes:
    """All that the caller can read, as a clause that only who can read all of it meets."""
    # What was found, how many and how well, tells of every place that was looked at: so no part of the region is
    # enough to see the trace.
    region = caller.region("memory:read")
    # A subtree is more than its root: one who can read the root alone must not see what was found below it.
    tops = [*(f"{root}/*" for root in region.roots or ()), *region.nodes]
    return [tops] if tops else []


def parse_details(text: str) -> dict[str, Any]:
    """The details, as they are stored."""
    found: dict[str, Any] = json.loads(text)
    return found

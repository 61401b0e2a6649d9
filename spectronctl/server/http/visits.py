"""What is known of a request while it is handled: for its line in the log, and for the account of who did what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from starlette.types import Scope

from spectronctl.ground.ulids import new_ulid


@dataclass
class Visit:
    """
    One request: its ids, who sent it, and why it was refused.

    `key_id` is what the key claims to be, and stands for nothing until `is_known`: then its secret was checked.
    `principal` is that of a key that was checked, or `local` for the operator of this process. `objects` has the ids,
    by their names in paths, of what the request made.
    """

    request_id: str
    client: str | None
    trace_id: str
    key_id: str | None = None
    principal: str | None = None
    is_known: bool = False
    reason: str | None = None
    objects: dict[str, str] = field(default_factory=dict)


def begin_visit(scope: Scope, request_id: str) -> Visit:
    """The visit of a request that has just come in."""
    address = scope.get("client")
    client = str(address[0]) if address else None
    visit = Visit(request_id, client, trace_id=f"trace:{new_ulid()}")
    scope.setdefault("state", {}).update(request_id=request_id, visit=visit)
    return visit


def get_visit(scope: Scope) -> Visit:
    """The visit that the request began."""
    return cast("Visit", scope["state"]["visit"])

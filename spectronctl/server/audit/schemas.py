"""The audit of the management plane, as responses show it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from spectronctl.server.audit.rows import EventRow

Outcome = Literal["done", "refused", "failed", "unknown"]


class EventResponse(BaseModel):
    """Who did what, from where, and what became of it; never a body."""

    id: str
    created_at: datetime
    action: str = Field(description="What was asked for, such as `delete_key`")
    operation: str = Field(description="Its method and route")
    context_id: str | None
    objects: dict[str, str] = Field(description="Ids that the path names, and of what was made")
    key_id: str | None = Field(description="Null for the operator of an embedded server")
    name: str = Field(
        description="Of the management key; `local` for the operator without one, or the id of a principal"
    )
    address: str | None = Field(description="Where the connection came from")
    outcome: Outcome
    status: int | None = Field(description="Of the response; null where it was cut off before")
    request_id: str


class EventPage(BaseModel):
    """Events, the newest first."""

    events: list[EventResponse]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


def format_event(row: EventRow) -> EventResponse:
    shown = {name: getattr(row, name) for name in EventResponse.model_fields if name != "outcome"}
    return EventResponse(**shown, outcome=_judge(row.status))


def _judge(status: int | None) -> Outcome:
    if status is None:
        return "unknown"
    return "done" if status < 400 else "refused" if status < 500 else "failed"

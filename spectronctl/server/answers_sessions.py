"""What the data plane answers of conversations (OpenAPI `SessionResponseJson` and its neighbours)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from spectronctl.server.store import SessionRow
from spectronctl.server.ulids import read_ulid_time


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class SessionAnswer(_Answer):
    """A session."""

    id: str
    scopes: list[list[str]] = Field(description="An OR of clauses, each an AND of paths")
    metadata: JsonValue = Field(default=None, description="As it was given")
    turn_count: int
    created_at: datetime


class SessionPage(_Answer):
    """Sessions in the order of their ids, which is the order they were made in."""

    sessions: list[SessionAnswer]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


class TurnAnswer(_Answer):
    """A turn; `seq` counts from 0 within the session, without gaps."""

    id: str
    session: str
    role: Literal["user", "assistant", "system", "tool"]
    content: str
    seq: int
    created_at: datetime


class TurnPage(_Answer):
    """Turns in the order of `seq`; fewer than asked for are the last."""

    turns: list[TurnAnswer]


class ContextText(_Answer):
    """Text for a model's prompt; empty when nothing was found."""

    context: str


class FactAnswer(_Answer):
    """A text that was kept as it is."""

    mode: Literal["none"] = "none"
    session_id: str
    turn_id: str
    chunk_id: str


class BatchAnswer(_Answer):
    """A conversation that was kept as it is: its turns, in the order of the messages."""

    session_id: str
    turn_ids: list[str]
    extractions: list[dict[str, Any]] = Field(default_factory=list)


def show_session(row: SessionRow) -> SessionAnswer:
    """A session as it is answered."""
    return SessionAnswer(
        id=row.id,
        scopes=row.scopes,
        metadata=row.metadata,
        turn_count=row.turn_count,
        created_at=read_ulid_time(row.id.partition(":")[2]),
    )

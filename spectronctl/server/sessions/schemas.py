"""Sessions and turns, as responses show them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, JsonValue

from spectronctl.ground.ulids import read_ulid_time
from spectronctl.ground.vocabulary import Role
from spectronctl.server.http.responses import PlaneAnswer
from spectronctl.server.sessions.rows import SessionRow


class SessionAnswer(PlaneAnswer):
    """A session."""

    id: str
    scopes: list[list[str]] = Field(description="An OR of clauses, each an AND of paths")
    metadata: JsonValue = Field(default=None, description="As it was given")
    turn_count: int
    created_at: datetime


class SessionPage(PlaneAnswer):
    """Sessions in the order of their ids, which is the order they were made in."""

    sessions: list[SessionAnswer]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


class TurnAnswer(PlaneAnswer):
    """A turn; `seq` counts from 0 within the session, without gaps."""

    id: str
    session: str
    role: Role
    content: str
    seq: int
    created_at: datetime


class TurnPage(PlaneAnswer):
    """Turns in the order of `seq`; fewer than asked for are the last."""

    turns: list[TurnAnswer]


class ContextText(PlaneAnswer):
    """Text for a model's prompt; empty when nothing was found."""

    context: str


def show_session(row: SessionRow) -> SessionAnswer:
    """A session as it is answered."""
    return SessionAnswer(
        id=row.id,
        scopes=row.scopes,
        metadata=row.metadata,
        turn_count=row.turn_count,
        created_at=read_ulid_time(row.id.partition(":")[2]),
    )

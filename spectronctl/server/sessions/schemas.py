"""Bodies and responses about sessions and turns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, JsonValue

from spectronctl.ground.ulids import parse_ulid_time
from spectronctl.ground.vocabulary import Role
from spectronctl.server.access.scopes import TaggedBody
from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import NOT_BLANK, Instant
from spectronctl.server.http.limits import JSON_RULE
from spectronctl.server.http.responses import PlaneResponse
from spectronctl.server.sessions.rows import SessionRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _check_past(moment: datetime) -> datetime:
    # The session's id begins with this time. It counts from 1970, and one of the future would come last in every list
    # until then, behind what is made after it.
    if not _EPOCH <= moment <= datetime.now(UTC):
        raise ValueError("must be between 1970 and now")
    return moment


class SessionBody(TaggedBody):
    """Body of `POST /{context}/sessions`; it may be left out."""

    EXAMPLE: ClassVar = {
        "scopes": ["org/acme"],
        "metadata": {"channel": "web"},
    }

    metadata: Any = Field(default=None, description=JSON_RULE)
    created_at: Annotated[Instant, AfterValidator(_check_past)] | None = Field(
        default=None, description="When it was made, if not now: for a session from elsewhere"
    )


class SessionQueryBody(Body):
    """Body of `POST /{context}/sessions/{id}/context`."""

    EXAMPLE: ClassVar = {"query": "What does Ada drink?"}

    query: Annotated[str, NOT_BLANK]


class SessionResponse(PlaneResponse):
    """A session."""

    id: str
    scopes: list[list[str]] = Field(description="An OR of clauses, each an AND of paths")
    metadata: JsonValue = Field(default=None, description="As it was given")
    turn_count: int
    created_at: datetime
    last_turn_at: datetime | None = Field(
        default=None, description="When its last turn was said; null before the first"
    )


class SessionPage(PlaneResponse):
    """Sessions in the order of their ids, which is the order they were made in."""

    sessions: list[SessionResponse]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


class TurnResponse(PlaneResponse):
    """A turn; `seq` counts from 0 within the session, without gaps."""

    id: str
    session: str
    role: Role
    content: str
    seq: int
    created_at: datetime


class TurnPage(PlaneResponse):
    """Turns in the order of `seq`; fewer than asked for are the last."""

    turns: list[TurnResponse]


class ContextText(PlaneResponse):
    """Text for a model's prompt; empty when nothing was found."""

    context: str


def format_session(row: SessionRow) -> SessionResponse:
    """A session as a response shows it."""
    return SessionResponse(
        id=row.id,
        scopes=row.scopes,
        metadata=row.metadata,
        turn_count=row.turn_count,
        created_at=parse_ulid_time(row.id.partition(":")[2]),
        last_turn_at=row.last_turn_at,
    )

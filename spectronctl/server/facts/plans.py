"""What a write to a conversation keeps: its turns, and the memory that one of them becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.access.scopes import Scopes
from spectronctl.server.facts.schemas import BatchBody, FactBody, Message
from spectronctl.server.index.rows import ChunkRow
from spectronctl.server.sessions.rows import TurnRow


@dataclass(frozen=True, kw_only=True)
class WantedWrite:
    """Turns to append to a session, or (None) to a new one with these scopes."""

    session_id: str | None
    scopes: Scopes
    turns: list[TurnRow]
    chunk: ChunkRow | None = None


def plan_fact(body: FactBody, *, now: datetime) -> WantedWrite:
    """One turn, and its text as a memory."""
    turn = TurnRow(
        id=f"turn:{new_ulid()}",
        role=body.role or "user",
        content=body.text,
        labels=tuple(body.labels or ()),
        created_at=body.observed_at or now,
    )
    chunk = ChunkRow(
        id=f"memory_chunk:{new_ulid()}",
        turn_id=turn.id,
        text=body.text,
        memory_category=body.memory_category,
        created_at=turn.created_at,
    )
    return WantedWrite(session_id=body.session_id, scopes=body.tags, turns=[turn], chunk=chunk)


def plan_batch(body: BatchBody, *, now: datetime) -> WantedWrite:
    """A turn of each message; the labels are kept once, with the first."""
    # Their ids are made in this order, and each is greater than the one before, whatever time the messages say.
    turns = [_make_turn(message, now) for message in body.messages]
    if body.labels:
        first, *others = turns
        labelled = [replace(each, labelled_by=first.id) for each in others]
        turns = [replace(first, labels=tuple(body.labels)), *labelled]
    return WantedWrite(session_id=body.session_id, scopes=body.tags, turns=turns)


def _make_turn(message: Message, now: datetime) -> TurnRow:
    return TurnRow(
        id=f"turn:{new_ulid()}",
        role=message.role,
        content=message.content,
        created_at=message.ts or now,
    )

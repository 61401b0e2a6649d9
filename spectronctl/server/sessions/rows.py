"""Conversations as they are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """
    A conversation.

    `longest_turn` is the characters of the longest text that a turn of it ever had. `deleting`: its deletion has begun,
    and it is not to be seen any more.
    """

    id: str
    scopes: list[list[str]]
    metadata: Any = None
    turn_count: int = 0
    longest_turn: int = 0
    last_turn_at: datetime | None = None
    deleting: bool = False


@dataclass(frozen=True, kw_only=True)
class TurnRow:
    """
    A turn to append; its place in the session is the store's to give.

    `labelled_by` is the turn of the same write that keeps the labels of both: a batch keeps its labels once.
    """

    id: str
    role: str
    content: str
    labels: tuple[str, ...] = ()
    labelled_by: str | None = None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a recall looks through: a turn (its `seq`), or a memory (its `scopes`)."""

    text: str
    role: str | None = None
    seq: int | None = None
    scopes: list[list[str]] = field(default_factory=list)

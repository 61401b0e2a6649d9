"""Memories, and the tables that recall looks through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class ChunkRow:
    """A literal memory, said in a turn; `vector` and who made it, where it could be made, and for which table."""

    id: str
    turn_id: str
    text: str
    memory_category: str | None = None
    created_at: datetime
    embedder: str | None = None
    vector: list[float] | None = field(default=None, repr=False)
    slot: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredChunk:
    """A memory as it is kept."""

    id: str
    text: str
    scopes: list[list[str]]


@dataclass(frozen=True, kw_only=True)
class SearchIndex:
    """What recall looks through: which of the two tables serves, and what its vectors are."""

    slot: str
    embedder: str
    dimension: int


@dataclass(frozen=True, kw_only=True)
class Build:
    """How far the table that does not serve is filled: the last memory in it, and how many there are."""

    slot: str
    dimension: int
    cursor: str = ""
    done: int = 0

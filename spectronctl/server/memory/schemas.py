"""What upkeep and checks of memories respond with."""

from __future__ import annotations

from pydantic import BaseModel, Field

from spectronctl.server.http.responses import PlaneAnswer


class DecayAnswer(BaseModel):
    """What a decay pass took out."""

    affected: int
    expired_memories: int
    pruned_cache_entries: int


class UpkeepAnswer(BaseModel):
    """How many memories a pass took out, or would take out."""

    affected: int


class Duplicate(PlaneAnswer):
    """Two memories that say the same."""

    entity_a: str
    entity_b: str
    similarity: float


class UnscopedContent(PlaneAnswer):
    """What no key with a scope floor can see."""

    table: str
    count: int
    sample_ids: list[str]


class Reference(PlaneAnswer):
    """A memory whose field names what is not there; `vector` names the table where it has none."""

    row_id: str
    field: str
    target: str


class FsckAnswer(PlaneAnswer):
    """What is wrong with the memories. This server keeps no entities: it finds no contradictions."""

    duplicates: list[Duplicate]
    contradictions: list[str] = Field(default_factory=list, max_length=0)
    injection: list[str] = Field(default_factory=list, max_length=0)
    unscoped_content: list[UnscopedContent]
    broken_references: list[Reference]
    total: int

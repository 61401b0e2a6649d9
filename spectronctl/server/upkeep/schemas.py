"""Bodies and responses of upkeep and checks of memories."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from spectronctl.server.http.bodies import Body
from spectronctl.server.http.responses import PlaneResponse

COMPARED = 200
"""How many memories, the newest, are compared with all others when less than the same words is asked for."""
DEFAULT_FINDINGS = 100

_MAX_FINDINGS = 10_000

Check = Literal[
    "duplicates", "contradictions", "injection", "unscoped_content", "broken_references"
]
CHECKS: tuple[Check, ...] = get_args(Check)


class FsckBody(Body):
    """Body of `POST /{context}/fsck`; it may be left out."""

    EXAMPLE: ClassVar = {"check": "duplicates"}

    model_config = ConfigDict(alias_generator=to_camel)

    check: Check | None = Field(default=None, description="Only this one")
    duplicate_threshold: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="The cosine from which on two memories are duplicates, by the vectors that recall uses; only the "
        f"newest {COMPARED} are compared with all others. Without it, or with 1: those with the same words",
    )
    max_results: int | None = Field(
        default=None,
        ge=1,
        le=_MAX_FINDINGS,
        description=f"The most findings of a kind; {DEFAULT_FINDINGS} if not given",
    )


class DecayResponse(BaseModel):
    """What a decay pass took out."""

    affected: int
    expired_memories: int
    pruned_cache_entries: int


class UpkeepResponse(BaseModel):
    """How many memories a pass took out, or would take out."""

    affected: int


class Duplicate(PlaneResponse):
    """Two memories that say the same."""

    entity_a: str
    entity_b: str
    similarity: float


class UnscopedContent(PlaneResponse):
    """What no key with a scope floor can see."""

    table: str
    count: int
    sample_ids: list[str]


class Reference(PlaneResponse):
    """A memory whose field names what is not there; `vector` names the table where it has none."""

    row_id: str
    field: str
    target: str


class FsckResponse(PlaneResponse):
    """What is wrong with the memories. This server keeps no entities: it finds no contradictions."""

    duplicates: list[Duplicate]
    contradictions: list[str] = Field(default_factory=list, max_length=0)
    injection: list[str] = Field(default_factory=list, max_length=0)
    unscoped_content: list[UnscopedContent]
    broken_references: list[Reference]
    total: int

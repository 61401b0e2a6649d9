"""Bodies and responses of recall, upkeep and checks of memories."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from spectronctl.server.access.scopes import AnyScopes
from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import NOT_BLANK
from spectronctl.server.http.responses import PlaneResponse

DEFAULT_HITS = 10
MAX_HITS = 50
COMPARED = 200
"""How many memories, the newest, are compared with all others when less than the same words is asked for."""
DEFAULT_FINDINGS = 100

_MAX_FINDINGS = 10_000
_MAX_QUERY = 10_000
"""Characters."""

Mode = Literal["hybrid", "vector", "bm25", "graph"]
Check = Literal[
    "duplicates", "contradictions", "injection", "unscoped_content", "broken_references"
]
CHECKS: tuple[Check, ...] = get_args(Check)


class QueryBody(Body):
    """Body of `POST /{context}/query`."""

    EXAMPLE: ClassVar = {
        "query": "What does Ada drink?",
        "k": 5,
        "mode": "hybrid",
    }

    query: Annotated[str, Field(max_length=_MAX_QUERY), NOT_BLANK]
    k: int | None = Field(
        default=None, ge=1, description=f"The most hits; {DEFAULT_HITS}, capped at {MAX_HITS}"
    )
    mode: Mode | None = Field(default=None, description="`hybrid` if not given; no `graph` here")
    lens: AnyScopes | None = Field(
        default=None, description="Only memories tagged at or below these paths"
    )


class Hit(PlaneResponse):
    """A memory that was found. `score` compares the hits of one response, not those of two."""

    id: str
    text: str
    source: Literal["memory_chunk"] = "memory_chunk"
    score: float


class Trace(PlaneResponse):
    """How the response came about."""

    trace_id: str
    resolution_tier: Literal["hybrid"] = "hybrid"
    tier_reason: str
    latency_ms: int
    retrieved_count: int
    top_scores: list[float]


class QueryResponse(PlaneResponse):
    """The hits, the best first."""

    tier: Literal["hybrid"] = "hybrid"
    classification_kind: Literal["hybrid"] = "hybrid"
    seed_entities: list[str] = Field(default_factory=list)
    hits: list[Hit]
    query_ms: int
    trace: Trace


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

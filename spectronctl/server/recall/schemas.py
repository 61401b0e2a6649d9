"""Bodies and responses of recall."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spectronctl.server.access.scopes import AnyLens
from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import NOT_BLANK
from spectronctl.server.http.responses import PlaneResponse

DEFAULT_HITS = 10
MAX_HITS = 50

_MAX_QUERY = 10_000
"""Characters."""

Mode = Literal["hybrid", "vector", "bm25", "graph"]


class QueryBody(Body):
    """Body of `POST /{context}/query`."""

    EXAMPLE: ClassVar = {"query": "What does Ada drink?", "k": 5, "mode": "hybrid"}

    query: Annotated[str, Field(max_length=_MAX_QUERY), NOT_BLANK]
    k: int | None = Field(
        default=None, ge=1, description=f"The most hits; {DEFAULT_HITS}, capped at {MAX_HITS}"
    )
    mode: Mode | None = Field(default=None, description="`hybrid` if not given; no `graph` here")
    lens: AnyLens | None = Field(
        default=None,
        description="Only memories tagged at or below these paths; /* may follow a path, and * is everything",
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

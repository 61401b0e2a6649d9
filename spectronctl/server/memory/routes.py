"""Recall (OpenAPI `query_memory`)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import Reader
from spectronctl.server.http.bodies import JsonObject, describe_body
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.responses import PlaneAnswer, describe_problems
from spectronctl.server.memory.embedders import CurrentEmbedders
from spectronctl.server.memory.search import QueryBody, Recall, read_query, recall

_TOP_SCORES = 5

router = APIRouter(
    prefix=PREFIX + "/{context_id}/query",
    tags=["query"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_IMPLEMENTED,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)


class Hit(PlaneAnswer):
    """A memory that was found. `score` compares the hits of one answer, not those of two."""

    id: str
    text: str
    source: Literal["memory_chunk"] = "memory_chunk"
    score: float


class Trace(PlaneAnswer):
    """How the answer came about."""

    trace_id: str
    resolution_tier: Literal["hybrid"] = "hybrid"
    tier_reason: str
    latency_ms: int
    retrieved_count: int
    top_scores: list[float]


class QueryAnswer(PlaneAnswer):
    """The hits, the best first."""

    tier: Literal["hybrid"] = "hybrid"
    classification_kind: Literal["hybrid"] = "hybrid"
    seed_entities: list[str] = Field(default_factory=list)
    hits: list[Hit]
    query_ms: int
    trace: Trace


@router.post("", openapi_extra=describe_body(QueryBody))
async def query_memory(
    caller: Reader,
    body: JsonObject,
    database: CurrentDatabase,
    embedders: CurrentEmbedders,
) -> QueryAnswer:
    """Find the memories that come near a query, by their vectors and by their words."""
    query = read_query(body)
    region = caller.region("memory:read")
    found = await recall(database, embedders, caller.context, region, query)
    return QueryAnswer(
        hits=[Hit(id=each.id, text=each.text, score=each.score) for each in found.hits],
        query_ms=found.milliseconds,
        trace=_trace(found, query.mode),
    )


def _trace(found: Recall, mode: str) -> Trace:
    problem = f"; without vectors: {found.without_vectors}" if found.without_vectors else ""
    return Trace(
        trace_id=f"trace:{new_ulid()}",
        tier_reason=f"mode {mode}{problem}",
        latency_ms=found.milliseconds,
        retrieved_count=found.retrieved,
        top_scores=[each.score for each in found.hits[:_TOP_SCORES]],
    )

"""Recall."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import Reader
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import not_implemented
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.index.embedders import CurrentEmbedders
from spectronctl.server.recall.schemas import (
    DEFAULT_HITS,
    MAX_HITS,
    Hit,
    QueryBody,
    QueryResponse,
    Trace,
)
from spectronctl.server.recall.search import Query, Recall, recall

_TOP_SCORES = 5

router = APIRouter(
    prefix=PREFIX + "/{context_id}/query",
    tags=["query"],
    responses=describe_problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.NOT_IMPLEMENTED,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)


@router.post("")
async def query_memory(
    caller: Reader,
    body: Annotated[QueryBody, Depends(body_of(QueryBody))],
    database: CurrentDatabase,
    embedders: CurrentEmbedders,
) -> QueryResponse:
    """Find the memories that come near a query, by their vectors and by their words."""
    if body.mode == "graph":
        raise not_implemented("mode: this server keeps no graph; use hybrid, vector or bm25")
    query = Query(
        text=body.query,
        most=min(body.k or DEFAULT_HITS, MAX_HITS),
        mode=body.mode or "hybrid",
        lens=body.lens or [],
    )
    region = caller.region("memory:read")
    found = await recall(database, embedders, caller.context, region, query)
    return QueryResponse(
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

"""Recall."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from spectronctl.server.access.authentication import CurrentDatabase
from spectronctl.server.access.gates import Reader
from spectronctl.server.http.bodies import body_of
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import not_implemented
from spectronctl.server.http.responses import describe_problems
from spectronctl.server.http.visits import get_visit
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
from spectronctl.server.traces.log import Traces
from spectronctl.server.traces.rows import make_trace

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
    request: Request,
    caller: Reader,
    body: Annotated[QueryBody, Depends(body_of(QueryBody))],
    database: CurrentDatabase,
    embedders: CurrentEmbedders,
    traces: Traces,
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
    reason = _explain(found, query.mode)
    trace = make_trace(
        get_visit(request.scope),
        caller,
        "retrieval",
        query=query.text,
        mode=query.mode,
        tier="hybrid",
        reason=reason,
        rows_touched=found.retrieved,
        latency_ms=found.milliseconds,
        details={
            "hits": [
                {"id": each.id, "table": "memory_chunk", "score": each.score} for each in found.hits
            ]
        },
    )
    traces.keep(caller.context, trace)
    return QueryResponse(
        hits=[Hit(id=each.id, text=each.text, score=each.score) for each in found.hits],
        query_ms=found.milliseconds,
        trace=Trace(
            trace_id=trace.id,
            tier_reason=reason,
            latency_ms=found.milliseconds,
            retrieved_count=found.retrieved,
            top_scores=[each.score for each in found.hits[:_TOP_SCORES]],
        ),
    )


def _explain(found: Recall, mode: str) -> str:
    problem = f"; without vectors: {found.without_vectors}" if found.without_vectors else ""
    return f"mode {mode}{problem}"

"""Traces and the audit, as the data plane shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from spectronctl.server.http.responses import PlaneResponse
from spectronctl.server.traces.rows import Kind, TraceRow

_TIERS = {"direct": 1, "cache": 2, "hybrid": 3, "full_context": 4}


class ReturnedRef(PlaneResponse):
    """A row that a retrieval returned; never its text."""

    id: str
    table: str
    rank: int
    score: float


class RetrievalTrace(PlaneResponse):
    """A look for memories, and what it returned, the best first."""

    id: str
    mode: str
    tier_entered: int = Field(description="1 direct, 2 cache, 3 hybrid, 4 full_context")
    tier_reason: str
    retrieved_ids: list[str]
    scores: list[float]
    latency_ms: int
    created_at: datetime
    returned: list[ReturnedRef]


class ResponseTrace(PlaneResponse):
    """A response that a model wrote, and what it was a response to."""

    id: str
    user_message: str
    response_text: str
    source: str
    cached: bool
    latency_ms: int
    created_at: datetime
    reused_from: str | None = None
    session_id: str | None = None


class TraceRecord(PlaneResponse):
    """A trace; `parent` and `retrievals` are there where a single one is asked for."""

    id: str
    query_text: str
    resolution_tier: str
    tier_reason: str
    latency_ms: int
    cached: bool
    created_at: datetime
    kind: Kind
    principal: str
    on_behalf_of: str | None = None
    parent: ResponseTrace | None = None
    retrievals: list[RetrievalTrace] | None = None


class TraceList(PlaneResponse):
    """Traces of queries and decisions, the newest first."""

    traces: list[TraceRecord]


class TierCounts(PlaneResponse):
    """How many queries each tier settled."""

    direct: int = 0
    hybrid: int = 0
    full_context: int = 0


class SourceKindCount(PlaneResponse):
    """How many attributes come from a kind of source."""

    kind: str
    count: int


class Contradictions(PlaneResponse):
    """How often facts from different sources disagree."""

    reconciliations: int = 0
    contradictions: int = 0
    contradiction_rate: float = 0.0


class Supersessions(PlaneResponse):
    """How often facts take the place of others."""

    supersession_events: int = 0
    entities_churned: int = 0
    churn_per_entity: float = 0.0


class Retrievals(PlaneResponse):
    """How many candidates retrievals had."""

    traces: int = 0
    avg_candidate_set: float = 0.0
    max_candidate_set: int = 0


class TraceStats(PlaneResponse):
    """What the traces of a window of time add up to; rates are from 0 to 1."""

    total_queries: int
    cache_hits: int
    avg_latency_ms: float
    tier_counts: TierCounts
    response_traces_total: int
    response_traces_cached: int
    cache_hit_rate: float
    window_hours: int
    source_kind_distribution: list[SourceKindCount] = Field(default_factory=list)
    contradiction: Contradictions = Field(default_factory=Contradictions)
    supersession: Supersessions = Field(default_factory=Supersessions)
    retrieval: Retrievals


class AuditRow(PlaneResponse):
    """Who did what, and what it cost. `cost` is in tokens, 0 where no model was asked."""

    trace_id: str
    kind: Kind
    cost: float
    rows_touched: int = Field(description="Candidates returned, or rows changed")
    latency_ms: int
    created_at: datetime
    model: str | None = None
    principal: str | None = None
    on_behalf_of: str | None = Field(default=None, description="Whom the principal acted for")
    key_id: str | None = None
    event: str | None = Field(default=None, description="`authz.denied` for a request refused")
    operation: str | None = Field(default=None, description="Method and path of what was refused")
    verb: str | None = Field(default=None, description="The verb that the operation asks for")
    outcome: str | None = Field(default=None, description="Why it was refused")


class AuditList(PlaneResponse):
    """Rows of the audit, the newest first."""

    rows: list[AuditRow]


def format_trace(row: TraceRow) -> TraceRecord:
    return TraceRecord(
        id=row.id,
        query_text=row.query,
        resolution_tier=row.tier,
        tier_reason=row.reason,
        latency_ms=row.latency_ms,
        cached=row.cached,
        created_at=row.created_at,
        kind=row.kind,
        principal=row.principal,
        on_behalf_of=row.delegate,
    )


def format_retrieval(row: TraceRow) -> RetrievalTrace:
    hits: list[dict[str, Any]] = row.details.get("hits", [])
    return RetrievalTrace(
        id=row.id,
        mode=row.mode,
        tier_entered=_TIERS.get(row.tier, 0),
        tier_reason=row.reason,
        retrieved_ids=[hit["id"] for hit in hits],
        scores=[hit["score"] for hit in hits],
        latency_ms=row.latency_ms,
        created_at=row.created_at,
        returned=[ReturnedRef(**hit, rank=rank) for rank, hit in enumerate(hits, 1)],
    )


def format_response(row: TraceRow) -> ResponseTrace:
    return ResponseTrace(
        id=row.id,
        user_message=row.query,
        response_text=row.details.get("response", ""),
        source=row.details.get("source", ""),
        cached=row.cached,
        latency_ms=row.latency_ms,
        created_at=row.created_at,
        reused_from=row.details.get("reused_from"),
        session_id=row.session_id,
    )


def format_audit(row: TraceRow) -> AuditRow:
    return AuditRow(
        trace_id=row.id,
        kind=row.kind,
        cost=row.cost,
        rows_touched=row.rows_touched,
        latency_ms=row.latency_ms,
        created_at=row.created_at,
        model=row.model,
        principal=row.principal,
        on_behalf_of=row.delegate,
        key_id=row.key_id,
        event=row.event,
        operation=row.details.get("operation"),
        verb=row.details.get("verb"),
        outcome=row.reason if row.event else None,
    )

"""Traces, and the audits of both planes."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from spectronctl.models._base import Model


class Trace(Model):
    """A trace of a query or a decision. `parent` and `retrievals` are there where a single one was asked for."""

    id: str
    query_text: str = ""
    resolution_tier: str = ""
    tier_reason: str = ""
    latency_ms: int = 0
    cached: bool = False
    created_at: str
    parent: dict[str, Any] | None = None
    retrievals: list[dict[str, Any]] | None = None


class TraceStats(Model):
    """What the traces of a window add up to; rates are from 0 to 1."""

    total_queries: int = 0
    cache_hits: int = 0
    avg_latency_ms: float = 0.0
    cache_hit_rate: float = 0.0
    response_traces_total: int = 0
    response_traces_cached: int = 0
    window_hours: int = 0
    tier_counts: dict[str, Any] = Field(default_factory=dict)


class AuditRow(Model):
    """Who did what on a context. `cost` is in tokens; `principal` and `key_id` only on servers that tell them."""

    trace_id: str
    kind: str
    created_at: str
    cost: float = 0.0
    rows_touched: int = 0
    latency_ms: int = 0
    principal: str | None = None
    key_id: str | None = None

    @property
    def key(self) -> str:
        """What tells it from all other rows."""
        return self.trace_id


class AuditEvent(Model):
    """Who changed what over the management plane, and what became of it."""

    id: str
    created_at: str
    action: str
    operation: str | None = None
    context_id: str | None = None
    objects: dict[str, Any] = Field(default_factory=dict)
    key_id: str | None = None
    name: str | None = None
    address: str | None = None
    outcome: str | None = None
    status: int | None = None

    @property
    def key(self) -> str:
        """What tells it from all other events."""
        return self.id

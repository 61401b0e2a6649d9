"""What traces look like in a table."""

from __future__ import annotations

from spectronctl.output.views import Column, View

NO_TRACES = "this server keeps no traces"

TRACES = View(
    columns=(
        Column("id", kind="id"),
        Column("query", "query_text"),
        Column("tier", "resolution_tier", kind="id"),
        Column("ms", "latency_ms", kind="id"),
        Column("created_at", kind="age"),
    ),
    wide=(Column("reason", "tier_reason"), Column("principal"), Column("cached")),
    plural="traces",
)

STATS = View(
    columns=(
        Column("queries", "total_queries", kind="id"),
        Column("avg_ms", "avg_latency_ms", kind="id"),
        Column("direct", "tier_counts.direct", kind="id"),
        Column("hybrid", "tier_counts.hybrid", kind="id"),
        Column("full", "tier_counts.fullContext", kind="id"),
        Column("responses", "response_traces_total", kind="id"),
        Column("cached", "response_traces_cached", kind="id"),
        Column("hours", "window_hours", kind="id"),
    ),
    wide=(
        Column("hit_rate", "cache_hit_rate", kind="id"),
        Column("candidates", "retrieval.avgCandidateSet", kind="id"),
    ),
    name="total_queries",
    plural="statistics",
)

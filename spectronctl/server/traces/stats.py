"""What traces add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from spectronctl.server.traces.schemas import Retrievals, TierCounts, TraceStats

Sums = Sequence[dict[str, Any]]


def add_up(sums: Sums, *, window_hours: int) -> TraceStats:
    """The statistics of `TraceTable.sum_traces`."""
    queries = [each for each in sums if each["kind"] == "retrieval"]
    responses = [each for each in sums if each["kind"] == "response"]
    cached = [each for each in responses if each["cached"]]
    total, answered = _add(queries, "traces"), _add(responses, "traces")
    hits = _add(cached, "traces")
    return TraceStats(
        total_queries=total,
        cache_hits=hits,
        avg_latency_ms=_divide(_add(queries, "milliseconds"), total),
        tier_counts=TierCounts(
            direct=_count_tier(queries, "direct"),
            hybrid=_count_tier(queries, "hybrid"),
            full_context=_count_tier(queries, "full_context"),
        ),
        response_traces_total=answered,
        response_traces_cached=hits,
        cache_hit_rate=_divide(hits, answered),
        window_hours=window_hours,
        retrieval=Retrievals(
            traces=total,
            avg_candidate_set=_divide(_add(queries, "candidates"), total),
            max_candidate_set=max((int(each["most"]) for each in queries), default=0),
        ),
    )


def _add(sums: Iterable[dict[str, Any]], name: str) -> int:
    return sum(int(each[name]) for each in sums)


def _count_tier(sums: Sums, tier: str) -> int:
    return _add((each for each in sums if each["tier"] == tier), "traces")


def _divide(part: float, whole: float) -> float:
    return part / whole if whole else 0.0

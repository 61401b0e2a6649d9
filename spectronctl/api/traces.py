"""Traces, and the audits of both planes. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request, path
from spectronctl.models.traces import AuditEvent, AuditRow, Trace, TraceStats


def list_traces(
    context_id: str,
    *,
    limit: int = PAGE_SIZE,
    since: str | None = None,
    scope: str | None = None,
) -> Request[Page[Trace]]:
    """The newest traces, at most `limit` (500 at most), as one page. `since` is RFC 3339."""
    params = {"limit": limit, "since": since, "scope": scope}
    return Request("GET", path("/{id}/traces", id=context_id), Page[Trace], params=params)


def get_trace(context_id: str, trace_id: str) -> Request[Trace]:
    """One trace with what it belongs to; 404 when there is none that the caller may see."""
    return Request("GET", path("/{id}/traces/{trace}", id=context_id, trace=trace_id), Trace)


def get_trace_stats(
    context_id: str,
    *,
    window_hours: int | None = None,
    since: str | None = None,
    scope: str | None = None,
) -> Request[TraceStats]:
    """What the traces of the last hours, or since a moment (RFC 3339), add up to."""
    params = {"windowHours": window_hours, "since": since, "scope": scope}
    return Request("GET", path("/{id}/traces/stats", id=context_id), TraceStats, params=params)


def list_audit(
    context_id: str,
    *,
    limit: int = PAGE_SIZE,
    principal: str | None = None,
    key: str | None = None,
    kind: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Request[Page[AuditRow]]:
    """The newest rows, at most `limit` (500 at most), as one page. Times are RFC 3339, both included."""
    params = {
        "limit": limit,
        "principal": principal,
        "key": key,
        "kind": kind,
        "since": since,
        "until": until,
    }
    return Request("GET", path("/{id}/audit", id=context_id), Page[AuditRow], params=params)


def list_events(
    *,
    limit: int = PAGE_SIZE,
    context: str | None = None,
    key: str | None = None,
    action: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Request[Page[AuditEvent]]:
    """
    One page of the management plane's audit, the newest first; 404 on servers without it.

    `key` is the id or the name of a management key. Times are RFC 3339, both included.
    """
    params = {
        "limit": limit,
        "context": context,
        "key": key,
        "action": action,
        "since": since,
        "until": until,
    }
    return Request("GET", path("/audit"), Page[AuditEvent], params=params)

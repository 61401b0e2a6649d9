"""The server itself, without a key: is it Spectron, is it well, what time is it there."""

from __future__ import annotations

from typing import Any

from spectronctl.api.health import get_health
from spectronctl.api.requests import Request, path
from spectronctl.client import probes
from spectronctl.errors import NotAvailableError, RequestError, SpectronctlError, UpstreamError
from spectronctl.operations.diagnosis._engine import Finding
from spectronctl.operations.diagnosis._subject import NOT_IN_PLAY, Subject

MAX_SKEW_SECS = 30.0
"""Seconds: from there on expiries and lifetimes mean something else here than there."""

_GET_READINESS: Request[dict[str, Any]] = Request("GET", path("/ready"), dict[str, Any])


def check_health(subject: Subject) -> Finding:
    """Whether Spectron responds there, in which version, and whether its database responds."""
    client = subject.target.client
    try:
        health = client.send(get_health())
    except SpectronctlError as exc:
        # Asked only now: a healthy server is not sent a request for a path that it does not have.
        raise _recognise_database(subject) or exc from None
    facts = {"version": health.version, "status": health.status}
    detail = f"Spectron {health.version or 'of an unknown version'}"
    try:
        client.send(_GET_READINESS)
    except RequestError as exc:
        # A server without the route responds with 404, 401 or 501, and none of them says that its database is ill.
        if exc.status is None or (exc.status >= 500 and not isinstance(exc, NotAvailableError)):
            raise
        return Finding(detail, facts=facts)  # not every server tells
    return Finding(f"{detail}, its database responds", facts=facts)


def _recognise_database(subject: Subject) -> UpstreamError | None:
    """SurrealDB's own port looks much like Spectron's, and knows nothing of it."""
    target = subject.target
    if not target.has_network or not subject.route.is_open:
        return None
    version = probes.read_text(subject.route, "/version", target.limit / 4).strip()
    if not version.startswith("surrealdb-"):
        return None
    return UpstreamError(
        f"SurrealDB itself ({version[:40]}) responds there, not Spectron",
        hint="Spectron listens on a port of its own: 9090 unless its operator chose otherwise.",
    )


def check_clock(subject: Subject) -> Finding:
    """How far the server's clock is from ours, by the `Date` of its last response."""
    if subject.target.is_local:
        return NOT_IN_PLAY
    seconds = subject.target.client.clock_offset.total_seconds()
    facts = {"seconds_ahead": round(seconds, 1)}
    if not seconds:
        return Finding("no difference to be seen", facts=facts)
    detail = f"the server's clock is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(seconds) <= MAX_SKEW_SECS:
        return Finding(detail, facts=facts)
    hint = "Keys expire by the server's clock. Set the one that is wrong: `date -u` tells this one."
    return Finding(detail, "warning", hint=hint, facts=facts)

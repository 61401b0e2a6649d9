"""
Every route of a Spectron server that this client knows, once: what it asks for, and what `doctor` looks for.

The functions beside this module fill these templates; a test holds them to the list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MANAGEMENT = frozenset({"audit", "contexts", "management-keys", "migrations", "verbs"})
"""
What paths of the management plane begin with.

Every other one begins with the id of a context, which can be none of these words: a server reserves them.
"""


@dataclass(frozen=True)
class Route:
    """
    A method and a template under `/api/v1`. One with a `capability` is shown by that name when a server is examined.

    `is_used` says that a command asks for it: a server without it cannot serve that command.
    """

    method: str
    template: str
    capability: str | None = None
    is_used: bool = True

    @property
    def is_management(self) -> bool:
        """Whether it belongs to the management plane, whose key opens it."""
        return self.template.split("/")[1] in MANAGEMENT

    @property
    def needs_context(self) -> bool:
        return "{" in self.template

    @property
    def shape(self) -> str:
        """`METHOD /api/v1/…` with `{}` for every name, whatever a description calls it."""
        return f"{self.method} /api/v1{re.sub('{.*?}', '{}', self.template)}"


_CONTEXT, _SESSIONS, _SCOPES = "/contexts/{id}", "/{id}/sessions", "/{id}/scopes"

ROUTES = (
    Route("GET", "/contexts", "contexts"),
    Route("GET", "/verbs", "verbs", is_used=False),
    Route("GET", "/migrations", "migrations"),
    Route("GET", f"{_CONTEXT}/keys", "keys"),
    Route("GET", f"{_CONTEXT}/principals", "principals"),
    Route("GET", f"{_CONTEXT}/ontology", "ontology"),
    Route("GET", f"{_CONTEXT}/lifecycle/jobs", "jobs"),
    Route("GET", "/{id}/me", "identity"),
    Route("GET", _SESSIONS, "sessions"),
    Route("GET", "/{id}/lifecycle/expire", "expiry preview"),
    Route("GET", _SCOPES, "scopes"),
    Route("POST", "/{id}/facts", "facts"),
    Route("POST", "/{id}/query", "query", is_used=False),
    Route("POST", "/{id}/fsck", "fsck"),
    Route("GET", "/management-keys", "management keys"),
    Route("POST", "/management-keys"),
    Route("DELETE", "/management-keys/{key}"),
    Route("POST", "/management-keys/{key}/rotate"),
    Route("GET", "/audit", "management audit"),
    Route("GET", "/{id}/traces", "traces"),
    Route("GET", "/{id}/traces/stats"),
    Route("GET", "/{id}/traces/{trace}"),
    Route("GET", "/{id}/audit", "audit"),
    *(Route(method, _CONTEXT) for method in ("GET", "POST", "PATCH", "DELETE")),
    Route("POST", f"{_CONTEXT}/keys"),
    Route("DELETE", f"{_CONTEXT}/keys/{{key}}"),
    Route("POST", f"{_CONTEXT}/keys/{{key}}/rotate"),
    Route("POST", f"{_CONTEXT}/principals"),
    *(Route(method, f"{_CONTEXT}/principals/{{principal}}") for method in ("PATCH", "DELETE")),
    *(Route(method, "/{id}/principals/{principal}/grants") for method in ("POST", "DELETE")),
    Route("GET", "/{id}/principals/{principal}/effective"),
    Route("GET", f"{_CONTEXT}/whocan"),
    *(Route(method, f"{_CONTEXT}/ontology") for method in ("PUT", "DELETE")),
    *(Route("POST", f"{_CONTEXT}/lifecycle/{name}") for name in ("decay", "reindex")),
    *(Route(method, f"{_CONTEXT}/lifecycle/jobs/{{job}}") for method in ("GET", "DELETE")),
    Route("POST", _SESSIONS),
    *(Route(method, f"{_SESSIONS}/{{session}}") for method in ("GET", "DELETE")),
    Route("GET", f"{_SESSIONS}/{{session}}/turns"),
    Route("POST", f"{_SESSIONS}/{{session}}/context"),
    *(Route(method, _SCOPES) for method in ("POST", "DELETE")),
    *(Route(method, f"{_SCOPES}/forget") for method in ("GET", "POST")),
    Route("POST", "/{id}/facts/batch"),
    Route("POST", "/{id}/lifecycle/expire"),
)

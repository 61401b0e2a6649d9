"""Which requests can destroy something: every operation of the server is in one of these two lists."""

from __future__ import annotations

import re

DESTROYS = {
    "PATCH /contexts/{context_id}",
    "DELETE /contexts/{context_id}",
    "DELETE /contexts/{context_id}/keys/{key_id}",
    "POST /contexts/{context_id}/keys/{key_id}/rotate",
    "DELETE /management-keys/{management_key_id}",
    "POST /management-keys/{management_key_id}/rotate",
    "PATCH /contexts/{context_id}/principals/{principal_id}",
    "DELETE /contexts/{context_id}/principals/{principal_id}",
    "PUT /contexts/{context_id}/principals/{principal_id}/grants",
    "DELETE /{context_id}/principals/{principal_id}/grants",
    "PUT /contexts/{context_id}/ontology",
    "DELETE /contexts/{context_id}/ontology",
    "POST /contexts/{context_id}/lifecycle/decay",
    "POST /{context_id}/lifecycle/decay",
    "POST /{context_id}/lifecycle/expire",
    "DELETE /{context_id}/sessions/{session_id}",
    "DELETE /{context_id}/keys/{key_name}",
    "POST /{context_id}/keys/{key_name}/rotate",
    "DELETE /{context_id}/scopes",
    "POST /{context_id}/scopes/forget",
}

HARMLESS = {
    "POST /contexts/{context_id}",
    "POST /contexts/{context_id}/keys",
    "POST /contexts/{context_id}/principals",
    "POST /contexts/{context_id}/principals/{principal_id}/keys/{key_name}",
    "POST /contexts/{context_id}/access-tokens",
    "POST /{context_id}/keys",
    "POST /{context_id}/scopes",
    "POST /management-keys",
    "POST /{context_id}/principals/{principal_id}/grants",
    "POST /contexts/{context_id}/lifecycle/reindex",
    "DELETE /contexts/{context_id}/lifecycle/jobs/{job_id}",
    "POST /{context_id}/facts",
    "POST /{context_id}/facts/batch",
    "POST /{context_id}/fsck",
    "POST /{context_id}/query",
    "POST /{context_id}/sessions",
    "POST /{context_id}/sessions/{session_id}/context",
}
"""They read, or add, or stop work that can be started again."""

PREFIX = "/api/v1"


def is_destructive(asked: str) -> bool:
    """Whether `METHOD path`, as a server was asked, can destroy."""
    return any(re.fullmatch(_as_pattern(route), asked) for route in DESTROYS)


def _as_pattern(route: str) -> str:
    method, path = route.split()
    return f"{method} {PREFIX}" + re.sub(r"\{[^}]*\}", "[^/]+", path)

"""The tree of scopes. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from spectronctl.api.pages import Page
from spectronctl.api.requests import Request, path
from spectronctl.models.scopes import Forgotten, Scope


def list_scopes(context_id: str) -> Request[Page[Scope]]:
    """All scopes over which the caller holds a verb, live and tombstoned, in one page."""
    return Request("GET", path("/{context}/scopes", context=context_id), Page[Scope])


def register_scope(
    context_id: str,
    scope: str,
    *,
    display_name: str | None = None,
    description: str | None = None,
) -> Request[Scope]:
    """Register a scope and those above it, or revive it; the same again is no error. 400 below a tombstone."""
    body = {"path": scope, "displayName": display_name, "description": description}
    sent = {name: value for name, value in body.items() if value is not None}
    return Request("POST", path("/{context}/scopes", context=context_id), Scope, json=sent)


def tombstone_scope(context_id: str, scope: str) -> Request[None]:
    """Let nothing be written at or below a scope any more; what is written there stays. 404 when there is none."""
    where = path("/{context}/scopes", context=context_id)
    return Request("DELETE", where, None, params={"path": scope})


def forget_scope(context_id: str, scope: str) -> Request[Forgotten]:
    """Erase everything that is tagged at or below a scope; irreversible."""
    where = path("/{context}/scopes/forget", context=context_id)
    return Request("POST", where, Forgotten, json={"path": scope})


def preview_forgetting(context_id: str, scope: str) -> Request[Forgotten]:
    """What `forget_scope` would erase; changes nothing. 404 or 405 on servers without it."""
    # A GET, and not the `dryRun` of our server's POST: a server that does not know that field would erase everything.
    where = path("/{context}/scopes/forget", context=context_id)
    return Request("GET", where, Forgotten, params={"path": scope})

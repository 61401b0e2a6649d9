"""Contexts. Each function describes one request and sends nothing."""

from __future__ import annotations

from typing import Any

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request, path
from spectronctl.models.contexts import Context


def list_contexts(*, limit: int = PAGE_SIZE) -> Request[Page[Context]]:
    """One page of at most `limit` contexts (1 to 500), ordered by id."""
    return Request("GET", path("/contexts"), Page[Context], params={"limit": limit})


def get_context(context_id: str) -> Request[Context]:
    """One context; 404 when there is none."""
    return Request("GET", path("/contexts/{id}", id=context_id), Context)


def create_context(
    context_id: str,
    *,
    namespace: str,
    database: str,
    config: dict[str, Any] | None = None,
    admin_external_id: str | None = None,
    admin_display_name: str | None = None,
) -> Request[Context]:
    """Create a context bound to (namespace, database); 409 taken, 422 reserved, 400 bad id or config."""
    body = {
        "namespace": namespace,
        "database": database,
        "config": config,
        "admin_external_id": admin_external_id,
        "admin_display_name": admin_display_name,
    }
    sent = {name: value for name, value in body.items() if value is not None}
    return Request("POST", path("/contexts/{id}", id=context_id), Context, json=sent)


def update_context(
    context_id: str,
    *,
    config: dict[str, Any] | None = None,
    enforcement_blocked: bool | None = None,
) -> Request[Context]:
    """Deep-merge into a context; an explicit None inside `config` clears that field."""
    body = {"config": config, "enforcement_blocked": enforcement_blocked}
    sent = {name: value for name, value in body.items() if value is not None}
    return Request("PATCH", path("/contexts/{id}", id=context_id), Context, json=sent)


def delete_context(context_id: str) -> Request[None]:
    """Drop the context's database, its keys and its registry entry; irreversible."""
    return Request("DELETE", path("/contexts/{id}", id=context_id), None)

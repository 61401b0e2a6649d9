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
    **settings: Any,
) -> Request[Context]:
    """
    Create a context bound to (namespace, database); 409 taken, 422 reserved, 400 bad id or config.

    `settings` are further fields of the body; None leaves one out.
    """
    body = {"namespace": namespace, "database": database, "config": config, **settings}
    sent = {name: value for name, value in body.items() if value is not None}
    return Request("POST", path("/contexts/{id}", id=context_id), Context, json=sent)


def update_context(
    context_id: str, *, config: dict[str, Any] | None = None, **settings: Any
) -> Request[Context]:
    """
    Deep-merge into a context; an explicit None inside `config` clears that field.

    `settings` are further fields of the body; None leaves one out.
    """
    body = {"config": config, **settings}
    # Only the outer fields: a None inside `config` is the order to clear, and is sent as null.
    sent = {name: value for name, value in body.items() if value is not None}
    return Request("PATCH", path("/contexts/{id}", id=context_id), Context, json=sent)


def delete_context(context_id: str) -> Request[None]:
    """Drop the context's database, its keys and its registry entry; irreversible."""
    return Request("DELETE", path("/contexts/{id}", id=context_id), None)

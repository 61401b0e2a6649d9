"""Principals of a context and their grants. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request, path
from spectronctl.models.identity import Grants
from spectronctl.models.principals import Effective, Holders, Principal

_ALL = "/contexts/{id}/principals"
_ONE = f"{_ALL}/{{principal_id}}"
_GRANTS = "/{id}/principals/{principal_id}/grants"


def list_principals(context_id: str, *, limit: int = PAGE_SIZE) -> Request[Page[Principal]]:
    """One page of at most `limit` principals (1 to 500), ordered by id."""
    return Request("GET", path(_ALL, id=context_id), Page[Principal], params={"limit": limit})


def create_principal(
    context_id: str,
    display_name: str,
    *,
    kind: str | None = None,
    external_id: str | None = None,
    grants: Grants | None = None,
) -> Request[Principal]:
    """Create a principal, or get the one with that external id. 409 when the display name is taken."""
    body = {
        "display_name": display_name,
        "kind": kind,
        "external_id": external_id,
        "grants": grants,
    }
    sent = {name: value for name, value in body.items() if value is not None}
    return Request("POST", path(_ALL, id=context_id), Principal, json=sent)


def update_principal(
    context_id: str, principal_id: str, changes: Mapping[str, Any]
) -> Request[Principal]:
    """Change `display_name` or `kind`, or replace all `grants`. 409 when the display name is taken."""
    where = path(_ONE, id=context_id, principal_id=principal_id)
    return Request("PATCH", where, Principal, json=dict(changes))


def delete_principal(context_id: str, principal_id: str) -> Request[None]:
    """Delete a principal and revoke its keys at once."""
    return Request("DELETE", path(_ONE, id=context_id, principal_id=principal_id), None)


def grant(
    context_id: str, principal_id: str, pattern: str, verbs: Sequence[str]
) -> Request[Principal]:
    """Give a principal verbs over a scope pattern."""
    where = path(_GRANTS, id=context_id, principal_id=principal_id)
    return Request("POST", where, Principal, json={"path": pattern, "verbs": list(verbs)})


def revoke(
    context_id: str, principal_id: str, pattern: str, verbs: Sequence[str]
) -> Request[Principal]:
    """Take verbs over a scope pattern from a principal; its next request has them no longer."""
    where = path(_GRANTS, id=context_id, principal_id=principal_id)
    return Request("DELETE", where, Principal, json={"path": pattern, "verbs": list(verbs)})


def get_effective(
    context_id: str, principal_id: str, scope: str, *, as_of: str | None = None
) -> Request[Effective]:
    """The verbs that a principal holds over a path, or held at an RFC 3339 time."""
    where = path(
        "/{id}/principals/{principal_id}/effective", id=context_id, principal_id=principal_id
    )
    return Request("GET", where, Effective, params={"path": scope, "asOf": as_of})


def list_holders(context_id: str, verb: str, scope: str) -> Request[Holders]:
    """The principals and keys that hold a verb over a path."""
    where = path("/contexts/{id}/whocan", id=context_id)
    return Request("GET", where, Holders, params={"verb": verb, "path": scope})

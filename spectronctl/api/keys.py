"""API keys of a context. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from typing import Any

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request, path
from spectronctl.models.identity import Grants
from spectronctl.models.keys import Key, MintedKey


def list_keys(context_id: str, *, limit: int = PAGE_SIZE) -> Request[Page[Key]]:
    """One page of at most `limit` keys (1 to 500), ordered by id; never a secret."""
    return Request(
        "GET", path("/contexts/{id}/keys", id=context_id), Page[Key], params={"limit": limit}
    )


def create_key(
    context_id: str,
    name: str,
    *,
    principal: str = "agent",
    principal_id: str | None = None,
    scope_floor: Any = None,
    grants: Grants | None = None,
    expires_at: str | None = None,
    expires_in: int | None = None,
) -> Request[MintedKey]:
    """
    Mint a key; only this response holds its secret. `expires_in` is in seconds. 409 when the name is taken.

    It acts for the principal of that id, or for one of its own, which may do what the word `principal` says.
    `grants` limit it further, and never give more.
    """
    body = {
        "name": name,
        "principal": principal,
        "principal_id": principal_id,
        "scope_floor": scope_floor,
        "grants": grants,
        "expires_at": expires_at,
        "expires_in": expires_in,
    }
    sent = {field: value for field, value in body.items() if value is not None}
    return Request("POST", path("/contexts/{id}/keys", id=context_id), MintedKey, json=sent)


def rotate_key(context_id: str, key_id: str) -> Request[MintedKey]:
    """Replace a key's secret; the old one stops working at once."""
    template = "/contexts/{id}/keys/{key_id}/rotate"
    return Request("POST", path(template, id=context_id, key_id=key_id), MintedKey)


def delete_key(context_id: str, key_id: str) -> Request[None]:
    """Revoke a key at once."""
    return Request(
        "DELETE", path("/contexts/{id}/keys/{key_id}", id=context_id, key_id=key_id), None
    )

"""Keys of the control plane. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request, path
from spectronctl.models.management_keys import ManagementKey, MintedManagementKey


def list_management_keys(*, limit: int = PAGE_SIZE) -> Request[Page[ManagementKey]]:
    """One page of at most `limit` keys (1 to 500), ordered by id; never a secret."""
    return Request("GET", path("/management-keys"), Page[ManagementKey], params={"limit": limit})


def create_management_key(name: str) -> Request[MintedManagementKey]:
    """Mint a key; only this response holds its secret. 409 when the name is taken."""
    return Request("POST", path("/management-keys"), MintedManagementKey, json={"name": name})


def rotate_management_key(key_id: str) -> Request[MintedManagementKey]:
    """Replace a key's secret; the old one stops working at once."""
    return Request("POST", path("/management-keys/{id}/rotate", id=key_id), MintedManagementKey)


def delete_management_key(key_id: str, *, force: bool = False) -> Request[None]:
    """Revoke a key at once. 409 for the last one, unless `force`."""
    params = {"force": "true"} if force else {}
    return Request("DELETE", path("/management-keys/{id}", id=key_id), None, params=params)

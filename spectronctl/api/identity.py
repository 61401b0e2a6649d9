"""Who a key is, on the data plane of its context."""

from __future__ import annotations

from spectronctl.api.requests import Request, path
from spectronctl.models.identity import Identity


def get_identity(context_id: str) -> Request[Identity]:
    """The caller as the server resolved it; 401 for a bad key, a foreign key and an unknown context alike."""
    return Request("GET", path("/{id}/me", id=context_id), Identity)

"""Liveness; needs no key."""

from __future__ import annotations

from spectronctl.api._request import Request, path
from spectronctl.models.health import Health


def get_health() -> Request[Health]:
    """Whether the server answers."""
    return Request("GET", path("/health"), Health)

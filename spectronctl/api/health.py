"""What a server says of itself; needs no key."""

from __future__ import annotations

from typing import Any

from spectronctl.api.requests import Request, path
from spectronctl.models.health import Health


def get_health() -> Request[Health]:
    """Whether the server responds."""
    return Request("GET", path("/health"), Health)


def get_description() -> Request[dict[str, Any]]:
    """The server's OpenAPI description; not every server has one."""
    return Request("GET", "/openapi.json", dict[str, Any])

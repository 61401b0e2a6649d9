"""Schema versions of the contexts' databases."""

from __future__ import annotations

from spectronctl.api.requests import Request, path
from spectronctl.models.migrations import Migrations


def get_migrations() -> Request[Migrations]:
    """The newest schema, and the one of every context."""
    return Request("GET", path("/migrations"), Migrations)

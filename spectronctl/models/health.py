"""Liveness."""

from __future__ import annotations

from spectronctl.models._base import Model


class Health(Model):
    """Answer of `GET /health`."""

    status: str | None = None
    version: str | None = None

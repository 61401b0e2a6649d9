"""Liveness."""

from __future__ import annotations

from spectronctl.models._base import Model

IMPLEMENTATION = "spectronctl"
"""What our own server calls itself in its description: versions of others' servers do not compare with ours."""


class Health(Model):
    """Response of `GET /health`."""

    status: str | None = None
    version: str | None = None

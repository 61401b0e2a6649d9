"""Problem details (RFC 7807), as far as any server fills them in."""

from __future__ import annotations

from spectronctl.models._base import Model


class Problem(Model):
    """An error answer. Some servers send `message` alone."""

    type: str | None = None
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    message: str | None = None

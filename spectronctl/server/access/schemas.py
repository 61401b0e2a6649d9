"""What the server says about the caller."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spectronctl.models.identity import Grants
from spectronctl.server.http.responses import PlaneResponse


class Identity(PlaneResponse):
    """The caller: the grants of its principal, what its key narrows them to, and what is left."""

    principal_id: str
    kind: Literal["agent", "service"]
    display_name: str
    grants: Grants
    token_grants: Grants | None = Field(default=None, description="Present when the key narrows")
    effective_grants: Grants
    delegated_principal_id: str | None = Field(default=None, description="Present when delegating")

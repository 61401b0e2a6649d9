"""What the server says about the caller."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spectronctl.ground.vocabulary import PrincipalKind
from spectronctl.models.identity import Grants
from spectronctl.server.http.responses import PlaneResponse


class Identity(PlaneResponse):
    """The caller: the grants of its principal, what its key narrows them to, and what is left."""

    principal_id: str
    kind: PrincipalKind
    display_name: str
    key_id: str | None = Field(default=None, description="Absent for a management key")
    key_name: str | None = Field(default=None, description="Absent for a management key")
    grants: Grants
    token_grants: Grants | None = Field(default=None, description="Present when the key narrows")
    effective_grants: Grants
    delegated_principal_id: str | None = Field(default=None, description="Present when delegating")
    enforce: Literal[True] = Field(default=True, description="Grants are enforced: always")

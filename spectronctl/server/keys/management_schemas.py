"""Management keys, as requests ask for them and as responses show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import PRINTABLE
from spectronctl.server.registry.rows import ManagementKeyRow


class ManagementKeyBody(Body):
    """Body of `POST /management-keys`."""

    EXAMPLE: ClassVar = {"name": "ci"}

    name: Annotated[str, Field(min_length=1, max_length=128), PRINTABLE]


class ManagementKeyResponse(BaseModel):
    """A management key, without its secret."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None = Field(description="To within a minute")


class MintedManagementKeyResponse(ManagementKeyResponse):
    """A management key just created or rotated: the only response that holds its secret."""

    secret: str


class ManagementKeyPage(BaseModel):
    """Management keys in the order of their ids."""

    keys: list[ManagementKeyResponse]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


def format_management_key(row: ManagementKeyRow) -> ManagementKeyResponse:
    """A key as lists show it."""
    return ManagementKeyResponse(**_describe(row))


def format_minted_management_key(row: ManagementKeyRow, secret: str) -> MintedManagementKeyResponse:
    """A key with its secret, this once."""
    return MintedManagementKeyResponse(**_describe(row), secret=secret)


def _describe(row: ManagementKeyRow) -> dict[str, Any]:
    used = row.last_used_at
    return {
        "id": row.id,
        "name": row.name,
        "created_at": row.created_at.astimezone(UTC),
        "last_used_at": used and used.astimezone(UTC),
    }

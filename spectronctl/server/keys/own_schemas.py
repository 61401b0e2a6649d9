"""Keys of one's own, as requests ask for them and as responses show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import Field

from spectronctl.models.identity import Grants
from spectronctl.server.access.patterns import AnyGrants
from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import PRINTABLE
from spectronctl.server.http.responses import PlaneResponse
from spectronctl.server.registry.rows import KeyRow

MAX_TTL_SECONDS = 36_525 * 86_400


class MintBody(Body):
    """Body of `POST /{context_id}/keys`; none, or `null`, is an empty one."""

    EXAMPLE: ClassVar = {"name": "reader", "grants": {"memory:read": ["org/acme/*"]}}

    name: Annotated[str, Field(min_length=1, max_length=128), PRINTABLE] | None = Field(
        default=None, description="Unique in the context; without it, the key's id"
    )
    grants: AnyGrants | None = Field(
        default=None, description="What the key may do, of what the caller may; without it, all"
    )


class OwnKeyResponse(PlaneResponse):
    """A key, without its secret."""

    id: str
    name: str
    created_at: datetime
    grants: Grants | None = Field(default=None, description="Present when the key narrows")
    last_used_at: datetime | None = Field(default=None, description="To within a minute")
    valid_until: datetime | None = None


class MintedOwnKeyResponse(PlaneResponse):
    """A key just minted or rotated: the only response that holds its secret, `key`."""

    id: str
    key: str
    name: str
    valid_until: datetime | None = None


def format_own_key(row: KeyRow) -> OwnKeyResponse:
    """A key as lists show it."""
    return OwnKeyResponse(
        id=row.id,
        name=row.name,
        created_at=row.created_at.astimezone(UTC),
        grants=None
        if row.grants is None
        else {each: list(row.grants[each]) for each in row.grants},
        last_used_at=row.last_used_at and row.last_used_at.astimezone(UTC),
        valid_until=row.expires_at and row.expires_at.astimezone(UTC),
    )


def format_minted_own_key(row: KeyRow, secret: str) -> MintedOwnKeyResponse:
    """A key with its secret, this once."""
    until = row.expires_at and row.expires_at.astimezone(UTC)
    return MintedOwnKeyResponse(id=row.id, key=secret, name=row.name, valid_until=until)

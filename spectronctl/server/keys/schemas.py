"""Keys of a context, as responses show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue

from spectronctl.server.registry.rows import KeyRow, is_expired


class KeyAnswer(BaseModel):
    """A key of a context, without its secret."""

    id: str
    name: str
    principal: str
    scope_floor: JsonValue
    created_at: datetime
    last_used_at: datetime | None = Field(description="To within a minute")
    expires_at: datetime | None
    status: Literal["active", "expired"]


class MintedKeyAnswer(KeyAnswer):
    """A key just created or rotated: the only answer that holds its secret."""

    secret: str


class KeyPage(BaseModel):
    """Keys in the order of their ids."""

    keys: list[KeyAnswer]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


def show_key(row: KeyRow) -> KeyAnswer:
    """A key as lists show it."""
    return KeyAnswer(**_describe_key(row))


def show_minted_key(row: KeyRow, secret: str) -> MintedKeyAnswer:
    """A key with its secret, this once."""
    return MintedKeyAnswer(**_describe_key(row), secret=secret)


def _describe_key(row: KeyRow) -> dict[str, Any]:
    used, ends = row.last_used_at, row.expires_at
    return {
        "id": row.id,
        "name": row.name,
        "principal": row.principal,
        "scope_floor": row.scope_floor,
        "created_at": row.created_at.astimezone(UTC),
        "last_used_at": used and used.astimezone(UTC),
        "expires_at": ends and ends.astimezone(UTC),
        "status": "expired" if is_expired(row) else "active",
    }

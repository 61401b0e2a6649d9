"""Rows of the control plane: contexts, principals and keys, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from spectronctl.ground.vocabulary import PrincipalKind


@dataclass(frozen=True, kw_only=True)
class ContextRow:
    """
    A registered context. `providers` names the configured providers; their secrets stay in the database.

    `forgetting` are the scopes whose rows are being erased, and hidden until then.
    """

    id: str
    namespace: str
    database: str
    config: Mapping[str, Any] = field(default_factory=dict)
    providers: tuple[str, ...] = ()
    enforcement_blocked: bool = False
    admin_external_id: str | None = None
    admin_display_name: str | None = None
    schema_version: int = 0
    forgetting: Sequence[str] = field(default_factory=list)
    created_at: datetime


Grants = Mapping[str, Sequence[str]]
"""Verb to scope patterns."""


@dataclass(frozen=True, kw_only=True)
class PrincipalRow:
    """
    Who acts in a context, and what it may do there.

    `of_key`: made along with a key that named no principal. `revision` counts the changes of its grants.
    """

    id: str
    context_id: str
    kind: PrincipalKind
    display_name: str
    external_id: str | None = None
    grants: Grants = field(default_factory=dict)
    of_key: bool = False
    revision: int = 1
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """
    A key of a context. `digest` is the keyed hash of its secret.

    It acts for the principal of `principal_id`; `scope_floor` and `grants` (None: no limit) narrow what that one may
    do. `principal` is the kind of key: it says what a principal made along with the key may do, and limits nothing.
    """

    id: str
    context_id: str
    name: str
    principal: str
    principal_id: str | None = None
    scope_floor: Any = None
    grants: Grants | None = None
    digest: bytes = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ManagementKeyRow:
    """A key of the control plane."""

    id: str
    name: str
    digest: bytes = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None = None


def is_expired(row: KeyRow) -> bool:
    """Whether the key's time is over."""
    return row.expires_at is not None and row.expires_at <= datetime.now(UTC)

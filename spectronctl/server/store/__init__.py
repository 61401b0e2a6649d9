"""
Where the server keeps things. `Store` is what the routes need; SurrealDB is the one way to be it.

The control plane lives in namespace `spectron`, database `metadata`; every context has a
(namespace, database) of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class ContextRow:
    """A registered context. `providers` names the configured providers; their secrets stay in the database."""

    id: str
    namespace: str
    database: str
    config: Mapping[str, Any] = field(default_factory=dict)
    providers: tuple[str, ...] = ()
    enforcement_blocked: bool = False
    admin_external_id: str | None = None
    admin_display_name: str | None = None
    schema_version: int = 0
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """A key of a context. `digest` is the keyed hash of its secret."""

    id: str
    context_id: str
    name: str
    principal: str
    scope_floor: Any = None
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


class Store(Protocol):
    """Reads answer None (or False) for what is not there; writes raise `ProblemError` 409 for what is taken."""

    async def close(self) -> None: ...
    async def ping(self) -> None:
        """Raise when the database does not answer."""

    async def read_hash_key(self) -> bytes:
        """The 32 bytes that key the hashes of secrets: made once per store, the same for every server on it."""

    async def create_context(
        self,
        row: ContextRow,
        *,
        providers: Mapping[str, str],
    ) -> ContextRow:
        """
        Register, create the database, migrate it; 409 for a taken id or (namespace, database).

        Half-way failures undo exactly what this call made: a database that was there before stays.
        """

    async def get_context(self, context_id: str) -> ContextRow | None: ...
    async def list_contexts(self, *, after: str | None, limit: int) -> list[ContextRow]:
        """At most `limit` rows with an id greater than `after`, in order of id."""

    async def update_context(
        self,
        context_id: str,
        *,
        config: Mapping[str, Any],
        providers: Mapping[str, str | None],
        enforcement_blocked: bool | None,
    ) -> ContextRow | None:
        """Deep-merge `config`; None clears a field or a provider. Concurrent updates all take effect."""

    async def delete_context(self, context_id: str) -> bool:
        """Drop the bound database, the keys and the registry entry; never the namespace."""

    async def create_key(self, row: KeyRow) -> None:
        """409 when the context already has a key of that name."""

    async def get_key(self, context_id: str, key_id: str) -> KeyRow | None: ...
    async def list_keys(self, context_id: str, *, after: str | None, limit: int) -> list[KeyRow]:
        """At most `limit` rows with an id greater than `after`, in order of id."""

    async def rotate_key(self, context_id: str, key_id: str, digest: bytes) -> KeyRow | None: ...
    async def delete_key(self, context_id: str, key_id: str) -> bool: ...
    async def touch_key(self, context_id: str, key_id: str) -> None:
        """Note that a key was used, at most once a minute."""

    async def create_management_key(self, row: ManagementKeyRow) -> None: ...
    async def get_management_key(self, key_id: str) -> ManagementKeyRow | None: ...
    async def list_management_keys(self) -> list[ManagementKeyRow]: ...
    async def delete_management_key(self, key_id: str) -> bool: ...
    async def touch_management_key(self, key_id: str) -> None:
        """Note that a key was used, at most once a minute."""

    async def list_schema_versions(self) -> dict[str, int]:
        """Context id → the version that its database's schema is at."""

    @property
    def schema_version(self) -> int:
        """The version that this server brings every context to."""

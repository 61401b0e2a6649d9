"""Registered contexts, read and changed; how they come and go is in `_lifecycle`."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from spectronctl.models.contexts import merge_config
from spectronctl.server.database.database import Database, RetryableError, Row, retry
from spectronctl.server.database.errors import GoneError
from spectronctl.server.database.values import check_text, from_stored, to_stored
from spectronctl.server.registry.rows import ContextRow

PLAIN = [each.name for each in fields(ContextRow) if each.name not in {"id", "config", "providers"}]
"""The columns that are kept as the row has them: a new field of `ContextRow` is one of these."""

COLUMNS = f"context_id, config, object::keys(provider_secrets) AS providers, {', '.join(PLAIN)}"

_GET = f"SELECT {COLUMNS} FROM context:[$context_id] WHERE state = 'active';"

_LIST = f"""
SELECT {COLUMNS} FROM context WHERE state = 'active' AND context_id > $after
ORDER BY context_id LIMIT $limit;
"""

_READ_CONFIG = "SELECT config, revision FROM context:[$context_id] WHERE state = 'active';"

# The secrets are merged where they are, so that no one of them leaves the database.
_UPDATE = f"""
UPDATE context:[$context_id] SET
    config = $config,
    provider_secrets = object::extend(object::remove(provider_secrets, $cleared), $providers),
    <settings>
    revision += 1
WHERE state = 'active' AND revision = $revision RETURN {COLUMNS};
"""

_FIND_PROVIDER = """
SELECT VALUE provider_secrets[$name] FROM ONLY context:[$context_id] WHERE state = 'active';
"""

_HIDE = """
UPDATE context:[$context_id] SET forgetting = array::union(forgetting, [$path])
WHERE state = 'active' RETURN VALUE forgetting;
"""

_UNHIDE = """
UPDATE context:[$context_id] SET forgetting = array::complement(forgetting, [$path]) RETURN NONE;
"""

_LIST_VERSIONS = "SELECT context_id, schema_version FROM context WHERE state = 'active';"


class ContextTable:
    """Registered contexts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_context(self, context_id: str) -> ContextRow | None:
        rows = await self._database.select(_GET, {"context_id": context_id})
        return parse_context(rows[0]) if rows else None

    async def list_contexts(self, *, after: str | None, limit: int) -> list[ContextRow]:
        rows = await self._database.select(_LIST, {"after": after or "", "limit": limit})
        return [parse_context(row) for row in rows]

    async def update_context(
        self,
        context_id: str,
        *,
        config: Mapping[str, Any],
        providers: Mapping[str, str | None],
        settings: Mapping[str, Any],
    ) -> ContextRow | None:
        """Merge `config` and `providers` (None takes one away), and set the columns that `settings` names."""
        to_stored(config, "config")  # refuse before anything is read
        changes = {
            "context_id": context_id,
            "cleared": [name for name, secret in providers.items() if secret is None],
            "providers": seal_providers(
                self._database,
                context_id,
                {name: secret for name, secret in providers.items() if secret is not None},
            ),
            "settings": {name: _check_plain(name, value) for name, value in settings.items()},
        }
        # In their turn: of hundreds at once, some would find the context changed until they give up.
        async with self._database.locks.get_lock("context", context_id):
            return await retry(lambda: self._try_update(config, changes))

    async def _try_update(self, patch: Mapping[str, Any], changes: Row) -> ContextRow | None:
        found = await self._database.select(_READ_CONFIG, changes)
        if not found:
            return None
        merged = merge_config(from_stored(found[0]["config"]), patch)
        stored = {"config": to_stored(merged, "config"), "revision": found[0]["revision"]}
        # The names are those of our own model's fields, never a client's; their values travel as variables.
        settings = "".join(f"{name} = $settings.{name}, " for name in changes["settings"])
        rows = await self._database.select(
            _UPDATE.replace("<settings>", settings), changes | stored
        )
        # Either another server changed it, or it is being deleted: the next attempt tells them apart.
        if not rows:
            raise RetryableError("the context changed meanwhile")
        return parse_context(rows[0])

    async def find_secret(self, context_id: str, name: str) -> str | None:
        """The secret of that provider, None for none; SealedError for one that was sealed under another key."""
        provider = {"context_id": context_id, "name": name}
        (kept,) = await self._database.query(_FIND_PROVIDER, provider)
        return None if kept is None else self._database.sealer.open(context_id, name, kept)

    async def hide_scope(self, context_id: str, path: str) -> list[str]:
        """Add the path to those that are being forgotten: all of them; GoneError without the context."""
        async with self._database.locks.get_lock("context", context_id):
            found = await self._database.select(_HIDE, {"context_id": context_id, "path": path})
        if not found:
            raise GoneError(f"no context {context_id}")
        return list(found[0])

    async def unhide_scope(self, context_id: str, path: str) -> None:
        """Take it out again."""
        async with self._database.locks.get_lock("context", context_id):
            await self._database.query(_UNHIDE, {"context_id": context_id, "path": path})

    async def list_schema_versions(self) -> dict[str, int]:
        rows = await self._database.select(_LIST_VERSIONS)
        return {row["context_id"]: row["schema_version"] for row in rows}


def seal_providers(
    database: Database, context_id: str, providers: Mapping[str, str]
) -> dict[str, bytes]:
    """Provider names and their secrets, sealed; UnstorableError for what cannot be kept, without showing it."""
    return {
        check_text(name, "a name in config.providers"): database.sealer.seal(
            context_id, name, check_text(secret, "config.providers")
        )
        for name, secret in providers.items()
    }


def parse_context(row: Row) -> ContextRow:
    """A row of `COLUMNS`."""
    return ContextRow(
        id=row["context_id"],
        config=from_stored(row["config"]),
        providers=tuple(row["providers"]),
        **{name: row[name] for name in PLAIN},
    )


def format_columns(row: ContextRow) -> Row:
    """The plain columns of a new context; UnstorableError for text that cannot be kept."""
    return {name: _check_plain(name, getattr(row, name)) for name in PLAIN}


def _check_plain(name: str, value: Any) -> Any:
    return check_text(value, name) if isinstance(value, str) else value

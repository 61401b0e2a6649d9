"""Schema migrations: numbered files, each applied once, in one transaction with its record."""

from __future__ import annotations

from collections.abc import Sequence

from spectronctl.errors import ConfigError
from spectronctl.server.database.database import METADATA, Binding, Database, QueryError
from spectronctl.server.database.schema import Migration
from spectronctl.server.database.transaction import transaction


class StoreVersionError(ConfigError):
    """A newer spectronctl wrote this database."""

    def __init__(self, at: Binding, *, found: int, known: int) -> None:
        super().__init__(
            f"{describe(at)} is at schema version {found}; this spectronctl knows {known}",
            hint="Upgrade spectronctl.",
        )


class MigrationError(ConfigError):
    """A migration failed, or the record of those applied does not fit."""


async def migrate(database: Database, at: Binding, known: Sequence[Migration]) -> int:
    """Apply what `at` lacks and return the version it is at; untouched when it cannot be done."""
    for pending in known[await _count_applied(database, at, known) :]:
        await _apply(database, at, pending)
    return len(known)


async def _count_applied(database: Database, at: Binding, known: Sequence[Migration]) -> int:
    applied = await _load_applied(database, at)
    if len(applied) > len(known):
        raise StoreVersionError(at, found=len(applied), known=len(known))
    # A migration that was edited after it was applied would leave stores behind that look the same and are not.
    # Refusing here finds the mistake on the first developer's machine.
    for checksum, migration in zip(applied, known, strict=False):
        if checksum != migration.checksum:
            raise MigrationError(
                f"{describe(at)} has had another migration {migration.version} than "
                f"{migration.name!r} of this spectronctl: the checksums differ"
            )
    return len(applied)


async def _load_applied(database: Database, at: Binding) -> list[object]:
    try:
        rows = await database.select("SELECT version, checksum FROM migration;", at=at)
    except QueryError as error:
        if error.category == "NotFound":  # no such table: nothing was applied yet
            return []
        raise
    found = {str(row["version"]): row["checksum"] for row in rows}
    expected = [str(version) for version in range(1, len(rows) + 1)]
    if set(found) != set(expected):
        raise MigrationError(f"{describe(at)} has a table `migration` that is not Spectron's")
    return [found[version] for version in expected]


async def _apply(database: Database, at: Binding, migration: Migration) -> None:
    # The record stands in the same transaction: a crash leaves both or neither, and no migration has to bear being
    # run twice.
    text = transaction(f"\n{migration.text}\n;", _RECORD)
    record = {
        "version": migration.version,
        "name": migration.name,
        "checksum": migration.checksum,
    }
    try:
        await database.query(text, record, at=at)
    except QueryError as error:
        # Another server on the same database may have been faster.
        if len(await _load_applied(database, at)) >= migration.version:
            return
        raise MigrationError(
            f"migration {migration.version} ({migration.name}) of {describe(at)} failed: {error}"
        ) from error


_RECORD = """
CREATE migration:[$version] CONTENT {
    version: $version, name: $name, checksum: $checksum, applied_at: time::now()
} RETURN NONE;
"""


def describe(at: Binding) -> str:
    """A place in words, for errors."""
    if at == METADATA:
        return "the store"
    return f"namespace {at.namespace!r}, database {at.database!r}"

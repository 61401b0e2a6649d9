"""Open a store: connect, and bring it to what this spectronctl expects of it."""

from __future__ import annotations

from spectronctl.server.database.connections import Credentials
from spectronctl.server.database.database import Database, open_database
from spectronctl.server.database.schema import Migrations
from spectronctl.server.registry.provisioning import Provisioning

STATEMENT_SECONDS = 20.0
"""How long a request waits for one statement: longer than the slowest takes on a busy machine."""


async def open_store(
    url: str, *, credentials: Credentials | None = None, migrations: Migrations | None = None
) -> Database:
    """
    Connect, bring the schema up to date, finish or undo what a crash left half-done.

    `StoreLockedError`, `StoreVersionError`, `MigrationError` or another `ConfigError` when the
    store cannot be used; `credentials`, user and password, count for `ws://` and `wss://` only.
    """
    database = await open_database(url, credentials)
    database.migrations = migrations or database.migrations
    try:
        # Before the first request: what a crash left half-done is either finished or undone, and no request has to
        # tell the two apart.
        await Provisioning(database).prepare()
    except BaseException:
        await database.close()
        raise
    database.patience = STATEMENT_SECONDS  # migrations may take longer than a request
    return database

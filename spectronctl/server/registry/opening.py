"""Open a store: connect, and bring it to what this spectronctl expects of it."""

from __future__ import annotations

from collections.abc import Sequence

from spectronctl.server.database.connections import Credentials
from spectronctl.server.database.database import Database, open_database
from spectronctl.server.database.schema import Migrations
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.sealing import make_sealer, seal_secrets

STATEMENT_SECONDS = 20.0
"""How long a request waits for one statement: longer than the slowest takes on a busy machine."""


async def open_store(
    url: str,
    *,
    credentials: Credentials | None = None,
    migrations: Migrations | None = None,
    secret_keys: Sequence[bytes] | None = (),
) -> Database:
    """
    Connect, bring the schema up to date, finish or undo what a crash left half-done.

    `StoreLockedError`, `StoreVersionError`, `MigrationError` or another `ConfigError` when the
    store cannot be used; `credentials`, user and password, count for `ws://` and `wss://` only. The
    secrets of providers are sealed under the first of `secret_keys`, or under the store's own key; with None they are
    not touched, and none can be set.
    """
    database = await open_database(url, credentials)
    database.migrations = migrations or database.migrations
    try:
        # Before the first request: what a crash left half-done is either finished or undone, and no request has to
        # tell the two apart.
        await Provisioning(database).prepare()
        if secret_keys is not None:
            database.sealer = make_sealer(url, secret_keys)
            await seal_secrets(database)
    except BaseException:
        await database.close()
        raise
    database.patience = STATEMENT_SECONDS  # migrations may take longer than a request
    return database

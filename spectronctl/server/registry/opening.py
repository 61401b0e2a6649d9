"""`Store` on SurrealDB: in this process (`mem://`, `surrealkv://PATH`) or on a server (`ws://…`)."""

from __future__ import annotations

import time

from spectronctl.server.database.connections import Credentials
from spectronctl.server.database.database import Database, StoreLockedError, open_database
from spectronctl.server.database.locks import Locks
from spectronctl.server.database.migrations import (
    MigrationError,
    Migrations,
    StoreVersionError,
    read_migrations,
)
from spectronctl.server.idempotency.table import ReservationTable
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.memory.finding import FindingTable
from spectronctl.server.memory.index import SearchTable
from spectronctl.server.memory.upkeep_table import UpkeepTable
from spectronctl.server.ontology.table import OntologyTable
from spectronctl.server.registry.claims import make_claim
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.keys import KeyTable, ManagementKeyTable
from spectronctl.server.registry.provisioning import ContextLifecycle
from spectronctl.server.sessions.table import SessionTable
from spectronctl.server.sessions.turns import TurnTable

__all__ = [
    "MigrationError",
    "StoreLockedError",
    "StoreVersionError",
    "SurrealStore",
    "open_store",
]


STATEMENT_SECONDS = 20.0
"""How long a request waits for one statement: longer than the slowest takes on a busy machine."""

_PROOF_SECONDS = 1.0
_PROVE_WRITE = "UPSERT probe:ready SET written_at = time::now() RETURN NONE;"


class SurrealStore(
    ContextTable,
    ContextLifecycle,
    KeyTable,
    JobTable,
    ManagementKeyTable,
    OntologyTable,
    SessionTable,
    TurnTable,
    SearchTable,
    FindingTable,
    UpkeepTable,
    ReservationTable,
):
    """An open store, on one connection that serves every context."""

    def __init__(self, database: Database, migrations: Migrations) -> None:
        super().__init__()
        self._database = database
        self._migrations = migrations
        self._holder = make_claim()
        self._locks = Locks()
        self._proved_at = -_PROOF_SECONDS

    async def close(self) -> None:
        self._proved_at = -_PROOF_SECONDS
        await self._database.close()

    async def ping(self) -> None:
        async with self._locks.get_lock("probe"):
            # /ready needs no key, so however often it is asked it writes once a second at most.
            if time.monotonic() - self._proved_at >= _PROOF_SECONDS:
                await self._database.query(_PROVE_WRITE)
                self._proved_at = time.monotonic()


async def open_store(
    url: str, *, credentials: Credentials | None = None, migrations: Migrations | None = None
) -> SurrealStore:
    """
    Connect, bring the schema up to date, finish or undo what a crash left half-done.

    `StoreLockedError`, `StoreVersionError`, `MigrationError` or another `ConfigError` when the
    store cannot be used; `credentials`, user and password, count for `ws://` and `wss://` only.
    """
    database = await open_database(url, credentials)
    store = SurrealStore(database, migrations or read_migrations())
    try:
        await store.prepare()
        database.patience = STATEMENT_SECONDS  # migrations may take longer than a request
    except BaseException:
        await store.close()
        raise
    return store

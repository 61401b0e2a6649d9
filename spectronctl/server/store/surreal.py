"""`Store` on SurrealDB: in this process (`mem://`, `surrealkv://PATH`) or on a server (`ws://…`)."""

from __future__ import annotations

import time

from spectronctl.server.store._claims import make_claim
from spectronctl.server.store._connections import Credentials
from spectronctl.server.store._contexts import ContextTable
from spectronctl.server.store._database import Database, StoreLockedError, open_database
from spectronctl.server.store._finding import FindingTable
from spectronctl.server.store._jobs import JobTable
from spectronctl.server.store._keys import KeyTable, ManagementKeyTable
from spectronctl.server.store._lifecycle import ContextLifecycle
from spectronctl.server.store._locks import Locks
from spectronctl.server.store._migrations import (
    MigrationError,
    Migrations,
    StoreVersionError,
    read_migrations,
)
from spectronctl.server.store._ontology import OntologyTable
from spectronctl.server.store._reservations import ReservationTable
from spectronctl.server.store._search import SearchTable
from spectronctl.server.store._sessions import SessionTable
from spectronctl.server.store._turns import TurnTable
from spectronctl.server.store._upkeep import UpkeepTable

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

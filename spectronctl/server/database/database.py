"""One connection to SurrealDB that serves every namespace: queries, their errors, retries."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from spectronctl.errors import ConfigError, SpectronctlError
from spectronctl.ground.backoff import pause_after
from spectronctl.ground.installing import EXTRA_HINT, find_install_command
from spectronctl.server.database.cache import Cache
from spectronctl.server.database.connections import (
    ClientConnection,
    Connection,
    Credentials,
    EngineError,
    EngineProcess,
)
from spectronctl.server.database.disk import DiskLog, describe_disk, parse_disk_error
from spectronctl.server.database.errors import DiskError, UnavailableError
from spectronctl.server.database.locks import Locks
from spectronctl.server.database.schema import Migrations, load_migrations
from spectronctl.server.database.sealing import Sealer
from spectronctl.server.database.transaction import (
    get_placed_results,
    is_reading,
    place,
    strip_transaction,
)
from spectronctl.server.store.directories import make_private_directory
from spectronctl.server.store.errors import StoreLockedError
from spectronctl.server.store.urls import StoreUrl, parse_store_url

Row = dict[str, Any]
T = TypeVar("T")

# Conflicts come in bursts, and most are over at the second or third attempt. The last one is a few seconds after the
# first, which is less than clients wait.
_ATTEMPTS = 60
_LOCKED_SECONDS = 3.0
_PROOF_SECONDS = 1.0
_PROVE_WRITE = "UPSERT probe:ready SET written_at = time::now() RETURN NONE;"
_FIRST_PAUSE_SECS = 0.002
_MAX_PAUSE_SECS = 0.1
_MISSING = re.compile(r"The (table|database|namespace) '[^']*' does not exist")
_INDEX = re.compile(r"Database index `(\w+)` already contains")


class QueryError(SpectronctlError):
    """The database refused a statement. `category` is SurrealDB's kind of error."""

    def __init__(self, category: str, text: str) -> None:
        super().__init__(f"the database refused a statement: {text}")
        self.category = category
        found = _INDEX.search(text)
        self.index = found.group(1) if found else None

    @property
    def is_taken(self) -> bool:
        """Whether a record, or an entry of a unique index, was there before."""
        return self.category == "AlreadyExists" or self.index is not None

    @property
    def is_missing(self) -> bool:
        """Whether a table, or the whole database, does not exist."""
        # Inside a block or a function the engine turns its own error into one that was thrown.
        return self.category == "NotFound" or _MISSING.search(str(self)) is not None


class RetryableError(Exception):
    """Another writer changed the same rows at the same time; trying again will do."""


class Binding(NamedTuple):
    """Where a query runs. A None database is the namespace itself."""

    namespace: str
    database: str | None


METADATA = Binding("spectron", "metadata")
"""The control plane."""


class Database:
    """
    An open connection. Every query says where it runs, so that none depends on the one before it.

    `exclusive` tells that no other process can be at work on the same data.
    """

    patience: float | None = None
    """Seconds that a statement may take, its wait included, before it is an UnavailableError; None: any time."""

    def __init__(
        self,
        connection: Connection,
        *,
        exclusive: bool,
        migrations: Migrations | None = None,
        path: Path | None = None,
    ) -> None:
        self.exclusive = exclusive
        self.migrations = migrations or load_migrations()
        """What this process brings every database to."""
        # Not the pid: two containers on one ws:// database may both be process 1.
        self.holder = secrets.token_hex(16)
        """A word of this connection alone: other processes know by it whose claims are whose."""
        self.sealer = Sealer()
        """Seals the secrets of providers; without a key until the store is opened with one."""
        self.locks = Locks()
        self.cache = Cache()
        self.events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """What one part of this process waits for and another one tells, by name."""
        self._connection = connection
        self._disk = DiskLog(path)
        self._proved_at = -_PROOF_SECONDS

    async def close(self) -> None:
        # A server that is stopping is not ready, even when the last proof is fresh.
        self._proved_at = -_PROOF_SECONDS
        await self._connection.close()

    async def ping(self) -> None:
        """Raise unless the database takes a write: UnavailableError, within `patience`."""
        async with self.locks.get_lock("probe"):
            # /ready needs no key, so however often it is asked it writes once a second at most.
            if time.monotonic() - self._proved_at >= _PROOF_SECONDS:
                await self.query(_PROVE_WRITE)
                self._proved_at = time.monotonic()

    async def query(
        self, text: str, variables: Mapping[str, Any] | None = None, *, at: Binding = METADATA
    ) -> list[Any]:
        """
        The result of each statement of `text`; values travel as `variables`, never inside the text.

        `text` is one statement or one transaction, so that a conflict can be retried.
        `QueryError` when any statement failed, `UnavailableError` when the database does not respond, `DiskError` for a
        change that its disk does not take.
        """
        use = _USE_NAMESPACE if at.database is None else _USE_DATABASE
        sent = {"use_namespace": at.namespace, "use_database": at.database, **(variables or {})}
        try:
            results = await retry(lambda: self._send(place(use, text), sent))
        except DiskError:
            if not is_reading(text):
                raise
            return await self._read_only(use, text, sent)
        # A read proves nothing: after a flush that failed, reads can be committed, and writes cannot.
        if not is_reading(text):
            self._disk.note_write()
        return get_placed_results(text, results)

    async def _read_only(self, use: str, text: str, sent: Row) -> list[Any]:
        """
        As `query`, for statements that only read, where the disk takes no writes.

        A transaction that names its place cannot be committed there, even when it changes nothing. Alone, `USE` fails
        as well, but the statements behind it run: at that place, or nowhere if it does not exist.
        """
        statements = strip_transaction(text)
        response = await self._connection.query(use + statements, sent, self.patience)
        if response.get("error") is None:
            response = {**response, "result": response["result"][1:]}
        results = parse_results(response)
        return results if statements == text else [None, *results, None]

    async def select(
        self, text: str, variables: Mapping[str, Any] | None = None, *, at: Binding = METADATA
    ) -> list[Row]:
        """The rows that a single statement returns."""
        (rows,) = await self.query(text, variables, at=at)
        return list(rows)

    async def _send(self, text: str, variables: Row) -> list[Any]:
        try:
            return parse_results(await self._connection.query(text, variables, self.patience))
        except QueryError as error:
            failure = parse_disk_error(str(error))
            if failure is None:
                raise
            self._disk.note_failure(str(error))
            raise failure from error


_USE_NAMESPACE = "USE NS $use_namespace;"
_USE_DATABASE = "USE NS $use_namespace DB $use_database;"


async def open_database(url: str, credentials: Credentials | None = None) -> Database:
    """Connect; `StoreLockedError` or `ConfigError` when that is not possible."""
    target = parse_store_url(url)
    # Before the engine is asked: it would make the directory for all users to read.
    if target.path is not None:
        make_private_directory(target.path)
    if target.path is not None:
        return Database(await _open_engine(target), exclusive=True, path=target.path)
    connection = await _connect(target, credentials)
    database = Database(connection, exclusive=target.is_embedded)
    try:
        await _sign_in_first(database, connection, target)
    except BaseException:
        await database.close()
        raise
    return database


async def _open_engine(target: StoreUrl) -> EngineProcess:
    # Our own lock (store.holding) is free by now, so a lock of the engine can only be that of a child whose parent
    # was killed: it is about to notice, and to let go.
    deadline = time.monotonic() + _LOCKED_SECONDS
    await asyncio.to_thread(_import_surrealdb)
    while True:
        try:
            return await EngineProcess.open(target.text)
        except EngineError as error:
            explained = _explain_open_error(target, str(error))
        # The engine of a process that was killed lets go of the files a moment after it.
        if not isinstance(explained, StoreLockedError) or time.monotonic() > deadline:
            raise explained
        await asyncio.sleep(0.05)


async def _connect(target: StoreUrl, credentials: Credentials | None) -> ClientConnection:
    surrealdb = _import_surrealdb()
    bystanders = set(sys._current_frames())
    try:
        connection = surrealdb.AsyncSurreal(target.text, streaming=False)
        await connection.connect()
    except surrealdb.SurrealError as error:
        raise _explain_open_error(target, str(error)) from error
    used = None if target.is_embedded else credentials
    return ClientConnection(connection, used, bystanders)


def _import_surrealdb() -> ModuleType:
    # Half a second of imports, nearly all of it HTTP clients that no store uses: only here.
    try:
        import surrealdb
    except ImportError as error:
        raise ConfigError(
            "the Spectron server is not installed",
            hint=EXTRA_HINT,
            command=find_install_command(),
        ) from error
    return surrealdb


async def _sign_in_first(
    database: Database, connection: ClientConnection, target: StoreUrl
) -> None:
    from surrealdb import SurrealError, TransportError

    try:
        await connection.sign_in()
        await database.query("RETURN true;")
    except TransportError as error:
        raise _explain_open_error(target, str(error)) from error
    except SurrealError:
        # What the server says may repeat what was sent, so it is not shown, nor chained.
        refused = f"the store {target.text} does not accept the user and the password"
    except QueryError as error:
        if error.category != "NotAllowed":
            raise
        refused = f"the store {target.text} asks for a user and a password"
    else:
        return
    raise ConfigError(refused, hint="Set SPECTRONCTL_STORE_USER and SPECTRONCTL_STORE_PASSWORD.")


def _explain_open_error(target: StoreUrl, reason: str) -> ConfigError:
    if "already locked by another process" in reason:
        return StoreLockedError(f"the store {target.path} is in use by another process")
    if target.path is not None and parse_disk_error(reason):
        disk = describe_disk(target.path)
        return ConfigError(
            f"the store {target.text} cannot be opened: {reason}",
            hint=f"The engine writes when it opens a store: {disk}.",
        )
    if target.is_embedded:
        return ConfigError(f"the store {target.text} cannot be opened: {reason}")
    return ConfigError(f"the store {target.text} does not respond: {reason}")


async def retry(action: Callable[[], Awaitable[T]]) -> T:
    """Run `action` until it raises no `RetryableError`; `UnavailableError` after a few seconds of that."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await action()
        except RetryableError:
            jitter = random.random()  # noqa: S311 - spreads load, no secret
            await asyncio.sleep(
                pause_after(attempt, _FIRST_PAUSE_SECS, _MAX_PAUSE_SECS, jitter=jitter)
            )
    raise UnavailableError("too many requests change the same thing at the same time")


def parse_results(response: Mapping[str, Any]) -> list[Any]:
    """What each statement returned; `RetryableError` or `QueryError` when one failed."""
    if (error := response.get("error")) is not None:
        raise QueryError(str(error.get("kind")), str(error.get("message")))
    statements = response["result"]
    if failures := [each for each in statements if each["status"] != "OK"]:
        _raise_failure(failures)
    return [each["result"] for each in statements]


def _raise_failure(failures: list[Row]) -> None:
    # In a transaction the statements around the failed one fail too, and only say so. Where all do, COMMIT says why.
    causes = [each for each in failures if _find_detail(each) not in ("NotExecuted", "Cancelled")]
    cause = causes[0] if causes else failures[-1]
    # The kind is not always set: conflicts that COMMIT meets come as plain text that says they can be retried.
    text = str(cause["result"])
    if _find_detail(cause) == "TransactionConflict" or "can be retried" in text:
        raise RetryableError(text)
    raise QueryError(str(cause.get("kind")), text)


def _find_detail(failure: Row) -> str | None:
    details = failure.get("details")
    return details.get("kind") if isinstance(details, dict) else None

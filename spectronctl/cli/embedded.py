"""The server in this process: `--profile local`, and the management keys of a store that no server has open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from spectronctl.errors import ConfigError, ConflictError, NotFoundError, UsageError
from spectronctl.ground.times import format_time
from spectronctl.local.locations import local_store_url
from spectronctl.server.extra import server_parts

if TYPE_CHECKING:
    from pathlib import Path

    from spectronctl.client._asgi import AsgiTransport
    from spectronctl.server.database.database import Database
    from spectronctl.server.registry.rows import ManagementKeyRow
    from spectronctl.server.store.errors import StoreLockedError

T = TypeVar("T")

Say = Callable[[str], None]
"""Takes a line for people: what a command waits for."""


def store_credentials(env: Mapping[str, str]) -> tuple[str, str] | None:
    """User and password for a SurrealDB cluster, from the environment."""
    user, password = env.get("SPECTRONCTL_STORE_USER"), env.get("SPECTRONCTL_STORE_PASSWORD")
    return (user, password) if user and password else None


def load_secret_keys(env: Mapping[str, str], file: Path | None) -> list[bytes]:
    """The keys that seal the secrets of providers, as they are given: in a file, or else in the environment."""
    with server_parts():
        from spectronctl.server.store import secret_keys
    if file is not None:
        return secret_keys.load_secret_keys(file)
    text = env.get(secret_keys.VARIABLE)
    return secret_keys.parse_secret_keys(text, secret_keys.VARIABLE) if text else []


@asynccontextmanager
async def hold_open(
    url: str,
    env: Mapping[str, str],
    *,
    timeout: float,
    command: str,
    say: Say,
    secret_keys: Sequence[bytes] | None = None,
) -> AsyncIterator[Database]:
    """
    A store of this process alone; one that is held elsewhere is waited for, `timeout` seconds at most.

    `secret_keys` are those of `open_store`.
    """
    with server_parts():
        from spectronctl.server.registry.opening import open_store
    # Undone in reverse: the lock is let go once the store is closed.
    async with AsyncExitStack() as stack:
        await _enter_lock(stack, url, timeout=timeout, command=command, say=say)
        store = await open_store(url, credentials=store_credentials(env), secret_keys=secret_keys)
        stack.push_async_callback(store.close)
        yield store


async def _enter_lock(
    stack: AsyncExitStack, url: str, *, timeout: float, command: str, say: Say
) -> None:
    """Keep the store to this process; while another one has it, the wait can be interrupted."""
    import asyncio

    from spectronctl.server.store.errors import StoreLockedError
    from spectronctl.server.store.holding import PAUSE_SECONDS, Wait, hold_store

    wait = Wait(timeout, say)
    while True:
        try:
            # Without a timeout of its own: it would block this event loop, and a cancellation could not get through.
            stack.enter_context(hold_store(url, timeout=0, command=command))
        except StoreLockedError as exc:
            wait.go_on(exc)
        else:
            return
        await asyncio.sleep(PAUSE_SECONDS)


def make_transport(
    env: Mapping[str, str], *, timeout: float, say: Say, works_on_jobs: bool = False
) -> AsgiTransport:
    """A transport that opens the local store, and works on its jobs, from its first request until it is closed."""
    from spectronctl.client._asgi import AsgiTransport

    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        with server_parts():
            from spectronctl.server.app import create_app, lifespan
            from spectronctl.server.handlers import work_on_jobs
        # All of this at the first request: what is refused before that imports no server and opens no store.
        url, command = local_store_url(env), "spectronctl --profile local"
        keys = load_secret_keys(env, None)
        async with hold_open(
            url, env, timeout=timeout, command=command, say=say, secret_keys=keys
        ) as store:
            # Without keys: they would protect nothing from a user who can open the store's files.
            app = create_app(store, trusted=True)
            async with lifespan(app), work_on_jobs(store) if works_on_jobs else nullcontext():
                yield app

    return AsgiTransport(open_app)


def inspect_store(url: str) -> tuple[Path | None, StoreLockedError | None]:
    """Where an embedded store lies, if on a disk, and who keeps it from us; ConfigError when it cannot be opened."""
    with server_parts():
        # Looked for, not imported: a diagnosis opens no store, and what is missing is told all the same.
        for name in ("fastapi", "surrealdb", "surrealdb_embedded"):
            if find_spec(name) is None:
                raise ModuleNotFoundError(name=name)
        from spectronctl.server.store.holding import find_holder, find_path
    try:
        return find_path(url), find_holder(url)
    except OSError as exc:
        raise ConfigError(f"the store {url} cannot be looked at: {exc.strerror}") from None


def run_on_store(
    url: str,
    env: Mapping[str, str],
    work: Callable[[Database], Awaitable[T]],
    *,
    timeout: float,
    say: Say,
    command: str,
) -> T:
    """Do one piece of work on a store that no server has open; others who want it are told of the `command`."""
    import asyncio

    async def run() -> T:
        async with hold_open(url, env, timeout=timeout, command=command, say=say) as store:
            return await work(store)

    return asyncio.run(run())


async def rotate_secrets(store: Database, url: str, given: Sequence[bytes]) -> int:
    """Bring the secrets of providers under the first key given, or else under a new one of the store's own."""
    from spectronctl.server.registry import sealing
    from spectronctl.server.store.holding import find_path

    path = find_path(url)
    if given:
        store.sealer = sealing.make_sealer(url, given)
        return await sealing.seal_secrets(store)
    if path is None:
        raise UsageError(
            f"the store {url} keeps no key of its own",
            hint="Give the new key, then the old one, in SPECTRON_SECRET_KEY or with --secret-key-file.",
        )
    return await sealing.rotate_made_key(store, path)


async def forget_secrets(
    store: Database, url: str, given: Sequence[bytes], *, dry_run: bool
) -> list[dict[str, Any]]:
    """Delete the secrets of providers that no key at hand opens, or only list them."""
    from spectronctl.server.registry import sealing

    store.sealer = sealing.make_sealer(url, given)
    work = sealing.find_unopened if dry_run else sealing.forget_unopened
    return [
        {"context": each.context_id, "provider": each.provider, "sealed_under": each.key or None}
        for each in await work(store)
    ]


async def list_keys(store: Database) -> list[ManagementKeyRow]:
    """The management keys of a store."""
    from spectronctl.server.registry.keys import ManagementKeyTable

    return await ManagementKeyTable(store).list_management_keys()


async def create_key(store: Database, name: str) -> tuple[ManagementKeyRow, str]:
    """A new management key and its secret."""
    from spectronctl.server.audit.table import AuditTable
    from spectronctl.server.database.errors import TakenError
    from spectronctl.server.registry.bootstrap import create_management_key

    try:
        row, secret = await create_management_key(store, name)
    except TakenError as error:
        raise ConflictError(str(error)) from None
    await AuditTable(store).add_local_event(
        "create_management_key", "serve keys create", {"management_key_id": row.id}
    )
    return row, secret


async def revoke_key(store: Database, key_id: str) -> None:
    """Revoke a management key; NotFoundError when there is none."""
    from spectronctl.server.audit.table import AuditTable
    from spectronctl.server.registry.keys import ManagementKeyTable

    if not await ManagementKeyTable(store).delete_management_key(key_id):
        raise NotFoundError(f"no management key {key_id}", command="spectronctl serve keys list")
    await AuditTable(store).add_local_event(
        "delete_management_key", "serve keys revoke", {"management_key_id": key_id}
    )


def describe_management_key(row: ManagementKeyRow) -> dict[str, Any]:
    """A management key as it is shown."""
    times = {"created_at": row.created_at, "last_used_at": row.last_used_at}
    return {"id": row.id, "name": row.name} | {
        name: time and format_time(time) for name, time in times.items()
    }

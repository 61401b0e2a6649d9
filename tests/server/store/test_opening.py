"""Opening a store: its URL, its directory, its lock, and a SurrealDB server behind a socket."""

from __future__ import annotations

import _thread
import asyncio
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from spectronctl.errors import ConfigError
from spectronctl.server.database.database import Database, RetryableError, retry
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.keys import ManagementKeyTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.store.errors import StoreLockedError
from spectronctl.server.store.urls import parse_store_url
from tests.support.bridge import PASSWORD, SurrealServer, bridge

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]


async def test_a_store_keeps_the_promise_of_the_protocol() -> None:
    store: Database = await open_store("mem://")
    await store.ping()
    await store.close()
    with pytest.raises(UnavailableError, match="the database does not respond"):
        await store.ping()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "no scheme"),
        ("/var/lib/spectron", "no scheme"),
        ("http://localhost:8000", "no scheme"),
        ("mem://somewhere", "no scheme"),
        ("surrealkv://", "names no directory"),
        ("surrealkv:///data/a?b", "holds a character"),
        ("ws://", "names no host"),
        ("ws://host:99999", "no valid host and port"),
        (f"ws://root:{PASSWORD}@host:8000", "holds a user or a password"),
    ],
)
async def test_a_url_that_no_engine_opens_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        await open_store(url)
    assert PASSWORD not in str(raised.value)
    if "password" in message:
        assert raised.value.hint is not None
        assert "SPECTRONCTL_STORE_PASSWORD" in raised.value.hint


def test_a_url_means_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_store_url("surrealkv://a/../b c").text == f"surrealkv://{tmp_path}/b c"
    assert parse_store_url("wss://[::1]:8000/db").text == "wss://[::1]:8000/db"


async def test_only_the_owner_can_enter_the_directory(tmp_path: Path) -> None:
    store = await open_store(f"surrealkv://{tmp_path}/new/ünï code/store")
    await store.close()
    for path in ("new", "new/ünï code", "new/ünï code/store"):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == 0o700


async def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be opened"):
        await open_store(f"surrealkv://{tmp_path}/file")
    with pytest.raises(ConfigError, match="cannot be made"):
        await open_store(f"surrealkv://{tmp_path}/file/store")


HOLDING = """
import asyncio, sys
from spectronctl.server.registry.opening import open_store

async def hold() -> None:
    store = await open_store(sys.argv[1])
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await store.close()

asyncio.run(hold())
"""


async def test_a_store_that_another_process_has_open_is_locked(
    file_url: str, tmp_path: Path
) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLDING, file_url]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(
            StoreLockedError, match=f"{tmp_path}/data/spectron is in use by another"
        ):
            await open_store(file_url)
        holder.communicate()
    assert holder.returncode == 0
    await (await open_store(file_url)).close()


async def test_a_closed_store_leaves_no_thread_inside_python() -> None:
    # The process aborts when it ends while one of the engine's threads is on its way out of Python.
    def hand_over() -> None:
        inside.set()
        time.sleep(0.3)
        out.append(True)

    store = await open_store("mem://")
    inside, out = threading.Event(), list[bool]()
    _thread.start_new_thread(hand_over, ())  # unknown to `threading`, as the engine's are
    inside.wait()
    await store.close()
    assert out == [True]


async def test_conflicts_are_retried_and_not_for_ever() -> None:
    async def fail_until(attempt: int) -> int:
        tries.append(0)
        if len(tries) < attempt:
            raise RetryableError("again")
        return len(tries)

    tries: list[int] = []
    assert await retry(lambda: fail_until(5)) == 5
    tries.clear()
    with pytest.raises(UnavailableError, match="at the same time"):
        await retry(lambda: fail_until(1000))


@pytest.fixture
async def surreal_server(anyio_backend: str) -> AsyncIterator[SurrealServer]:
    async with bridge() as server:
        yield server


async def test_a_surrealdb_server_serves_several_of_us(
    surreal_server: SurrealServer, make_context: MakeContext
) -> None:
    stores = await asyncio.gather(*(open_store(surreal_server.url) for _ in range(3)))
    created = await Provisioning(stores[0]).create_context(
        make_context(config={"l": [None]}), providers={}
    )
    assert await ContextTable(stores[1]).get_context("acme-prod") == created
    assert len({await ManagementKeyTable(store).load_hash_key() for store in stores}) == 1
    made = await asyncio.gather(
        *(Provisioning(each).create_context(make_context("one"), providers={}) for each in stores),
        return_exceptions=True,
    )
    assert sum(isinstance(each, ContextRow) for each in made) == 1
    assert await Provisioning(stores[2]).delete_context("acme-prod") is True
    assert await ContextTable(stores[0]).get_context("acme-prod") is None
    for store in stores:
        await store.close()


async def test_a_server_that_asks_for_a_password_gets_it(surreal_server: SurrealServer) -> None:
    await surreal_server.guard()
    store = await open_store(surreal_server.url, credentials=("root", PASSWORD))
    assert await ContextTable(store).list_contexts(after=None, limit=1) == []
    await store.close()


@pytest.mark.parametrize(
    ("credentials", "message"),
    [(None, "asks for a user"), (("root", PASSWORD + "x"), "does not accept the user")],
)
async def test_a_wrong_password_is_refused_and_not_shown(
    credentials: tuple[str, str] | None, message: str, surreal_server: SurrealServer
) -> None:
    await surreal_server.guard()
    with pytest.raises(ConfigError, match=message) as raised:
        await open_store(surreal_server.url, credentials=credentials)
    assert PASSWORD not in f"{raised.value} {raised.value.hint}"


async def test_a_broken_connection_is_opened_and_signed_in_anew(
    surreal_server: SurrealServer, make_context: MakeContext
) -> None:
    await surreal_server.guard()
    store = await open_store(surreal_server.url, credentials=("root", PASSWORD))
    created = await Provisioning(store).create_context(make_context(), providers={})
    await surreal_server.drop_connections()
    answers: list[object] = []
    while created not in answers and len(answers) < 3:
        answers += await asyncio.gather(
            ContextTable(store).get_context("acme-prod"), return_exceptions=True
        )
    assert answers.pop() == created
    assert all(isinstance(each, UnavailableError) for each in answers)
    assert surreal_server.sign_ins == 2
    await store.close()


async def test_a_server_that_no_one_runs_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"the store ws://127\.0\.0\.1:1 does not respond"):
        await open_store("ws://127.0.0.1:1")


def test_the_engine_is_imported_only_when_a_store_is_opened() -> None:
    code = (
        "import sys, spectronctl.server.registry.opening, spectronctl.server.store.holding;"
        "sys.exit(bool({'surrealdb', 'aiohttp', 'requests', 'websockets'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

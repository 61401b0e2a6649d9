"""The engine of a store on disk: a process that may be slow, stuck or killed, and that flushes what it takes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from spectronctl.server.database import connections as _connections
from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.registry.opening import open_store
from tests.support.soak import SOAK

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc"),
]

MB = 1024 * 1024
CREATE = "CREATE probe:[$row] SET written_at = time::now() RETURN NONE;"
COUNT = "SELECT VALUE id FROM probe;"


@pytest.fixture
async def disk_store(tmp_path: Path) -> AsyncIterator[Database]:
    store = await open_store(f"surrealkv://{tmp_path}/store")
    yield store
    await store.close()


def find_engine() -> int:
    """The process of the only engine that is open."""
    (found,) = [
        int(process)
        for process in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        if b"/database/engine.py" in Path(f"/proc/{process}/cmdline").read_bytes()
    ]
    return found


async def write(store: Database, row: int) -> None:
    await store.query(CREATE, {"row": row})


async def count(store: Database) -> int:
    (found,) = await store.query(COUNT)
    return len(found)


async def test_the_engine_gets_neither_the_environment_nor_the_path_of_the_store(
    disk_store: Database, tmp_path: Path
) -> None:
    process = Path(f"/proc/{find_engine()}")
    assert process.joinpath("environ").read_bytes() == b""
    assert str(tmp_path).encode() not in process.joinpath("cmdline").read_bytes()
    assert os.readlink(process / "cwd") == "/"


async def test_signals_for_the_whole_group_leave_the_engine_alone(disk_store: Database) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        os.kill(find_engine(), number)
    await write(disk_store, 1)
    assert await count(disk_store) == 1


async def test_an_engine_that_was_killed_is_opened_anew_with_all_that_it_confirmed(
    disk_store: Database,
) -> None:
    for row in range(50):
        await write(disk_store, row)
    for round_ in range(3):
        writing = [
            asyncio.create_task(write(disk_store, 1000 * round_ + row)) for row in range(1000, 1100)
        ]
        await asyncio.sleep(0.02)
        os.kill(find_engine(), signal.SIGKILL)
        outcomes = await asyncio.gather(*writing, return_exceptions=True)
        failed = [each for each in outcomes if each is not None]
        assert all(isinstance(each, UnavailableError) for each in failed)
        await disk_store.ping()
        assert await count(disk_store) >= 50 + len(outcomes) - len(failed)


async def test_no_request_waits_for_an_engine_that_is_gone(
    disk_store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_connections, "_CLOSING_SECONDS", 3600)
    disk_store.patience = None
    engine = find_engine()
    os.kill(engine, signal.SIGSTOP)
    writing = [asyncio.create_task(write(disk_store, row)) for row in range(10)]
    await asyncio.sleep(0.1)
    os.kill(engine, signal.SIGKILL)
    outcomes = await asyncio.gather(*writing, return_exceptions=True)
    assert [("was not begun" in str(each)) for each in outcomes] == 4 * [False] + 6 * [True]
    assert await count(disk_store) == 0


async def test_a_statement_that_is_stuck_is_refused_and_readiness_fails_with_it(
    disk_store: Database,
) -> None:
    disk_store.patience = 0.3
    engine = find_engine()
    os.kill(engine, signal.SIGSTOP)
    writing = [asyncio.create_task(write(disk_store, row)) for row in range(10)]
    outcomes = await asyncio.gather(*writing, return_exceptions=True)
    said = [str(each) for each in outcomes if isinstance(each, UnavailableError)]
    assert [("was not begun" in text) for text in said] == 4 * [False] + 6 * [True]
    assert all("may have been made" in text for text in said[:4])
    disk_store._proved_at = 0
    with pytest.raises(UnavailableError):
        await disk_store.ping()
    os.kill(engine, signal.SIGCONT)
    disk_store.patience = 20
    assert await count(disk_store) == 4  # those that had begun, and none of the others
    assert find_engine() == engine


async def test_an_engine_that_stays_stuck_is_given_up_and_opened_anew(
    disk_store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(disk_store, 1)
    monkeypatch.setattr(_connections, "_STUCK_SECONDS", 0.2)
    disk_store.patience = 0.5
    stuck = find_engine()
    os.kill(stuck, signal.SIGSTOP)
    with pytest.raises(UnavailableError):
        await write(disk_store, 2)
    disk_store.patience = 20
    assert await count(disk_store) == 1
    assert find_engine() != stuck


async def test_a_stop_does_not_wait_for_a_stuck_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_connections, "_CLOSING_SECONDS", 0.5)
    store = await open_store(f"surrealkv://{tmp_path}/store")
    await write(store, 1)
    os.kill(find_engine(), signal.SIGSTOP)
    begun = time.monotonic()
    await store.close()
    assert time.monotonic() - begun < 10
    store = await open_store(f"surrealkv://{tmp_path}/store")
    assert await count(store) == 1
    await store.close()


async def test_a_slow_statement_does_not_hold_up_the_event_loop(disk_store: Database) -> None:
    ticks = 0
    slow = asyncio.create_task(disk_store.query("SLEEP 500ms;"))
    while not slow.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert ticks > 10


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounts need root")
@pytest.mark.timeout(1800 if SOAK else 300)
@pytest.mark.parametrize(
    ("shown", "total"),
    # The engine's memtables follow the memory that the machine shows: two of 128 MB at 3 GB.
    [("3145728", 6000 * MB), (None, 6000 * MB)] if SOAK else [("3145728", 400 * MB)],
)
def test_a_store_takes_more_than_its_memtables_hold(
    shown: str | None, total: int, tmp_path: Path
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal: {shown} kB\nMemFree: {shown} kB\nMemAvailable: {shown} kB\n")
    mount = f"mount --bind {meminfo} /proc/meminfo &&" if shown else ""
    line = f'{mount} exec {sys.executable} -m tests.support.filling "$@"'
    run = subprocess.run(
        ["unshare", "--mount", "sh", "-c", line, "-", f"surrealkv://{tmp_path}/store", str(total)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["peak"] < 1536 * MB


@pytest.mark.sampled(1)
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounts need root")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("then", "late"), [("go on", 3), ("stop", 4)])
def test_a_flush_that_met_a_full_disk_loses_no_row_and_stops_no_write_once_there_is_room(
    then: str, late: int, tmp_path: Path
) -> None:
    meminfo, disk = tmp_path / "meminfo", tmp_path / "disk"
    disk.mkdir()
    names = ("MemTotal", "MemFree", "MemAvailable")
    meminfo.write_text("".join(f"{name}: 3145728 kB\n" for name in names))
    line = f'mount --bind {meminfo} /proc/meminfo && exec {sys.executable} -m tests.support.flushing "$@"'
    run = subprocess.run(
        ["unshare", "--mount", "sh", "-c", line, "-", str(disk), then],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    # Two logs: the disk was filled by the flush, and not by the log. In an engine that goes on, the first write finds
    # the room.
    assert seen == {"logs": 2, "refused": 3, "late": late, "spoiled": 0}
    assert run.stderr.count("takes writes again") <= 1, "a read does not count as a write"

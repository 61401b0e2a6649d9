"""Holding an embedded store for one process, and saying who does."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from spectronctl.errors import ConfigError
from spectronctl.server.store.errors import StoreLockedError
from spectronctl.server.store.holding import hold_store

HOLDING = """
import sys
from spectronctl.server.store.holding import hold_store

with hold_store(sys.argv[1], timeout=5, command="spectronctl serve") as held:
    if len(sys.argv) > 2:
        held.announce(sys.argv[2])
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_holder(url: str, *announced: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLDING, url, *announced]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.communicate()


def note_of(file_url: str) -> Path:
    return Path(file_url.removeprefix("surrealkv://") + ".holder.json")


def test_a_holder_says_who_it_is_and_cleans_up(file_url: str) -> None:
    note = note_of(file_url)
    with hold_store(file_url, timeout=0, command="spectronctl serve") as held:
        written = json.loads(note.read_text())
        assert written.keys() == {"pid", "command", "url", "since"}
        assert (written["pid"], written["command"]) == (os.getpid(), "spectronctl serve")
        assert written["url"] is None
        held.announce("http://127.0.0.1:9090")
        assert json.loads(note.read_text()) == written | {"url": "http://127.0.0.1:9090"}
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        assert stat.S_IMODE(note.parent.stat().st_mode) == 0o700
    assert not note.exists()


def test_a_store_in_use_names_the_process_that_uses_it(file_url: str) -> None:
    with another_holder(file_url) as process:
        since = json.loads(note_of(file_url).read_text())["since"]
        with (
            pytest.raises(StoreLockedError) as raised,
            hold_store(file_url, timeout=0, command="spectronctl contexts list"),
        ):
            pytest.fail("the store was held twice")
    path = file_url.removeprefix("surrealkv://")
    assert raised.value.message == (
        f"the store {path} is in use by spectronctl serve (pid {process.pid}) since {since}"
    )
    assert raised.value.hint is None


def test_a_server_that_holds_the_store_is_named_with_its_url(file_url: str) -> None:
    with (
        another_holder(file_url, "http://127.0.0.1:4711"),
        pytest.raises(StoreLockedError) as raised,
        hold_store(file_url, timeout=0.1, command="me"),
    ):
        pytest.fail("the store was held twice")
    assert raised.value.hint == "spectronctl serve holds it: use --url http://127.0.0.1:4711"


def test_the_wait_ends_when_the_holder_is_done(file_url: str) -> None:
    with another_holder(file_url) as process:
        assert process.stdin is not None
        began = time.monotonic()
        threading.Timer(0.3, process.stdin.close).start()
        with hold_store(file_url, timeout=10, command="me"):
            waited = time.monotonic() - began
            assert json.loads(note_of(file_url).read_text())["command"] == "me"
        process.wait()
        process.stdin = None
    assert 0.2 < waited < 9


def test_the_wait_is_as_long_as_was_asked(file_url: str) -> None:
    with another_holder(file_url):
        began = time.monotonic()
        with (
            pytest.raises(StoreLockedError),
            hold_store(file_url, timeout=0.5, command="me"),
        ):
            pytest.fail("the store was held twice")
        assert 0.4 < time.monotonic() - began < 5


def test_a_killed_holder_holds_nothing_and_is_not_named(file_url: str) -> None:
    with another_holder(file_url) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert note_of(file_url).exists()
    with hold_store(file_url, timeout=0, command="me"):
        # One that holds the lock and has not left its note yet must not be taken for the dead one.
        dead = {"pid": process.pid, "command": "dead", "since": "", "url": "http://dead"}
        note_of(file_url).write_text(json.dumps(dead))
        with (
            pytest.raises(StoreLockedError, match=r"in use by another process$") as raised,
            hold_store(file_url, timeout=0, command="second"),
        ):
            pytest.fail("the store was held twice")
    assert raised.value.hint is None


@pytest.mark.parametrize("text", ["", "[]", '{"pid": "x"}', '{"pid": 1}', "\xff", "[" * 99_999])
def test_a_note_that_cannot_be_read_is_not_believed(text: str, file_url: str) -> None:
    with hold_store(file_url, timeout=0, command="me"):
        note_of(file_url).write_text(text, encoding="latin-1")
        with (
            pytest.raises(StoreLockedError, match=r"in use by another process$"),
            hold_store(file_url, timeout=0, command="second"),
        ):
            pytest.fail("the store was held twice")


def test_a_store_is_free_again_after_an_error(file_url: str) -> None:
    def fail() -> None:
        with hold_store(file_url, timeout=0, command="me"):
            raise RuntimeError("failed")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="failed"):
            fail()
    assert not note_of(file_url).exists()


def test_a_store_can_be_held_by_one_thread_and_let_go_by_another(file_url: str) -> None:
    holding = hold_store(file_url, timeout=0, command="me")
    with ThreadPoolExecutor(1) as thread:
        thread.submit(holding.__enter__).result()
        assert note_of(file_url).exists()
        holding.__exit__(None, None, None)
        assert not note_of(file_url).exists()
        with hold_store(file_url, timeout=0, command="me"):
            assert note_of(file_url).exists()


@pytest.mark.parametrize("url", ["mem://", "ws://127.0.0.1:8000"])
def test_a_store_for_many_is_not_held(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        hold_store(url, timeout=0, command="me") as first,
        hold_store(url, timeout=0, command="me") as second,
    ):
        first.announce("http://127.0.0.1:1")
        second.announce("http://127.0.0.1:2")
    assert list(tmp_path.iterdir()) == []


def test_a_note_that_cannot_be_written_is_named_and_nothing_is_held(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = note_of(file_url)

    def fail(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("spectronctl.ground.disk.write_all", fail)
        with (
            pytest.raises(ConfigError, match=f"cannot write {note}: No space left on device"),
            hold_store(file_url, timeout=0, command="me"),
        ):
            pytest.fail("the store was held")
    assert [path for path in note.parent.iterdir() if "holder" in path.name] == []
    with hold_store(file_url, timeout=0, command="me"):
        assert note.exists()


def test_a_store_that_cannot_be_locked_is_named(file_url: str) -> None:
    path = file_url.removeprefix("surrealkv://")
    Path(f"{path}.lock").mkdir(parents=True)
    with (
        pytest.raises(ConfigError, match=f"the store {path} cannot be locked: Is a directory"),
        hold_store(file_url, timeout=0, command="me"),
    ):
        pytest.fail("the store was held")


def test_a_server_is_not_waited_for(file_url: str) -> None:
    said: list[str] = []
    with another_holder(file_url, "http://127.0.0.1:4711"):
        began = time.monotonic()
        with (
            pytest.raises(StoreLockedError),
            hold_store(file_url, timeout=30, command="me", say=said.append),
        ):
            pytest.fail("the store was held twice")
        assert time.monotonic() - began < 5
    assert said == []


def test_a_wait_of_more_than_a_second_says_for_what(file_url: str) -> None:
    said: list[str] = []
    with (
        another_holder(file_url) as process,
        pytest.raises(StoreLockedError),
        hold_store(file_url, timeout=1.5, command="me", say=said.append),
    ):
        pytest.fail("the store was held twice")
    (line,) = said
    assert line.startswith("Waiting, 1.5 s at most: the store ")
    assert f"spectronctl serve (pid {process.pid})" in line


def test_a_server_that_is_being_stopped_is_waited_for(file_url: str) -> None:
    with hold_store(file_url, timeout=0, command="spectronctl serve") as held:
        held.announce("http://127.0.0.1:4711")
        held.withdraw()
        said: list[str] = []
        with (
            pytest.raises(StoreLockedError),
            hold_store(file_url, timeout=1.2, command="me", say=said.append),
        ):
            pytest.fail("the store was held twice")
    assert len(said) == 1

"""`spectronctl serve` as people and service managers run it: start again, watch, signal, and run short of files."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.processes import SPECTRONCTL, Shell

NOTHING = ""


class Run:
    """A server that is ready, or a worker."""

    def __init__(
        self, process: subprocess.Popen[str], ready: dict[str, str], log_file: Path
    ) -> None:
        self.process = process
        self.ready = ready
        self._log_file = log_file

    @property
    def log(self) -> str:
        return self._log_file.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@contextmanager
def running(shell: Shell, tmp_path: Path, options: str, **settings: object) -> Iterator[Run]:
    log = tmp_path / f"log-{time.monotonic_ns()}"
    with log.open("w") as stderr:
        process = shell.start(f"serve {options}", stdout=subprocess.PIPE, stderr=stderr, **settings)
    try:
        assert process.stdout
        yield Run(process, json.loads(process.stdout.readline() or log.read_text()), log)
    finally:
        process.kill()
        process.communicate()


def test_the_line_that_starts_a_server_starts_it_again(shell: Shell, tmp_path: Path) -> None:
    key = tmp_path / "management.key"
    line = f"--store surrealkv://{tmp_path}/store --port 0 --bootstrap --secret-file {key}"
    with running(shell, tmp_path, line) as first:
        assert first.stop() == 0
        assert f"The first management key is in file {key}" in first.log
    before = key.stat(), key.read_text()
    with running(shell, tmp_path, line) as second:
        headers = {"API-KEY": before[1].strip()}
        url = second.ready["url"]
        assert httpx.get(f"{url}/api/v1/contexts", headers=headers).is_success
        assert second.stop() == 0
        assert "has a management key already: --bootstrap made none." in second.log
        assert "--force" not in second.log
    after = key.stat()
    assert (after.st_mtime_ns, after.st_ino, key.read_text()) == (
        before[0].st_mtime_ns,
        before[0].st_ino,
        before[1],
    )
    key.unlink()
    with running(shell, tmp_path, line) as third:
        assert third.stop() == 0
        assert f"made none and did not write file {key}" in third.log
        assert "spectronctl serve keys create NAME --secret-file PATH" in third.log
    assert not key.exists()


def test_a_stale_file_is_not_replaced_by_the_key_of_a_new_store(
    shell: Shell, tmp_path: Path
) -> None:
    key = tmp_path / "management.key"
    key.write_text("of another server")
    line = f"serve --store surrealkv://{tmp_path}/store --port 0 --bootstrap --secret-file {key}"
    refused = shell(line)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert key.read_text() == "of another server"


def test_with_logs_in_json_every_line_is_json_from_start_to_stop(
    shell: Shell, tmp_path: Path
) -> None:
    key = tmp_path / "management.key"
    line = f"--store mem:// --port 0 --log-format json --bootstrap --secret-file {key}"
    with running(shell, tmp_path, line) as run:
        httpx.get(f"{run.ready['url']}/api/v1/health")
        assert run.stop() == 0
        messages = [json.loads(each)["message"] for each in run.log.splitlines()]
        assert run.process.stdout
        assert run.process.stdout.read() == NOTHING
    assert messages[0].startswith("The first management key is in file")
    assert messages[1].startswith(f"listening on {run.ready['url']}")
    assert messages[-2].startswith("SIGTERM: stopping")
    assert messages[-1] == "stopped"


def test_at_a_terminal_a_person_reads_where_it_listens_and_how_to_stop_it(
    shell: Shell, tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [SPECTRONCTL, "serve", "--store", "mem://", "--port", "0", "--ready-file", str(ready)],
        env=shell.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"Press Ctrl-C to stop it." not in shown:
        shown += os.read(ours, 4096)
    url = json.loads(ready.read_text())["url"]
    assert f"Spectron listens on {url}, on the store mem://.".encode() in shown
    assert b'{"event"' not in shown
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    rest = os.read(ours, 4096)
    assert b"SIGINT: stopping" in rest
    assert b"stopped" in rest
    os.close(ours)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("worker", ["", "worker "])
def test_hangup_stops_it_in_order_and_stray_signals_do_nothing(
    shell: Shell, tmp_path: Path, worker: str
) -> None:
    port = "" if worker else "--port 0"
    with running(shell, tmp_path, f"{worker}--store surrealkv://{tmp_path}/store {port}") as run:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
            run.process.send_signal(number)
        time.sleep(0.3)
        assert run.process.poll() is None
        assert run.stop(signal.SIGHUP) == 0
        assert "Traceback" not in run.log


def test_under_nohup_hangup_does_nothing(shell: Shell, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which the child inherits
    try:
        with running(shell, tmp_path, "--store mem:// --port 0") as run:
            run.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            assert httpx.get(f"{run.ready['url']}/api/v1/health").is_success
            assert run.stop() == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_server_with_few_files_outlives_more_connections_than_it_has_files(
    shell: Shell, tmp_path: Path
) -> None:
    line = f"serve --store surrealkv://{tmp_path}/store --port 0"
    log_file = tmp_path / "log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            ["sh", "-c", f"ulimit -n 48; exec {SPECTRONCTL} {line}"],
            env=shell.environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        for _ in range(2):
            connections = [socket.create_connection(address, timeout=10) for _ in range(144)]
            # Those that are too many hear of it, at once or when they ask, although no file is left for them.
            assert httpx.get(f"{url}/api/v1/health", timeout=10).status_code == 503
            for connection in connections:
                connection.close()
            deadline = time.monotonic() + 10
            while httpx.get(f"{url}/api/v1/ready", timeout=10).status_code != 200:
                assert time.monotonic() < deadline, "it does not recover"
        process.terminate()
        assert process.wait(40) == 0
    finally:
        process.kill()
        process.communicate()
    assert "Too many open files" not in log_file.read_text()


def test_a_store_that_a_server_holds_is_waited_for_by_no_one(shell: Shell, tmp_path: Path) -> None:
    store = f"surrealkv://{tmp_path}/store"
    with running(shell, tmp_path, f"--store {store} --port 0") as run:
        for line in (
            "contexts list --profile local",
            f"serve --store {store} --port 0",
            f"serve worker --store {store}",
            f"serve keys list --store {store}",
        ):
            began = time.monotonic()
            refused = shell(line, env={"SPECTRONCTL_LOCAL_STORE": f"{tmp_path}/store"})
            assert time.monotonic() - began < 15, line
            assert refused.returncode == 11, line
            assert f"(pid {run.process.pid})" in refused.stderr
            assert f"--url {run.ready['url']}" in refused.stderr
        assert run.stop() == 0


@pytest.mark.sampled(1)
@pytest.mark.parametrize("worker", ["", "worker "])
def test_a_service_manager_hears_that_it_is_ready_alive_and_stopping(
    shell: Shell, tmp_path: Path, worker: str
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(30)
        shell.env |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        port = "" if worker else "--port 0"
        with running(shell, tmp_path, f"{worker}--store mem:// {port}") as run:
            heard = [channel.recv(100).decode() for _ in range(4)]
            assert run.stop() == 0
        while (last := channel.recv(100).decode()) == "WATCHDOG=1":
            pass
    assert sorted(set(heard)) == ["READY=1", "WATCHDOG=1"]
    assert heard.count("READY=1") == 1
    assert last == "STOPPING=1"

"""The installed command as a process of its own, and a server on a socket."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from tests.e2e.proxies import Proxy

if TYPE_CHECKING:
    from tests.e2e.rotating import Outside

SPECTRONCTL = str(Path(sys.executable).with_name("spectronctl"))


@dataclass
class Shell:
    """Runs the installed entry point in an environment that holds nothing but what is given."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        path = f"{Path(SPECTRONCTL).parent}{os.pathsep}{os.environ['PATH']}"
        measured = {name: os.environ[name] for name in os.environ if name.startswith("COVERAGE_")}
        return {"HOME": str(self.home), "PATH": path, **measured, **self.env, **(more or {})}

    def __call__(
        self, line: str, *, env: Mapping[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SPECTRONCTL, *shlex.split(line)],
            env=self.environment(env),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, line: str, **settings: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [SPECTRONCTL, *shlex.split(line)],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            text=True,
            **settings,
        )


@dataclass
class Served:
    """A running `spectronctl serve`."""

    process: subprocess.Popen[str]
    url: str
    key_file: Path

    @property
    def key(self) -> str:
        return self.key_file.read_text().strip()

    @property
    def env(self) -> dict[str, str]:
        return {"SPECTRON_URL": self.url, "SPECTRONCTL_API_KEY_FILE": str(self.key_file)}

    def kill(self) -> None:
        self.process.kill()
        assert self.process.stdout
        if not self.process.stdout.closed:  # closed by the test that stopped it before
            self.process.communicate()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=40)
        return self.process.returncode


Serve = Callable[..., Served]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return Shell(home)


def find_free_port() -> int:
    """A port for who comes back to it: none of those that systems give out for port 0."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@pytest.fixture
def port_9090(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The port that Spectron listens on by default: for one test at a time, whichever worker runs it."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "port-9090.lock"):
        yield


@pytest.fixture
def serve(shell: Shell, tmp_path: Path) -> Iterator[Serve]:
    """Start servers; what still runs at the end is killed."""
    with start_servers(shell, tmp_path) as serve:
        yield serve


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of all tests that leave alone what is not in a context of their own."""
    folder = tmp_path_factory.mktemp("shared-server")
    with start_servers(Shell(folder), folder) as serve:
        yield serve()


@contextlib.contextmanager
def start_servers(shell: Shell, folder: Path) -> Iterator[Serve]:
    running: list[Served] = []
    key_file = folder / "management-key"

    def serve(options: str = "--store mem:// --port 0") -> Served:
        first = "" if key_file.exists() else f"--bootstrap --secret-file {key_file}"
        # The log goes to a file: a pipe would have no reader, and a full one would stop the server.
        log_file = folder / f"serve-{len(running)}.log"
        with log_file.open("w") as log:
            process = shell.start(f"serve {options} {first}", stdout=subprocess.PIPE, stderr=log)
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            process.communicate()
            raise AssertionError(f"the server did not start: {log_file.read_text()}")
        running.append(Served(process, json.loads(line)["url"], key_file))
        return running[-1]

    yield serve
    for served in running:
        with contextlib.suppress(ProcessLookupError):
            served.kill()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """A server on disk, in a process of its own; it serves all tests of a module."""
    from tests.e2e.rotating import serve_outside  # it needs what is above

    with serve_outside(tmp_path_factory.mktemp("outside")) as outside:
        yield outside


@pytest.fixture
def proxy(outside: Outside) -> Iterator[Proxy]:
    """What may spoil the requests to that server."""
    proxy = Proxy(outside.served.url)
    yield proxy
    proxy.close()

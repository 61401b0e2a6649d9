"""The installed command as a process of its own, and servers that it starts."""

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
from typing import Any

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


def find_free_port() -> int:
    """A port for who comes back to it: none of those that systems give out by themselves."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextlib.contextmanager
def start_servers(shell: Shell, folder: Path) -> Iterator[Serve]:
    running: list[Served] = []
    key_file = folder / "management-key"

    def serve(options: str = "--store mem:// --port 0") -> Served:
        first = "" if key_file.exists() else f"--bootstrap --secret-file {key_file}"
        # The log goes to a file: no one reads a pipe meanwhile, and a full one would stop the server.
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


def start_server(
    words: list[str], env: dict[str, str], log_file: Path, program: str = SPECTRONCTL
) -> Served:
    """Run `spectronctl WORDS`, a line for operators, until it is ready; the words say where the management key is."""
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [program, *words],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout
    line = process.stdout.readline()
    assert line, log_file.read_text()
    return Served(process, json.loads(line)["url"], Path(words[words.index("--secret-file") + 1]))

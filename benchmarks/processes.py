"""Processes in an environment that holds nothing but what is given: the command, its rivals, its server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rounds import time_call

PYTHON = sys.executable
SPECTRONCTL = str(Path(sys.executable).with_name("spectronctl"))
_ROOT = Path(__file__).parent.parent
_LONGEST_SECONDS = 600


class NotRunError(Exception):
    """A bench could not be run at all."""


@dataclass(frozen=True)
class Bench:
    """
    What a bench gets: an empty home directory, and how much to do.

    `quick` is for tests, which ask for the shape of a result and not for its numbers.
    """

    home: Path
    httpie: Path
    quick: bool = False

    def choose(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> str:
        """Its stdout; NotRunError when it fails."""
        return self.run_whole(argv, env).stdout

    def run_whole(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What it left behind; NotRunError when it fails."""
        try:
            done = subprocess.run(
                argv,
                env=self._make_environment(env),
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LONGEST_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotRunError(str(error)) from error
        if done.returncode != 0:
            raise NotRunError(f"{argv[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done

    def time(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> float:
        """How long a process takes from start to end, in milliseconds."""
        return time_call(lambda: self.run(argv, env))

    @contextmanager
    def start(self, argv: Sequence[str]) -> Iterator[dict[str, Any]]:
        """A server process, and the line of JSON with which it says that it is ready."""
        log = self.home / "server.log"
        with (
            log.open("w") as stderr,
            subprocess.Popen(
                argv,
                env=self._make_environment(None),
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            ) as process,
        ):
            assert process.stdout
            try:
                line = process.stdout.readline()
                if not line:
                    raise NotRunError(f"the server did not start: {log.read_text().strip()}")
                yield json.loads(line)
            finally:
                process.terminate()

    def _make_environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": os.environ["PATH"], **(more or {})}


@dataclass(frozen=True)
class Served:
    """A running `spectronctl serve` on an empty store in memory."""

    url: str
    key: str

    @property
    def env(self) -> dict[str, str]:
        return {"SPECTRON_URL": self.url, "SPECTRON_MANAGEMENT_API_KEY": self.key}


@contextmanager
def serve(bench: Bench) -> Iterator[Served]:
    """Start `spectronctl serve` on a free port."""
    key_file = bench.home / "management-key"
    key_file.unlink(missing_ok=True)
    options = ["--store", "mem://", "--port", "0", "--bootstrap", "--secret-file", str(key_file)]
    with bench.start([SPECTRONCTL, "serve", *options]) as ready:
        yield Served(ready["url"], key_file.read_text().strip())

"""A key that is rotated by real processes, and what holds of it at every moment, seen from outside."""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

import httpx

from tests.support.journals import make_due
from tests.support.processes import SPECTRONCTL, Served, Shell

Method = Literal["overlap", "leaked", "in place"]
Command = subprocess.CompletedProcess[str]

ROOT = Path(__file__).parents[2]
KILLABLE = str(Path(__file__).with_name("killable.py"))
OVERLAP = 1.0
HOW: dict[Method, str] = {
    "overlap": f"--overlap {OVERLAP:g}s --drain 0s",
    "leaked": "--leaked",
    "in place": "",
}
NEVER = 10_000
"""A point that no command line reaches."""

_NUMBERS = count()


@dataclass
class Outside:
    """The server as another HTTP client sees it."""

    served: Served
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"{self.served.url}/api/v1", timeout=30, trust_env=False)
        self.management = {"Authorization": f"Bearer {self.served.key}"}
        # A pipe without a reader would stop the server once it is full.
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def _read_log(self) -> None:
        assert self.served.process.stderr
        self.log.extend(self.served.process.stderr)

    def close(self) -> None:
        self.http.close()
        process = self.served.process
        process.kill()
        process.wait()
        self._reader.join()
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stderr.close()

    def ask_me(self, context: str, secret: str) -> httpx.Response:
        return self.http.get(f"/{context}/me", headers={"Authorization": f"Bearer {secret}"})

    def list_keys(self, context: str) -> list[dict[str, Any]]:
        answer = self.http.get(
            f"/contexts/{context}/keys", params={"limit": 500}, headers=self.management
        )
        keys: list[dict[str, Any]] = answer.raise_for_status().json()["keys"]
        return keys

    def create_context(self, context: str) -> None:
        body = {"namespace": context, "database": "d"}
        self.http.post(
            f"/contexts/{context}", json=body, headers=self.management
        ).raise_for_status()

    def create_key(self, context: str, name: str, **settings: Any) -> str:
        body = {"name": name, "principal": "agent", "scope_floor": None, **settings}
        answer = self.http.post(f"/contexts/{context}/keys", json=body, headers=self.management)
        return str(answer.raise_for_status().json()["secret"])


@contextmanager
def serve_outside(directory: Path) -> Iterator[Outside]:
    """A server of its own process, on a store on disk."""
    home = directory / "server"
    home.mkdir()
    key_file = home / "management-key"
    process = Shell(home).start(
        f"serve --store surrealkv://{home}/store --port 0 --bootstrap --secret-file {key_file}",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    line = process.stdout.readline()
    outside = Outside(Served(process, json.loads(line)["url"], key_file))
    yield outside
    outside.close()


class Agent:
    """Lives on the secret in a file, which it reads again before every request."""

    def __init__(self, outside: Outside, context: str, sink: Path) -> None:
        self.requests = 0
        self.refused: list[str] = []
        self._outside, self._context, self._sink = outside, context, sink
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def _live(self) -> None:
        while not self._is_over.wait(0.02):
            read_at = time.monotonic()
            secret = self._sink.read_text().strip()
            answer = self._outside.ask_me(self._context, secret)
            # One that was under way for as long as the overlap may have met a key's rightful end.
            if answer.status_code == 401 and time.monotonic() - read_at < OVERLAP:
                self.refused.append(f"{datetime.now(UTC)}: {secret[:40]}…")
            self.requests += 1

    def __enter__(self) -> Agent:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._is_over.set()
        self._thread.join()


class Round:
    """A context with the key `agent`, a sink that holds its secret, a home with a journal, and another key."""

    def __init__(self, outside: Outside, directory: Path, method: Method) -> None:
        self.outside, self.method = outside, method
        self.context = f"c{next(_NUMBERS)}"
        self.directory = directory / self.context
        self.sink = self.directory / "sink" / "agent.key"
        self.report = self.directory / "points"
        self.sink.parent.mkdir(parents=True)
        outside.create_context(self.context)
        self.first = outside.create_key(self.context, "agent")
        self.other = outside.create_key(self.context, "other")
        self.sink.write_text(f"{self.first}\n")
        self.sink.chmod(0o600)
        (self.directory / "home").mkdir()
        self.shell = Shell(
            self.directory / "home",
            {**outside.served.env, "SPECTRON_CONTEXT_ID": self.context},
        )
        self.rotate = f"keys rotate agent {HOW[method]} --yes --secret-file {self.sink}"
        self.overlap = OVERLAP
        self.resumes = 0
        self.kills: Counter[str] = Counter()
        self._shape = re.compile(f"sk-{self.context}-[0-9A-Z]{{26}}[0-9A-Za-z]{{43}}\n")

    @property
    def journal(self) -> Path:
        return self.shell.home / ".local/state/spectronctl/rotations"

    def read_journal(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.journal.glob("*.json"))]

    @property
    def open(self) -> list[dict[str, Any]]:
        return [one for one in self.read_journal() if one["step"] not in ("done", "aborted")]

    @property
    def step(self) -> str:
        steps = [one["step"] for one in self.read_journal()]
        return steps[-1] if steps else "nothing written"

    def run(self, line: str) -> Command:
        """The installed command, to its end."""
        result = self.shell(line)
        self.check()
        return result

    def run_killable(self, line: str, last: int) -> tuple[int, list[str]]:
        """A command line that is killed at its point number `last`; its exit code, and the points it reached."""
        self.report.unlink(missing_ok=True)
        code = subprocess.run(
            [sys.executable, KILLABLE, str(last), str(self.report), *shlex.split(line)],
            env={**self.shell.environment(), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        ).returncode
        points: list[str] = json.loads(self.report.read_text())
        if code < 0:
            self.kills[self.step] += 1
        self.check()
        return code, points

    def run_until(self, line: str, seconds: float, *, from_journal: bool) -> None:
        """The installed command, killed after that time from its start, or from its first journal's."""
        process = subprocess.Popen(
            [SPECTRONCTL, *shlex.split(line)],
            env=self.shell.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while from_journal and process.poll() is None and not any(self.journal.glob("*.json")):
            time.sleep(0.001)
        time.sleep(seconds)
        process.kill()
        if process.wait() < 0:
            self.kills[self.step] += 1
        self.check()

    def finish(self) -> None:
        """Resume until nothing is open, as cron does; what was never written down is started again."""
        deadline = time.monotonic() + 60
        while self.open or not self.read_journal():
            assert time.monotonic() < deadline, self.read_journal()
            self.wait_until_due()
            self.resumes += 1
            line = "keys rotations resume" if self.read_journal() else self.rotate
            result = self.run(line)
            assert result.returncode == 0, result.stderr
        self.check_end()

    def wait_until_due(self) -> None:
        if self.method == "leaked":
            make_due(self.journal)  # a successor that may be in use is kept for minutes
        now = datetime.now(UTC)
        due = [datetime.fromisoformat(one["due_at"]) for one in self.open if one["due_at"]]
        time.sleep(max([0.0, *((at - now).total_seconds() for at in due)]))

    def read_sink(self) -> str:
        content = self.sink.read_text()
        assert self._shape.fullmatch(content), f"not one whole secret: {len(content)} characters"
        assert stat.S_IMODE(self.sink.stat().st_mode) == 0o600
        return content.strip()

    def check(self) -> None:
        """What holds after every action."""
        secret = self.read_sink()
        works = self.outside.ask_me(self.context, secret).status_code
        is_new = secret != self.first
        if self.method == "overlap" or (self.method == "leaked" and is_new):
            assert works == 200, f"the secret in the sink is refused: {self.read_journal()}"
        assert self.outside.ask_me(self.context, self.other).status_code == 200
        self.check_overlap()

    def check_overlap(self) -> None:
        """The old key lives for as long as was promised after the new secret came."""
        until = self.sink.stat().st_mtime + self.overlap
        if self.method == "overlap" and self.read_sink() != self.first:
            works = self.outside.ask_me(self.context, self.first).status_code == 200
            assert works or time.time() >= until, "the overlap was cut short"

    def check_end(self) -> None:
        """What holds once nothing is open."""
        names = [key["name"] for key in self.outside.list_keys(self.context)]
        (left,) = (name for name in names if name != "other")
        assert sorted(names) == sorted([left, "other"])
        assert left.partition(".g")[0] == "agent"
        me = self.outside.ask_me(self.context, self.read_sink())
        assert (me.status_code, me.json()["keyName"]) == (200, left)
        assert self.read_sink() != self.first
        assert self.outside.ask_me(self.context, self.first).status_code == 401
        assert [path.name for path in self.sink.parent.iterdir()] == [self.sink.name]
        for path in self.shell.home.rglob("*"):
            assert not (path.is_file() and b"sk-" in path.read_bytes()), path

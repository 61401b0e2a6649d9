"""Several servers and workers as processes of their own on one database, with a stand-in provider of vectors."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from spectronctl.server.database.database import Database
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.rows import ContextRow
from tests.support.embeddings_endpoint import KEY, Endpoint
from tests.support.memories import FINISHED
from tests.support.processes import SPECTRONCTL, Shell, find_free_port

T = TypeVar("T")

ROOT = Path(__file__).parents[2]

SECRET_KEY = base64.b64encode(bytes(32)).decode()
"""What all of them seal the keys of providers with: a database of several servers makes none."""

_SHORT_LEASE = """
import sys
from spectronctl.server.jobs import table
table.LEASE_SECONDS = int(sys.argv.pop(1))
from spectronctl.cli import enter
enter()
"""


@dataclass(eq=False)
class Member:
    """A `spectronctl serve`, or a `serve worker`, that runs."""

    process: subprocess.Popen[str]
    log_file: Path
    ready: dict[str, Any]
    line: str

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def holds(self, job_id: str) -> bool:
        """Whether its log says that it works on the job, and not that it lost it."""
        return self.process.poll() is None and (
            self.log.count(f"job {job_id}: at work") > self.log.count(f"job {job_id}: taken over")
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str, float]:
        """Its exit status, what more it said on stdout, and how many seconds that took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return self.process.returncode, out, time.monotonic() - started


@dataclass
class Fleet:
    """Starts them with a lease of that many seconds; None is the real one."""

    shell: Shell
    directory: Path
    store_url: str
    endpoint: Endpoint
    lease: int | None = 2
    allow_private: bool = True
    """Whether workers may ask the endpoint, which is on loopback."""
    members: list[Member] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self, line: str = "serve --port 0") -> Member:
        number = next(self._numbers)
        line = line.replace("--port 0", f"--port {find_free_port()}")
        key_file = self.directory / "management-key"
        is_worker = "worker" in line.split()
        if not is_worker and not key_file.exists():
            line += f" --bootstrap --secret-file {key_file}"
        log_file = self.directory / f"member-{number}.log"
        program = [SPECTRONCTL]
        if self.lease is not None:
            program = [sys.executable, "-c", _SHORT_LEASE, str(self.lease)]
        private = ["--allow-private-providers"] * (is_worker and self.allow_private)
        with log_file.open("w") as log:
            process = subprocess.Popen(
                [*program, *line.split(), *private, "--store", self.store_url],
                env=self.shell.environment() | {"SPECTRON_SECRET_KEY": SECRET_KEY},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdout
        ready = process.stdout.readline()
        assert ready, log_file.read_text()
        member = Member(process, log_file, json.loads(ready), line.partition(" --bootstrap")[0])
        self.members.append(member)
        return member

    def replace(self, member: Member) -> Member:
        """Kill it with SIGKILL and start another in its place, a server at the same port."""
        member.kill()
        self.members.remove(member)
        return self.start(member.line)

    def find_holder(self, job_id: str) -> Member:
        """The worker of the job, as soon as there is one."""
        return wait_for(lambda: next((m for m in self.members if m.holds(job_id)), None))

    @property
    def key(self) -> str:
        return (self.directory / "management-key").read_text().strip()

    def ask(self, member: Member, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        url = f"{member.url}/api/v1{path}"
        # To read the certificates that the machine trusts takes longer than the request.
        answer = httpx.request(method, url, json=body, headers=headers, timeout=60, verify=False)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def create_context(self, member: Member, name: str = "acme-prod") -> None:
        config = {
            "models": {"embedding": "standin/some-model"},
            "provider_urls": {"standin": self.endpoint.url},
            "providers": {"standin": KEY},
        }
        body = {"namespace": "acme", "database": name, "config": config}
        self.ask(member, "POST", f"/contexts/{name}", body)

    def start_job(self, member: Member, name: str = "acme-prod") -> str:
        answer = self.ask(member, "POST", f"/contexts/{name}/lifecycle/reindex")
        return str(answer["job_id"])

    def read_job(self, member: Member, job_id: str, name: str = "acme-prod") -> dict[str, Any]:
        job: dict[str, Any] = self.ask(member, "GET", f"/contexts/{name}/lifecycle/jobs/{job_id}")
        return job

    def finish_job(self, member: Member, job_id: str, name: str = "acme-prod") -> dict[str, Any]:
        return wait_for(
            lambda: find_finished(self.read_job(member, job_id, name)), seconds=300, pause=0.2
        )

    def count_starts(self, job_id: str) -> int:
        """How often a worker began the job, as all logs say."""
        logs = self.directory.glob("member-*.log")
        return sum(log.read_text().count(f"job {job_id}: at work") for log in logs)

    def watch(self, member: Member, job_id: str) -> subprocess.Popen[str]:
        """`lifecycle jobs watch` as a process of its own; what it tells is in `watch.log`."""
        self.shell.env.update(
            SPECTRON_URL=member.url,
            SPECTRON_CONTEXT_ID="acme-prod",
            SPECTRONCTL_API_KEY_FILE=str(self.directory / "management-key"),
        )
        with (self.directory / "watch.log").open("w") as log:
            return self.shell.start(
                f"lifecycle jobs watch {job_id} -o json", stdout=subprocess.PIPE, stderr=log
            )

    def wait_until_watched(self) -> None:
        """Until `watch` has told something: from then on it outlives the server."""
        wait_for(lambda: (self.directory / "watch.log").read_text() or None)

    def with_store(self, act: Callable[[Database], Awaitable[T]]) -> T:
        """Act on the database through a store of our own."""

        async def run() -> T:
            store = await open_store(self.store_url, secret_keys=None)
            try:
                return await act(store)
            finally:
                await store.close()

        return asyncio.run(run())

    def with_context(
        self, act: Callable[[Database, ContextRow], Awaitable[T]], name: str = "acme-prod"
    ) -> T:
        async def run(store: Database) -> T:
            context = await ContextTable(store).get_context(name)
            assert context is not None
            return await act(store, context)

        return self.with_store(run)

    def end(self) -> None:
        for member in self.members:
            member.kill()


@contextmanager
def start_bridge(engine_url: str = "mem://") -> Iterator[Bridge]:
    """A database that several processes share; see `tests.support.bridge`."""
    bridge = Bridge(engine_url)
    try:
        bridge.start()
        yield bridge
    finally:
        bridge.kill()


@dataclass
class Bridge:
    """The bridge as a process, which can be killed and started again at the same port."""

    engine_url: str
    port: int = field(default_factory=find_free_port)
    url: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.bridge", self.engine_url, str(self.port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.url = json.loads(self.process.stdout.readline())["url"]

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.communicate()


def find_finished(job: dict[str, Any]) -> dict[str, Any] | None:
    return job if job["status"] in FINISHED else None


def wait_for(find: Callable[[], T | None], *, seconds: float = 60, pause: float = 0.03) -> T:
    """What `find` finds in the end; AssertionError when that takes too long."""
    deadline = time.monotonic() + seconds
    while (found := find()) is None:
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(pause)
    return found

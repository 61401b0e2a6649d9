"""
Files that people depend on are old or new, never half, wherever their writer is stopped.

The real command runs under `strace`, which kills it at a system call, or lets that call fail. `make test` stops each
writer at its most delicate calls, `make soak` at every one.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.support import serving
from tests.support.durability import find_gaps
from tests.support.processes import SPECTRONCTL, Shell
from tests.support.soak import SOAK
from tests.support.syscalls import RANDOM, Call, can_trace, list_calls, run_traced
from tests.support.writers import PYTHON, SISTERS, WRITERS, Writer

ERRORS = ["ENOSPC", "EIO", "EDQUOT"] if SOAK else ["ENOSPC"]
TALK = Path(__file__).parents[2] / "examples" / "conversation.jsonl"

_MOVES = ("rename", "renameat", "renameat2", "link", "linkat")

pytestmark = [
    pytest.mark.skipif(not can_trace(), reason="there is no strace, or it may not trace"),
    pytest.mark.timeout(3600),
]


@pytest.fixture(scope="module")
def spectron(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server with a context and a session, as environment variables; `session` is its id."""
    directory = tmp_path_factory.mktemp("server")
    served = serving.start(directory)
    env = {
        "SPECTRON_URL": served.url,
        "SPECTRON_MANAGEMENT_API_KEY": served.key,
        "SPECTRON_CONTEXT_ID": "acme-prod",
    }
    shell = Shell(directory, env)
    shell("contexts create acme-prod --namespace acme --database prod")
    yield {**env, "session": shell(f"sessions import {TALK} -o name").stdout.strip()}
    served.stop()


@dataclass
class Stage:
    """A home directory that is set up anew for each run of a writer."""

    writer: Writer
    shell: Shell
    session: str
    traces: Path
    numbers: Iterator[int] = field(default_factory=count)
    number: int = 0
    expected: bytes = b""
    usual: set[str] = field(default_factory=set)

    @property
    def home(self) -> Path:
        return self.shell.home

    def set_up(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        for name, content in self.writer.old.items():
            path = self.home / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(content)
        self.number = next(self.numbers)
        if "agent-{number}" in self.writer.line:
            made = self.shell(f"keys create agent-{self.number}")
            assert made.returncode == 0, made.stderr

    def make_argv(self, line: str) -> list[str]:
        words = shlex.split(line.format(home=self.home, session=self.session, number=self.number))
        return (
            [PYTHON, "-c", self.writer.script, *words]
            if self.writer.script
            else [SPECTRONCTL, *words]
        )

    def run(self, inject: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the writer where nothing but the old is."""
        self.set_up()
        return run_traced(
            self.make_argv(self.writer.line), self.shell.environment(), self.traces, inject
        )

    def record(self) -> list[Call]:
        """The calls of an undisturbed run, on files below the home directory; what it leaves is the new."""
        self.set_up()
        self.run_again(
            self.writer.line
        )  # so that every module is compiled, and the calls are the same each time
        done = self.run()
        assert done.returncode == 0, done.stderr
        self.usual = set(self.list_files().values())
        self.expected = next(iter(self.read_targets().values()), b"")
        return [
            call
            for call in list_calls(self.traces)
            if any(self.is_ours(path) for path in call.paths)
        ]

    def run_again(self, line: str, refuses: str | None = None) -> None:
        done = subprocess.run(
            self.make_argv(line),
            env=self.shell.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0 or (refuses and refuses in done.stderr), done.stderr

    def is_ours(self, path: str) -> bool:
        return self.home in (Path(path), *Path(path).parents)

    def read_targets(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.home.glob(self.writer.target)}

    def list_files(self) -> dict[str, str]:
        """The name of every file, by itself without its random part."""
        paths = (path.relative_to(self.home) for path in self.home.rglob("*") if path.is_file())
        return {str(path): RANDOM.sub("*", str(path)) for path in paths}

    def is_new(self, content: bytes) -> bool:
        return self.writer.is_new(content) if self.writer.is_new else content == self.expected

    def is_old(self) -> bool:
        """Whether the targets are as they were."""
        old = self.writer.old.get(self.writer.target)
        return list(self.read_targets().values()) == ([] if old is None else [old.encode()])

    def is_written(self) -> bool:
        """Whether the targets are there, and new."""
        targets = self.read_targets()
        return bool(targets) and all(map(self.is_new, targets.values()))

    def check_whole(self) -> None:
        """Old or new, and no secret where others can read it."""
        assert self.is_old() or self.is_written(), self.read_targets()
        for path in self.home.rglob("*"):
            if path.is_file() and re.search(rb"\bsk-\w", path.read_bytes()):
                assert path.stat().st_mode & 0o777 == 0o600, path

    def check_left_over(self, *known: str | None, told: str = "") -> None:
        """Nothing but what every run leaves, what is `known`, and what the user was told of."""
        usual = self.usual | set(self.writer.old)
        patterns = [pattern for pattern in (self.writer.leaves, *known) if pattern]
        unknown = [
            name
            for name, blurred in self.list_files().items()
            if blurred not in usual and not any(re.fullmatch(each, blurred) for each in patterns)
        ]
        assert [name for name in unknown if name not in told] == []
        for name in unknown:  # the user was told of it and moves it away
            (self.home / name).unlink()

    def check_next(self) -> None:
        """The next run is not in the way of anything that a stopped one left."""
        refuses = None if self.is_old() else self.writer.refuses
        self.run_again(self.writer.again or self.writer.line, refuses)
        is_written = self.is_written()
        may_be_old = self.writer.script or self.writer.finishes
        assert is_written or (may_be_old and self.is_old()), self.read_targets()
        self.check_left_over(None if is_written else self.writer.resumes)


@pytest.fixture(params=WRITERS + SISTERS * SOAK, ids=lambda writer: writer.name)
def stage(request: pytest.FixtureRequest, tmp_path: Path, spectron: dict[str, str]) -> Stage:
    env = {name: value for name, value in spectron.items() if name.isupper()}
    shell = Shell(tmp_path / "home", {**env, "SPECTRONCTL_OUTPUT": "json"})
    return Stage(request.param, shell, spectron["session"], tmp_path / "traces")


def choose(calls: list[Call]) -> tuple[list[Call], list[Call]]:
    """
    Which calls a writer is killed at, and which ones fail: all, or the most delicate.

    It dies with the old in place at its last move, and with the new at the call behind it. What fails is the last write
    before that move, and the last sync.
    """
    if SOAK:
        return calls, calls
    last = max(number for number, call in enumerate(calls) if call.name in _MOVES)
    writes = [call for call in calls[:last] if call.name == "write"]
    syncs = [call for call in calls[:last] if call.name == "fsync"]
    return calls[last : last + 2], [*writes[-1:], *syncs[-1:]]


@pytest.mark.sampled(3)
def test_a_writer_is_stopped_anywhere_and_its_file_is_old_or_new(
    stage: Stage, subtests: pytest.Subtests, record_property: Callable[[str, object], None]
) -> None:
    calls = stage.record()
    moved = {call.paths[1] for call in calls if call.name in _MOVES}
    # An empty draft takes another's place, which shows that it can take the file's. And who holds a lock is of no use
    # after a loss of power.
    passing = [".spectronctl-", *[".holder"] * stage.writer.lasts]
    placed = {path for path in moved if not any(each in Path(path).name for each in passing)}
    if stage.writer.lasts:
        assert find_gaps(calls, placed | set(stage.read_targets())) == []
    assert placed, "it moves nothing into its place"
    kills, failing = choose(calls)
    seen = set()
    failures = [(call, error) for call in failing for error in ERRORS]
    for call in kills:
        with subtests.test(f"killed at {call.title}"):
            seen.add(check_kill(stage, call))
    assert True in seen, "it was never killed with the new in place"
    for call, error in failures:
        with subtests.test(f"{error} at {call.title}"):
            check_failure(stage, call, error)
    record_property(
        "figures",
        f"power cuts: {stage.writer.name}: {len(kills)} kills, {len(failures)} failures",
    )


def check_kill(stage: Stage, call: Call) -> bool:
    """Whether the new is left."""
    killed = stage.run(f"{call.name}:signal=KILL:when={call.number}")
    assert killed.returncode == -9, killed.stderr
    assert list_calls(stage.traces)[-1].title == call.title
    stage.check_whole()
    is_written = stage.is_written()
    stage.check_next()
    return is_written


def check_failure(stage: Stage, call: Call, error: str) -> None:
    done = stage.run(f"{call.name}:error={error}:when={call.number}")
    assert any("INJECTED" in path.read_text() for path in stage.traces.iterdir()), done.stderr
    stage.check_whole()
    if stage.writer.lasts:
        gaps = find_gaps(list_calls(stage.traces), stage.read_targets())
        assert [gap for gap in gaps if "before its content" in gap] == []
    if stage.writer.script is None:
        check_report(stage, done)
    stage.check_left_over(stage.writer.resumes, told=done.stderr)
    stage.check_next()


def check_report(stage: Stage, done: subprocess.CompletedProcess[str]) -> None:
    """Where success is reported, the new is there, and an error is one that is known."""
    assert done.returncode in {0, 1, 11}, done.stderr
    assert "unexpected" not in done.stderr, done.stderr
    if done.returncode == 0:
        assert stage.is_written() or stage.writer.is_cache, "it is silent about what it lost"
        return
    assert json.loads(done.stderr.splitlines()[-1])["kind"] != "unknown", done.stderr
    assert stage.is_old() or stage.writer.target.endswith("*.json"), done.stderr

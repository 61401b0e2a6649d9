"""What every test may use: the command line run in this process, and a real server in memory behind it."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.commandline import CommandLine
from tests.support.processes import Serve, Shell, start_servers
from tests.support.server import Server, run_server
from tests.support.soak import thin_out

# A shell that starts the tests in the background, or `nohup`, may have made them ignore these, and so all their child
# processes.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _number in (signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(_number, signal.SIG_DFL)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server; under the mark `worker`, one that works on jobs."""
    is_worker = request.node.get_closest_marker("worker") is not None
    with run_server(works_on_jobs=is_worker) as server:
        yield server


@pytest.fixture
def run(tmp_path: Path, server: Server) -> CommandLine:
    """Run a command line against the server in memory, with its management key in the environment."""
    env = {"SPECTRON_URL": "http://spectron.test", "SPECTRON_MANAGEMENT_API_KEY": server.key}
    return CommandLine(tmp_path, server, env)


@pytest.fixture
def run_alone(tmp_path: Path) -> CommandLine:
    """Run a command line with nothing configured and no server."""
    return CommandLine(tmp_path)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return Shell(home)


@pytest.fixture
def serve(shell: Shell, tmp_path: Path) -> Iterator[Serve]:
    """Start servers; what still runs at the end is killed."""
    with start_servers(shell, tmp_path) as serve:
        yield serve


@pytest.fixture
def port_9090() -> Iterator[None]:
    """
    The port that Spectron listens on by default: for one test of this machine at a time.

    Other runs of the suite use the same port, so the lock is not in a folder of this run's.
    """
    with FileLock(Path(tempfile.gettempdir()) / f"spectronctl-port-9090-{os.getuid()}.lock"):
        yield


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long tests come first, so that no worker is busy with one when the others have nothing left to do."""
    items[:], skipped = thin_out(items)
    if skipped:
        config.hook.pytest_deselected(items=skipped)
    long = [Path(__file__).parent, Path(__file__).parent / "e2e"]
    items.sort(key=lambda item: long.index(item.path.parent) if item.path.parent in long else 2)


def pytest_collection_finish() -> None:
    """Thousands of tests, and all that they import, are not searched for garbage again while they run."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests that count something (`make soak`) say so in the end: `user_properties` named `figures`."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(str(text))

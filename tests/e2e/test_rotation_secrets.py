"""The secrets of a rotation, the old one, every new one and the management key, are in the sinks and nowhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spectronctl.local.checkpoints import Journal
from spectronctl.output.sinks._files import FileSink
from tests.support.commandline import CommandLine
from tests.support.proxies import Proxy
from tests.support.rotation_processes import Outside, Round
from tests.support.server import Server

TAKE = """#!/bin/sh
cat > {taken}
sleep 0.4
[ ! -e {broken} ]
"""


class Watch:
    """Notes the arguments and the environment of every process of a directory, over and over."""

    def __init__(self, directory: Path) -> None:
        self.seen: set[bytes] = set()
        self._directory = str(directory).encode()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._is_over.wait(0.01):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    environment = (process / "environ").read_bytes()
                    if self._directory in environment:
                        self.seen |= {environment, (process / "cmdline").read_bytes()}
                except OSError:
                    continue

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._is_over.set()
        self._thread.join()


class WatchedRound(Round):
    """A rotation into a file, a dotenv file and a command, through a proxy that hears every secret."""

    def __init__(self, outside: Outside, directory: Path, proxy: Proxy) -> None:
        super().__init__(outside, directory, "overlap")
        self.proxy = proxy
        self.shell.env["SPECTRON_URL"] = proxy.url
        self.variables = self.sink.with_name(".env")
        self.taken = self.sink.with_name("taken")
        self.broken = self.directory / "broken"
        self.variables.write_text(f"A=1\nAGENT_KEY={self.first}\nB=2\n")
        command = self.directory / "take"
        command.write_text(TAKE.format(taken=self.taken, broken=self.broken))
        command.chmod(0o700)
        self.sinks = (
            f"--secret-file {self.sink} --secret-env-file {self.variables}:AGENT_KEY"
            f" --secret-command '{command} --label x'"
        )
        self.told: list[str] = []

    @property
    def secrets(self) -> set[str]:
        """Every one there is."""
        bodies = [exchange.answer.body for exchange in self.proxy.exchanges if exchange.answer]
        minted = {json.loads(body)["secret"] for body in bodies if b'"secret"' in body}
        return {*minted, self.first, self.other, self.outside.served.key}

    def read_everything(self) -> dict[str, str]:
        """All that was said, logged and written, but for the sinks."""
        files = {
            str(path): path.read_bytes().decode(errors="replace")
            for path in self.directory.rglob("*")
            if path.is_file() and path.parent != self.sink.parent
        }
        assert any("rotations" in path for path in files)
        assert any("locks" in path for path in files)
        logs = {"log": "".join(self.outside.log), **files}
        return logs | {f"told {number}": text for number, text in enumerate(self.told)}

    def check_nothing_shows(self) -> None:
        for place, text in self.read_everything().items():
            for secret in self.secrets:
                assert secret not in text, place
                assert secret[-30:] not in text, place

    def check_sinks(self) -> None:
        secret = self.read_sink()
        assert self.variables.read_text() == f"A=1\nAGENT_KEY={secret}\nB=2\n"
        assert self.taken.read_text().strip() == secret


@pytest.fixture
def watched(outside: Outside, tmp_path: Path) -> Iterator[WatchedRound]:
    proxy = Proxy(outside.served.url)
    yield WatchedRound(outside, tmp_path, proxy)
    proxy.close()


HOW = ("--overlap 1s --drain 0s --wait", "--leaked", "")


@pytest.mark.parametrize("how", HOW)
def test_no_secret_shows_while_one_is_delivered_everywhere(watched: WatchedRound, how: str) -> None:
    watched.method = "overlap" if "overlap" in how else "leaked" if how else "in place"
    formats = {HOW[0]: "--debug -o json", HOW[1]: "-o table --debug", HOW[2]: "-o yaml --debug"}
    line = f"keys rotate agent {how} --yes {watched.sinks} {formats[how]}"
    with Watch(watched.directory) as watch:
        result = watched.run(line)
    assert result.returncode == 0, result.stderr
    seen = b"\0".join(watch.seen).decode(errors="replace")
    assert "SPECTRONCTL_KEY_NAME=agent" in seen
    assert "--label" in seen
    assert "debug: POST" in result.stderr
    watched.told += [result.stdout, result.stderr, seen]
    watched.check_sinks()
    watched.told += [watched.run("keys rotations list --all -o json").stdout]
    assert watched.read_sink() in watched.secrets
    assert len(watched.secrets) == 4
    watched.check_nothing_shows()


def test_nor_when_a_command_fails_and_is_tried_again(watched: WatchedRound) -> None:
    watched.broken.touch()
    line = f"keys rotate agent --overlap 1s --drain 0s --yes {watched.sinks} --debug -o json"
    result = watched.run(line)
    assert (result.returncode, result.stdout) == (1, "")
    error = json.loads(result.stderr.splitlines()[-1])
    assert "failed with exit code 1" in error["message"]
    (rotation,) = watched.open
    assert error["command"] == f"spectronctl keys rotations resume {rotation['id']}"
    again = watched.run("keys rotations resume --debug")
    assert again.returncode == 1
    assert rotation["id"] in again.stderr
    watched.told += [result.stderr, again.stdout, again.stderr, json.dumps(watched.open)]
    watched.check_nothing_shows()

    watched.broken.unlink()
    assert watched.run("keys rotations resume -q").returncode == 0
    watched.wait_until_due()
    assert watched.run("keys rotations resume -q").returncode == 0
    assert watched.open == []
    watched.check_sinks()
    assert len(watched.secrets) >= 5
    watched.check_nothing_shows()


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("where", ["sink", "journal"])
def test_nor_when_something_unexpected_happens(
    run: CommandLine,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    form: str,
) -> None:
    assert run("contexts create c --namespace n --database d").code == 0
    assert run(f"keys create agent -c c --secret-file {tmp_path}/first").code == 0
    secrets = [server.key]

    def fail_delivery(sink: FileSink, secret: str) -> None:
        secrets.append(secret)
        raise RuntimeError(f"cannot deliver {secret}")

    def fail_writing(journal: Journal, claim: str, document: dict[str, object]) -> None:
        raise RuntimeError(f"cannot write {document}")

    if where == "sink":
        monkeypatch.setattr(FileSink, "commit", fail_delivery)
    else:
        monkeypatch.setattr(Journal, "write", fail_writing)
    line = f"keys rotate agent -c c --overlap 1h --yes --secret-file {tmp_path}/s --debug -o {form}"
    result = run(line)
    assert (result.code, result.out) == (1, "")
    assert "unexpected RuntimeError" in result.err
    assert "_rotations.py" in result.err
    assert len(secrets) == (2 if where == "sink" else 1)
    for secret in secrets:
        assert secret not in result.err
        assert secret[-30:] not in result.err
    assert not (tmp_path / "s").exists()

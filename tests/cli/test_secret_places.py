"""Every place for a secret in every state: its reader can read it, or the place is refused before anything is asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.places import JOURNALS, NEEDS_ROOT, OPERATOR, STATES
from tests.support.server import Server

METHODS = {
    "create": "keys create fresh --force",
    "in place": "keys rotate agent --yes",
    "overlap": "keys rotate agent --overlap 0s --drain 0s --yes",
    "leaked": "keys rotate agent --leaked --yes",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that any user reaches, unlike `tmp_path`, with one for secrets alone inside."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    (path / "secrets").mkdir()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def agent(acme: CommandLine, folder: Path) -> CommandLine:
    """The command line, for root and for an operator, with a key `agent` in two files."""
    home = folder / "home"
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, *OPERATOR)
    acme.env |= {"SPECTRONCTL_HOME": str(home), "PATH": os.environ["PATH"]}
    places = f"--secret-file {folder}/secrets/key --secret-env-file {folder}/secrets/.env:KEY"
    assert acme(f"keys create agent {places}").code == 0
    return acme


def works(run: CommandLine, source: str) -> bool:
    return run(f"keys verify {source}").code == 0


@pytest.mark.sampled
@NEEDS_ROOT
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["file", "variable"])
@pytest.mark.parametrize("state", STATES)
def test_a_secret_arrives_or_is_refused_before_anything_is_asked(
    agent: CommandLine, server: Server, folder: Path, state: str, kind: str, method: str
) -> None:
    file = folder / "secrets" / ("key" if kind == "file" else ".env")
    option = f"--secret-file {file}" if kind == "file" else f"--secret-env-file {file}:KEY"
    source = f"file:{file}" if kind == "file" else f"env-file:{file}:KEY"
    with STATES[state](file):
        content, before = file.read_bytes(), describe(file)
        listed = sorted(os.listdir(file.parent))
        server.asked()
        result = agent(f"{METHODS[method]} {option}")
        asked = server.asked()
        assert sorted(os.listdir(file.parent)) == listed
        assert describe(file) == before
        if result.code == 0:
            assert works(agent, source), "the reader has a secret that does not work"
        else:
            assert result.code == 11, result.err
            assert str(file) in result.err
            assert not [line for line in asked if not line.startswith("GET ")]
            assert file.read_bytes() == content
        secret = file.read_bytes()
        agent("keys rotations resume")
        assert file.read_bytes() == secret, "a resume made one more secret"
        assert sorted(os.listdir(file.parent)) == listed


WRITTEN = {
    *("the agent's", "in a setgid directory", "mount point", "immutable directory", "two names"),
    *("directory not writable", "foreign, writable by our group", "foreign, in a sticky directory"),
}
"""States in which no one has to do anything first."""


@NEEDS_ROOT
@pytest.mark.parametrize("state", sorted({*WRITTEN, "own read-only file"}))
def test_what_can_be_written_is_written(agent: CommandLine, folder: Path, state: str) -> None:
    file = folder / "secrets" / "key"
    with STATES[state](file):
        result = agent(f"keys rotate agent --yes --secret-file {file}")
        assert result.code == 0, result.err
        if state == "two names":
            assert (folder / "second-name").read_bytes() == file.read_bytes()


def describe(file: Path) -> tuple[int, int, int, int]:
    """What decides who can read a file."""
    status = file.stat()
    return status.st_uid, status.st_gid, status.st_mode, status.st_nlink


@pytest.mark.sampled
@NEEDS_ROOT
@pytest.mark.parametrize("method", ["in place", "overlap", "leaked"])
@pytest.mark.parametrize("state", JOURNALS)
def test_a_journal_that_cannot_be_kept_is_noticed_before_anything_is_asked(
    agent: CommandLine, server: Server, folder: Path, state: str, method: str
) -> None:
    file = folder / "secrets" / "key"
    content = file.read_bytes()
    journal = folder / "home" / "state" / "rotations"
    journal.mkdir(parents=True)
    with JOURNALS[state](journal):
        server.asked()
        result = agent(f"{METHODS[method]} --secret-file {file}")
    assert result.code == 11, result.err
    assert not [line for line in server.asked() if not line.startswith("GET ")]
    assert file.read_bytes() == content
    assert works(agent, f"file:{file}")


@NEEDS_ROOT
def test_a_transcript_that_cannot_take_its_place_is_refused_before_it_is_read(
    agent: CommandLine, server: Server, folder: Path
) -> None:
    session = agent("sessions create -o name").out.strip()
    file = folder / "secrets" / "key"
    with STATES["mount point"](file):
        server.asked()
        result = agent(f"sessions transcript {session} --output-file {file} --force")
        assert (result.code, server.asked()) == (11, [])
    assert "it is a mount point" in result.err


@NEEDS_ROOT
def test_an_access_list_is_kept(agent: CommandLine, folder: Path) -> None:
    file = folder / "secrets" / "key"
    allow = bytes.fromhex(
        "02000000 01000600ffffffff 02000400d2040000 04000000ffffffff 10000400ffffffff 20000000ffffffff"
    )  # user::rw- user:1234:r-- group::--- mask::r-- other::---
    try:
        os.setxattr(file, "system.posix_acl_access", allow)
    except OSError as exc:
        pytest.skip(f"no access lists here: {exc}")
    assert agent(f"keys rotate agent --yes --secret-file {file}").code == 0
    assert os.getxattr(file, "system.posix_acl_access") == allow


@NEEDS_ROOT
@pytest.mark.parametrize("method", ["in place", "overlap", "leaked"])
def test_a_place_that_fails_although_it_was_tried_leaves_no_secret_and_is_served_by_resume(
    agent: CommandLine,
    folder: Path,
    method: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = folder / "secrets" / "key"
    listed = sorted(os.listdir(file.parent))

    def fail(*_: object) -> None:
        raise OSError(16, os.strerror(16))

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", fail)
        broken.setattr(os, "pwrite", fail)
        result = agent(f"{METHODS[method]} --secret-file {file} -o json")
    assert result.code == 11
    assert sorted(os.listdir(file.parent)) == listed
    command = result.error["command"]
    assert agent(command.removeprefix("spectronctl ")).code == 0
    assert works(agent, f"file:{file}")
    assert sorted(os.listdir(file.parent)) == listed


def test_a_kept_secret_is_moved_as_the_hint_says(
    agent: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "secrets" / "new"
    with monkeypatch.context() as broken:

        def take_the_place(draft: Path, target: Path) -> None:
            target.write_text("theirs\n")
            raise FileExistsError(17, os.strerror(17))

        broken.setattr(os, "link", take_the_place)
        hint = agent(f"keys create fresh --secret-file {file} -o json").error["hint"]
    kept = re.search(r"Move (\S+) to", hint)
    assert kept
    shutil.move(kept[1], file)
    assert works(agent, f"file:{file}")


@pytest.mark.parametrize("code", [1, 13, 18, 22, 31, 38, 95])
def test_a_disk_that_refuses_links_in_any_way_takes_a_new_file(
    agent: CommandLine, folder: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    file = folder / "secrets" / "new"
    assert agent(f"keys create fresh --secret-file {file}").code == 0
    assert works(agent, f"file:{file}")
    assert sorted(os.listdir(file.parent)) == [".env", "key", "new"]


# stdout, and what else is no file on a disk

SHELL = """
exec 2>&1
cd "$1"
spectronctl() { "$PYTHON" -m spectronctl "$@"; }
count() { spectronctl keys list -o name | wc -l; }
spectronctl contexts create c --namespace a --database b -q
export SPECTRON_CONTEXT_ID=c
spectronctl keys create app --secret-file app.key -q -o name
before=$(count)
"""
CHECK = """
echo "exit $?"
[ "$before" = "$(count)" ] && spectronctl keys verify file:app.key -q -o name && echo unchanged
"""
FULL = {
    "device": "{} > /dev/full",
    "closed": "{} >&-",
    "limit": "head -c 2000 /dev/zero > log; (ulimit -f 1; {} >> log)",
    "read only": "{} --secret-file /dev/fd/3 3< app.key",
    "full descriptor": "{} --secret-file /dev/fd/3 3> /dev/full",
    "full device": "{} --secret-file /dev/full",
}


@pytest.mark.sampled
@pytest.mark.parametrize("target", FULL)
@pytest.mark.parametrize("command", ["keys create new", "keys rotate app --yes"])
def test_what_cannot_take_a_secret_is_found_before_anything_is_asked(
    tmp_path: Path, target: str, command: str
) -> None:
    line = FULL[target].format(f"spectronctl {command}")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHON": sys.executable}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "spectronctl", "serve", "exec", "--"),
            *("bash", "-c", SHELL + line + CHECK, "bash", str(tmp_path)),
        ],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1] == "unchanged", done.stdout
    assert "exit 0" not in done.stdout

"""Every child that a command starts, where SIGCHLD was ignored from the start: one that fails has failed."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine

FAILS = "sh -c 'cat > /dev/null; exit 5'"


@pytest.fixture(params=["inherited", "default"])
def sigchld(request: pytest.FixtureRequest) -> Iterator[None]:
    """SIGCHLD is ignored, or not: both must come to the same."""
    action = signal.SIG_IGN if request.param == "inherited" else signal.SIG_DFL
    before = signal.signal(signal.SIGCHLD, action)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.fixture
def acme(acme: CommandLine, sigchld: None) -> CommandLine:
    acme.env["PATH"] = os.environ["PATH"]
    return acme


def test_a_secret_command_that_fails_ends_no_old_key(acme: CommandLine, tmp_path: Path) -> None:
    key = tmp_path / "old.key"
    fails = f"--secret-command {shlex.quote(FAILS)} --yes -o json"
    assert acme(f"keys create app --secret-file {key}").code == 0
    for method in ("--overlap 0s --drain 0s", "--match app --overlap 0s --drain 0s", "--leaked"):
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        words = method if "--match" in method else f"app {method}"
        result = acme(f"keys rotate {words} {fails}")
        assert result.code == 1, method
        assert "failed with exit code 5" in result.err + result.out
        if method != "--leaked":
            acme("keys rotations resume -o json")
            assert acme(f"keys verify file:{key}").code == 0
            rotation = acme("keys rotations list --query '[0].id' -o json").json
            assert acme(f"keys rotations abort {rotation}").code == 0


def test_a_key_whose_command_fails_is_not_said_to_be_stored(acme: CommandLine) -> None:
    result = acme(f"keys create app --secret-command {shlex.quote(FAILS)} -o json")
    assert (result.code, result.out) == (1, "")
    assert "failed with exit code 5" in result.error["message"]


def test_an_editor_that_fails_changes_nothing(acme: CommandLine) -> None:
    result = acme("ontology edit", env={"EDITOR": "false"})
    assert (result.code, result.out) == (1, "")
    assert "failed (1)" in result.err


def test_the_output_of_a_key_command_that_fails_is_no_key(
    acme: CommandLine, tmp_path: Path
) -> None:
    helper = tmp_path / "helper"
    helper.write_text("#!/bin/sh\necho mgmt-x\nexit 3\n")
    helper.chmod(0o700)
    added = acme(f"profiles add h --url http://spectron.test --api-key-command {helper}")
    assert added.code == 0, added.err
    del acme.env["SPECTRON_MANAGEMENT_API_KEY"], acme.env["SPECTRON_URL"]
    result = acme("--profile h contexts list")
    assert result.code == 11
    assert "failed with exit code 3" in result.err


@pytest.mark.parametrize("command", ["serve exec --", "exec --key app --principal agent --"])
def test_the_exit_code_of_a_program_is_passed_on(acme: CommandLine, command: str) -> None:
    assert acme(f"{command} sh -c 'exit 5'").code == 5


STARTED = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "spectronctl", *sys.argv[1:]])
"""


def test_a_process_that_inherits_it_passes_the_exit_code_on_too(tmp_path: Path) -> None:
    words = ["serve", "exec", "--", sys.executable, "-m", "spectronctl", "contexts", "get", "none"]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", STARTED, *words], env=env, capture_output=True, timeout=120
    )
    assert done.returncode == 5, done.stderr

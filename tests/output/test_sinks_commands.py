"""Promises of output/sinks about commands, with real children."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.output.sinks import Sink, _commands, open_sink, read_command

SECRET = "sk-acme-sentinel"
TOKEN = "a-token-of-the-user"
ENV = {"PATH": os.environ["PATH"]}


def open_command(
    line: str, *, env: Mapping[str, str] = ENV, labels: Mapping[str, str] | None = None
) -> Sink:
    sink = open_sink(read_command(line, env), replace=True, env=env, labels=labels)
    sink.reserve()
    return sink


def shell(script: str) -> str:
    return f"sh -c {shlex.quote(script)} {TOKEN}"


def fail(line: str) -> SpectronctlError:
    """The error of a command that fails; it shows neither the secret nor the command's words."""
    with pytest.raises(SpectronctlError) as caught:
        open_command(line).commit(SECRET)
    assert caught.value.exit_code == 1
    shown = json.dumps(caught.value.to_dict()) + repr(caught.value)
    assert SECRET not in shown
    assert TOKEN not in shown
    assert "must not have kept the secret" in str(caught.value.hint)
    return caught.value


def test_the_secret_is_a_line_on_stdin(tmp_path: Path) -> None:
    open_command(shell(f"cat > {tmp_path}/got")).commit(SECRET)
    assert (tmp_path / "got").read_text() == SECRET + "\n"


def test_the_secret_is_in_no_argument_and_no_environment_of_any_process(tmp_path: Path) -> None:
    look = "\n".join(
        [
            "import glob, sys",
            "secret = sys.stdin.read().strip().encode()",
            "seen = []",
            "for name in glob.glob('/proc/[0-9]*/cmdline') + ['/proc/self/environ']:",
            "    try: text = open(name, 'rb').read()",
            "    except OSError: continue",
            "    seen.append(secret in text)",
            f"open({str(tmp_path / 'seen')!r}, 'w').write(f'{{len(seen)}} {{sum(seen)}}')",
        ]
    )
    open_command(f"{sys.executable} -c {shlex.quote(look)}").commit("sk-never-in-an-argument")
    looked, found = (tmp_path / "seen").read_text().split()
    assert int(looked) > 1
    assert found == "0"


def test_the_child_learns_which_key_it_is_as_known_when_it_runs(tmp_path: Path) -> None:
    labels = {"context": "acme", "name": "agent"}
    env = {**ENV, "MINE": "1", "SPECTRONCTL_KEY_ID": "inherited"}
    sink = open_command(shell(f"cat > /dev/null; env > {tmp_path}/env"), env=env, labels=labels)
    labels["id"] = "cak_1"
    sink.commit(SECRET)
    lines = (tmp_path / "env").read_text().splitlines()
    assert {
        "MINE=1",
        "SPECTRONCTL_CONTEXT=acme",
        "SPECTRONCTL_KEY_NAME=agent",
        "SPECTRONCTL_KEY_ID=cak_1",
    } <= set(lines)
    assert not any(line.startswith("HOME=") for line in lines)


def test_no_shell_reads_the_words(tmp_path: Path) -> None:
    script = tmp_path / "deliver"
    script.write_text(f'#!/bin/sh\ncat > /dev/null\nprintf "%s\\n" "$@" > {tmp_path}/args\n')
    script.chmod(0o755)
    open_command(f"{script} '$(id)' ';' '*' 'two words'").commit(SECRET)
    assert (tmp_path / "args").read_text() == "$(id)\n;\n*\ntwo words\n"


PRINT = """
import os, sys
from spectronctl.output.sinks import open_sink, read_command
sink = open_sink(read_command("sh -c 'cat >/dev/null; echo out; echo err >&2'", os.environ),
                 replace=True, env=os.environ)
sink.reserve()
sink.commit("sk-1")
"""


def run_printing(redirect: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {redirect}', sys.executable, PRINT],
        capture_output=True,
        text=True,
        timeout=60,
        env={**ENV, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_what_the_child_prints_is_not_taken_for_the_answer() -> None:
    ended = run_printing()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "out\nerr\n")


def test_the_child_runs_without_a_stderr_too() -> None:
    ended = run_printing("2>&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_child_that_fails_is_named_with_its_code() -> None:
    assert fail(shell("cat > /dev/null; exit 3")).message == "command sh failed with exit code 3"


def test_a_child_that_is_killed_is_named_with_the_signal() -> None:
    message = fail(shell("kill -TERM $$")).message
    assert message == f"command sh was ended by signal {int(signal.SIGTERM)}"


@pytest.mark.parametrize("script", ["exit 0", "exec <&-", f"head -c {len(SECRET) - 1} > /dev/null"])
def test_a_child_that_did_not_read_the_whole_secret_has_failed(script: str) -> None:
    assert fail(shell(script)).message == "command sh ended without reading the secret"


def test_a_child_may_leave_the_line_end() -> None:
    open_command(shell(f"head -c {len(SECRET)} > /dev/null")).commit(SECRET)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    (tmp_path / "deliver").write_bytes(b"\0\1\2")
    (tmp_path / "deliver").chmod(0o755)
    assert fail(f"{tmp_path}/deliver {TOKEN}").message.startswith(
        "command deliver cannot be started: "
    )


def test_a_program_that_has_gone_is_found_before_there_is_a_secret(tmp_path: Path) -> None:
    program = tmp_path / "deliver"
    program.touch(mode=0o755)
    place = read_command(f"{program} {TOKEN}", ENV)
    for mode in (0o644, None):
        program.unlink() if mode is None else program.chmod(mode)
        with pytest.raises(UsageError) as caught:
            open_sink(place, replace=True, env=ENV).reserve()
        assert str(program) in caught.value.message
        assert TOKEN not in caught.value.message


def test_a_script_without_its_interpreter_is_found_before_there_is_a_secret(tmp_path: Path) -> None:
    program = tmp_path / "deliver"
    program.write_text("#! /no/such/shell -e\ncat\n")
    program.chmod(0o755)
    with pytest.raises(UsageError, match="/no/such/shell"):
        open_command(str(program))


def test_a_child_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_commands, "COMMAND_SECONDS", 0.3)
    begun = time.monotonic()
    message = fail(shell(f"echo $$ > {tmp_path}/pid; exec sleep 60")).message
    assert time.monotonic() - begun < 30
    assert message == "command sh was killed: not done within 0.3 s"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_child_that_leaves_another_behind_is_done() -> None:
    open_command(shell("cat > /dev/null; sleep 5 &")).commit(SECRET)


def test_a_secret_that_fits_in_no_pipe_is_an_error() -> None:
    with pytest.raises(SpectronctlError, match="longer than"):
        open_command("cat").commit("x" * 4096)


def test_a_command_cannot_be_read_back() -> None:
    assert open_command("cat").read() is None

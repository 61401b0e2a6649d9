from __future__ import annotations

import hashlib
import os
import signal
import sys
from pathlib import Path
from time import monotonic

import pytest

from spectronctl.config.credentials import (
    COMMAND_SECONDS,
    Credential,
    digest,
    file_credential,
)
from spectronctl.errors import ConfigError

SECRET = "mgmt-SENTINEL"
PYTHON = sys.executable


def read_nothing(purpose: str) -> str:
    raise AssertionError(f"stdin was read for {purpose}")


def run(*code: str) -> Credential:
    return Credential("command", "profile prod, api_key_command", (PYTHON, "-c", *code))


def fail(
    credential: Credential, env: dict[str, str] | None = None, *, seconds: float = COMMAND_SECONDS
) -> str:
    with pytest.raises(ConfigError) as caught:
        credential.read(env or {}, read_nothing, seconds=seconds)
    error = caught.value
    assert "SENTINEL" not in str(error.to_dict())
    assert error.__cause__ is None or "SENTINEL" not in repr(error.__cause__)
    return error.message


def test_every_kind_of_credential_gives_its_key_without_white_space(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"\ufeff{SECRET}\r\n\n")
    env = {"KEY": f" {SECRET}\n", "HOME": str(tmp_path)}
    assert Credential("literal", "--api-key", f" {SECRET} ").read(env, read_nothing) == SECRET
    assert Credential("env", "profile a, api_key_env", "KEY").read(env, read_nothing) == SECRET
    assert file_credential(str(file), "--api-key-file").read(env, read_nothing) == SECRET
    assert file_credential("~/key", "--api-key-file").read(env, read_nothing) == SECRET
    assert run(f"print('{SECRET}')").read(env, read_nothing) == SECRET


def test_a_dash_reads_stdin_and_says_what_for() -> None:
    purposes = []

    def read_stdin(purpose: str) -> str:
        purposes.append(purpose)
        return f"{SECRET}\n"

    assert file_credential("-", "--api-key-file").read({}, read_stdin) == SECRET
    assert purposes == ["--api-key-file -"]


def test_stdin_that_is_no_text_is_a_clear_error() -> None:
    def read_stdin(purpose: str) -> str:
        return b"\xff".decode()

    with pytest.raises(ConfigError, match="no text can be read from standard input"):
        file_credential("-", "--api-key-file").read({}, read_stdin)


def test_the_repr_never_shows_the_secret() -> None:
    credential = Credential("literal", "--api-key", SECRET)
    assert "SENTINEL" not in repr(credential)
    assert "--api-key" in repr(credential)


def test_only_a_key_typed_as_a_flag_is_visible_to_others() -> None:
    assert Credential("literal", "--api-key", SECRET).is_visible
    assert not Credential("literal", "profile prod, api_key", SECRET).is_visible
    assert not Credential("env", "SPECTRON_API_KEY", "SPECTRON_API_KEY").is_visible


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("SENTINEL\nb", "line break inside"),
        ("SENTINEL\rb", "line break inside"),
        ("SENTINEL\x1b[0m", "control character"),
        ("SENTINEL\x00", "control character"),
        ("SENTINEL\u2013x", "outside ASCII"),
    ],
)
def test_a_key_unfit_for_a_header_is_refused_with_its_source(text: str, problem: str) -> None:
    message = fail(Credential("env", "SPECTRON_API_KEY", "K"), {"K": text})
    assert "SPECTRON_API_KEY" in message
    assert problem in message


def test_an_unset_variable_is_named() -> None:
    assert "PROD_KEY is not set" in fail(Credential("env", "profile a, api_key_env", "PROD_KEY"))


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    assert path in fail(file_credential(path, "--api-key-file"))


def test_a_file_far_too_long_for_a_key_is_not_read_to_its_end() -> None:
    assert "too long" in fail(file_credential("/dev/zero", "--api-key-file"))


def test_a_binary_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"SENTINEL\xff")
    assert "is not text" in fail(file_credential(str(path), "--api-key-file"))


def test_a_failing_command_tells_its_exit_code_and_nothing_it_printed() -> None:
    message = fail(run("import sys; print('SENTINEL'); sys.exit(3)"))
    assert "exit code 3" in message
    assert "profile prod" in message


def test_a_command_ended_by_a_signal_says_so() -> None:
    assert "signal 9" in fail(run("import os; os.kill(os.getpid(), 9)"))


def test_a_command_that_is_not_there_is_named() -> None:
    credential = Credential("command", "profile a, api_key_command", ("no-such-program",))
    assert "no-such-program cannot be run" in fail(credential, {"PATH": "/nowhere"})


def test_a_command_that_hangs_is_ended() -> None:
    hanging = run("import time; print('SENTINEL', flush=True); time.sleep(60)")
    message = fail(hanging, seconds=0.5)
    assert "no key within 0.5 s" in message


@pytest.mark.parametrize(
    "held", ["stdout=1", "stdout=1, stdin=0, stderr=2, start_new_session=True"]
)
def test_a_child_that_a_command_leaves_behind_is_not_waited_for(held: str, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    leave = f"import subprocess; print(subprocess.Popen(['sleep', '60'], {held}).pid, file=open({str(note)!r}, 'w'))"
    credential = run(f"print('k' * 40_000, flush=True); {leave}")
    started = monotonic()
    assert credential.read({"PATH": os.environ["PATH"]}, read_nothing) == "k" * 40_000
    os.kill(int(note.read_text()), signal.SIGKILL)
    assert monotonic() - started < 30


def test_a_command_runs_without_a_shell_in_the_given_environment() -> None:
    credential = run("import os, sys; print(os.environ['WHO'] + sys.argv[1])", "$HOME;x")
    assert credential.read({"WHO": "ada"}, read_nothing) == "ada$HOME;x"


def test_the_stderr_of_a_command_passes_through(capfd: pytest.CaptureFixture[str]) -> None:
    run("import sys; print('k'); print('touch the token', file=sys.stderr)").read({}, read_nothing)
    assert capfd.readouterr().err == "touch the token\n"


def test_a_digest_is_twelve_hex_digits_of_the_sha256() -> None:
    assert digest(SECRET) == "sha256:" + hashlib.sha256(SECRET.encode()).hexdigest()[:12]

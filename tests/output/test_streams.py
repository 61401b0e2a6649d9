"""Promises of output/streams.py."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spectronctl.ground.vocabulary import Color
from spectronctl.output.streams import Streams
from tests.support.streams import Capture, Terminal


@pytest.mark.parametrize(
    ("color", "env", "expected"),
    [
        ("auto", {}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "0"}, True),  # force-color.org: whatever its value
        ("auto", {"FORCE_COLOR": ""}, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_a_pipe_has_colour_only_when_it_is_forced(
    color: Color, env: dict[str, str], expected: bool
) -> None:
    streams = Capture(env).streams
    assert streams.colors_stdout(color) is expected
    assert streams.colors_stderr(color) is expected


@pytest.mark.parametrize(
    ("color", "env", "expected"),
    [
        ("auto", {}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"NO_COLOR": ""}, True),
        ("auto", {"TERM": "dumb"}, False),
        ("auto", {"CI": "true"}, False),
        ("always", {"TERM": "dumb", "NO_COLOR": "1"}, True),
        ("never", {}, False),
    ],
)
def test_a_terminal_has_colour_unless_it_is_refused(
    color: Color, env: dict[str, str], expected: bool
) -> None:
    with Terminal(env) as terminal:
        assert terminal.streams.colors_stdout(color) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("true", True),
        ("1", True),
        ("woodpecker", True),
        ("", False),
        ("0", False),
        ("False", False),
    ],
)
def test_ci_is_what_the_variable_says(value: str, expected: bool) -> None:
    assert Capture({"CI": value}).streams.in_ci is expected


def test_a_question_needs_a_terminal_at_both_ends_and_no_one_forbidding_it() -> None:
    with Terminal() as terminal, Terminal({"CI": "1"}) as ci:
        person = terminal.streams
        piped = Capture().streams
        assert person.can_ask(no_input=False)
        assert not person.can_ask(no_input=True)
        assert not ci.streams.can_ask(no_input=False)
        assert not Streams(piped.stdin, person.stdout, person.stderr, {}).can_ask(no_input=False)
        assert not Streams(person.stdin, person.stdout, piped.stderr, {}).can_ask(no_input=False)
        assert Streams(person.stdin, piped.stdout, person.stderr, {}).can_ask(no_input=False)


def test_the_width_is_the_variable_then_the_terminal_then_eighty() -> None:
    with Terminal({}, width=123) as terminal, Terminal({"COLUMNS": "77"}, width=123) as told:
        assert terminal.streams.width == 123
        assert told.streams.width == 77
    with Terminal({"COLUMNS": "0"}, width=0) as unknown:
        assert unknown.streams.width == 80
    assert Capture().streams.width == 80


def test_bytes_come_after_the_text_written_before_and_ignore_the_locale() -> None:
    capture = Capture(encoding="ascii")
    capture.streams.stdout.write("first ")
    capture.streams.write_output(io.BytesIO("東京".encode()))
    assert capture.stdout == "first 東京"


def test_a_stream_without_bytes_takes_text() -> None:
    out = io.StringIO()
    Streams(io.StringIO(), out, out, {}).write_output(io.BytesIO("é\n".encode()))
    assert out.getvalue() == "é\n"


def test_a_message_that_cannot_be_written_is_no_failure() -> None:
    closed = io.StringIO()
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        closed.write("this would fail")
    Streams(closed, closed, closed, {}).write_message("not heard")


def run_script(tmp_path: Path, body: str, shell: str) -> subprocess.CompletedProcess[str]:
    """Run a script that has `streams`, through a line of shell that names it "$@"."""
    script = tmp_path / "script.py"
    script.write_text(
        "import io, os, sys\n"
        "from spectronctl.output.streams import Streams\n"
        "streams = Streams(sys.stdin, sys.stdout, sys.stderr, os.environ)\n" + body
    )
    return subprocess.run(
        ["/bin/bash", "-c", shell, "bash", sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
    )


LONG = "streams.write_output(io.BytesIO(b'line of an answer\\n' * 100_000))\n"


@pytest.mark.parametrize("unbuffered", ["", "PYTHONUNBUFFERED=1 "])
def test_a_reader_who_leaves_early_ends_the_run_quietly(tmp_path: Path, unbuffered: str) -> None:
    ended = run_script(tmp_path, LONG, f'{unbuffered}"$@" | head -1; exit "${{PIPESTATUS[0]}}"')
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "line of an answer\n"


def test_text_that_others_printed_ends_quietly_too(tmp_path: Path) -> None:
    body = "import time; time.sleep(0.3); print('help' * 10)\nstreams.flush_output()\n"
    ended = run_script(tmp_path, body, '"$@" | true; exit "${PIPESTATUS[0]}"')
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_broken_pipe_while_printing_can_be_ended_quietly(tmp_path: Path) -> None:
    body = (
        "try:\n    print('help' * 1_000_000)\n    sys.stdout.flush()\n"
        "except BrokenPipeError:\n    streams.close_quietly()\n"
    )
    ended = run_script(tmp_path, body, '"$@" | true; exit "${PIPESTATUS[0]}"')
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
@pytest.mark.parametrize(("target", "reason"), [("> /dev/full", "No space"), (">&-", "Bad file")])
def test_an_answer_that_stdout_does_not_take_is_an_error(
    tmp_path: Path, target: str, reason: str
) -> None:
    body = "from spectronctl.errors import SpectronctlError\n"
    body += "try:\n    " + LONG + "except SpectronctlError as exc:\n"
    body += "    print(exc, file=sys.stderr)\n    sys.exit(exc.exit_code)\n"
    ended = run_script(tmp_path, body, f'"$@" {target}')
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"cannot write the result to stdout: {reason}")
    assert ended.stderr.count("\n") == 1  # and nothing from the interpreter at exit

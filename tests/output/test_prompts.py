"""Promises of output/prompts.py, on real pseudo-terminals."""

from __future__ import annotations

import sys
from pathlib import Path

import pexpect
import pytest

from spectronctl.errors import DeclinedError, UsageError
from spectronctl.output.prompts import confirm, confirm_by_name
from tests.support.streams import Capture, Terminal

NOTHING = "Nothing was deleted."
END_OF_INPUT = "\x04"


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "yes\n", " YES \n"])
def test_a_person_who_agrees_goes_on(answer: str) -> None:
    with Terminal(typed=answer) as terminal:
        confirm(terminal.streams, "Delete acme?", yes=False, no_input=False, declined=NOTHING)
    assert "Delete acme? [y/N] " in terminal.shown


@pytest.mark.parametrize("answer", ["\n", "n\n", "yep\n", "delete\n", END_OF_INPUT])
def test_any_other_answer_declines(answer: str) -> None:
    with Terminal(typed=answer) as terminal, pytest.raises(DeclinedError) as caught:
        confirm(terminal.streams, "Delete acme?", yes=False, no_input=False, declined=NOTHING)
    assert caught.value.message == NOTHING


def test_yes_asks_no_one() -> None:
    capture = Capture()
    confirm(capture.streams, "Delete acme?", yes=True, no_input=True)
    assert (capture.stdout, capture.stderr) == ("", "")


def test_no_one_there_is_a_usage_error_that_names_yes() -> None:
    with pytest.raises(UsageError) as caught:
        confirm(Capture().streams, "Delete acme?", yes=False, no_input=False)
    assert "--yes" in str(caught.value.hint)
    with Terminal() as terminal, pytest.raises(UsageError):
        confirm(terminal.streams, "Delete acme?", yes=False, no_input=True)
    assert terminal.shown == ""


def test_a_question_cannot_move_the_cursor() -> None:
    with Terminal(typed="y\n") as terminal:
        confirm(terminal.streams, "Delete \x1b[2Jacme?", yes=False, no_input=False)
    assert "Delete \\x1b[2Jacme?" in terminal.shown


def test_the_right_name_goes_on_who_gives_it() -> None:
    confirm_by_name(Capture().streams, "acme", given="acme", no_input=True)
    with Terminal(typed="acme\n") as terminal:
        confirm_by_name(
            terminal.streams, "acme", given=None, no_input=False, question="Delete acme?"
        )
    assert "Delete acme?" in terminal.shown
    assert "Type acme to go ahead: " in terminal.shown


@pytest.mark.parametrize("answer", ["acm\n", "y\n", "\n", "ACME\n", END_OF_INPUT])
def test_another_name_typed_declines(answer: str) -> None:
    with Terminal(typed=answer) as terminal, pytest.raises(DeclinedError, match=NOTHING):
        confirm_by_name(terminal.streams, "acme", given=None, no_input=False, declined=NOTHING)


def test_another_name_given_is_a_usage_error_even_with_a_person_there() -> None:
    with Terminal() as terminal, pytest.raises(UsageError, match=r"'acne'.*'acme'"):
        confirm_by_name(terminal.streams, "acme", given="acne", no_input=False)
    assert terminal.shown == ""


def test_no_one_to_type_a_name_is_a_usage_error_that_names_confirm() -> None:
    with pytest.raises(UsageError) as caught:
        confirm_by_name(Capture().streams, "acme", given=None, no_input=False)
    assert "--confirm acme" in str(caught.value.hint)


SCRIPT = """
import os, sys
from spectronctl.output.streams import Streams
from spectronctl.output.prompts import confirm
streams = Streams(sys.stdin, sys.stdout, sys.stderr, {})
try:
    confirm(streams, "Delete acme?", yes=False, no_input=False)
except KeyboardInterrupt:
    sys.exit(130)
print("went on")
"""


@pytest.mark.parametrize(("key", "code", "says"), [("\x03", 130, b""), ("y\n", 0, b"went on")])
def test_a_person_at_a_terminal_answers_or_interrupts(
    tmp_path: Path, key: str, code: int, says: bytes
) -> None:
    script = tmp_path / "ask.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    child = pexpect.spawn(sys.executable, [str(script)], env={"PYTHONPATH": root}, timeout=30)
    child.expect_exact("[y/N] ")
    child.send(key)
    child.expect(pexpect.EOF)
    assert says in (child.before or b"")
    child.close()
    assert child.exitstatus == code

"""The pager: what a person gets it for, what it gets, and what its end means."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from spectronctl.output import Output
from spectronctl.output.paging import Pager
from tests.support.commandline import SENTINEL, CommandLine
from tests.support.streams import Capture, Terminal

LONG = "".join(f"line {n}\n" for n in range(500))
FITS = "".join(f"line {n}\n" for n in range(23))
WRAPS = "wide " * 400 + "\n"
"""One line that takes 25 of the terminal."""


@pytest.fixture
def pager(tmp_path: Path) -> str:
    """A program that keeps all that it is given: text and environment."""
    program = tmp_path / "my pager"
    program.write_text(
        f"#!{sys.executable}\nimport os, sys, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'read')!r}).write_bytes(sys.stdin.buffer.read())\n"
        f"pathlib.Path({str(tmp_path / 'env')!r}).write_text(repr(dict(os.environ)))\n"
        "print('PAGED', *sys.argv[1:])\n"
    )
    program.chmod(0o755)
    return f"'{program}'"


def show(text: str, env: Mapping[str, str], *, format: str = "text") -> str:
    with Terminal(env) as terminal:
        pager = Pager(terminal.streams, lambda: env)
        Output("table", terminal.streams, pager=pager).text(_split(text), format=format)
    return terminal.shown


def _split(text: str) -> Iterator[str]:
    return iter(text.splitlines(keepends=True))


@pytest.mark.parametrize("format", ["text", "markdown"])
@pytest.mark.parametrize("text", [LONG, WRAPS, LONG * 2000], ids=["long", "wraps", "on disk"])
def test_long_text_is_shown_in_the_pager(
    pager: str, tmp_path: Path, text: str, format: str
) -> None:
    assert show(text, {"PAGER": f"{pager} -x"}, format=format) == "PAGED -x\n"
    assert (tmp_path / "read").read_text() == text
    assert "'LESS': 'FRX'" in (tmp_path / "env").read_text()


def test_what_the_environment_says_to_less_counts(pager: str, tmp_path: Path) -> None:
    show(LONG, {"PAGER": pager, "LESS": "-i"})
    assert "'LESS': '-i'" in (tmp_path / "env").read_text()


@pytest.mark.parametrize(
    "env",
    [
        {"SPECTRONCTL_PAGER": ""},
        {"SPECTRONCTL_PAGER": "cat"},
        {"SPECTRONCTL_PAGER": "'open"},
        {"SPECTRONCTL_PAGER": "/no/such/pager"},
        {"SPECTRONCTL_PAGER": "sh -c 'exec /no/such/pager 2>&-'"},
        {"CI": "1"},
        {"TERM": "dumb"},
    ],
)
@pytest.mark.parametrize("text", [LONG, LONG * 2000], ids=["long", "on disk"])
def test_without_a_pager_all_of_it_is_written(pager: str, env: dict[str, str], text: str) -> None:
    assert show(text, {"PAGER": pager, "PATH": "/usr/bin:/bin", **env}) == text


def test_ours_comes_before_the_common_one(pager: str) -> None:
    assert show(LONG, {"PAGER": "cat", "SPECTRONCTL_PAGER": pager}) == "PAGED\n"
    assert show(LONG, {"PAGER": ""}) == LONG


def test_what_fits_is_written_as_it_is(pager: str) -> None:
    assert show(FITS, {"PAGER": pager}) == FITS
    colored = "".join(f"\x1b[1;31m{'x' * 70}\x1b[0m\n" for _ in range(23))
    assert show(colored, {"PAGER": pager}, format="text") == colored


@pytest.mark.parametrize("format", ["json", "jsonl", "csv", "html", "table"])
def test_what_is_for_a_program_or_a_glance_is_not_paged(pager: str, format: str) -> None:
    text = "[]\n" * 100
    assert show(text, {"PAGER": pager}, format=format) == text


def test_to_leave_it_before_the_end_is_no_failure() -> None:
    assert show(LONG * 2000, {"PAGER": "head -n 1", "PATH": "/usr/bin:/bin"}) == "line 0\n"
    shown = show(LONG, {"PAGER": "sh -c 'exit 3'", "PATH": "/usr/bin:/bin"})
    assert shown == ""


def test_a_pipe_is_not_paged(pager: str) -> None:
    capture = Capture({"PAGER": pager})
    Output("table", capture.streams, pager=Pager(capture.streams, dict)).text([LONG])
    assert capture.stdout == LONG


def test_a_long_transcript_is_paged_and_its_pager_finds_no_key(
    run: CommandLine, pager: str, tmp_path: Path
) -> None:
    assert run("contexts create paged --namespace n --database d").code == 0
    run.env |= {"PAGER": pager, "SPECTRONCTL_STORE_PASSWORD": SENTINEL}
    run.env["SPECTRON_CONTEXT_ID"] = "paged"
    session = run("sessions create -o name").out.strip()
    turns = "".join(f'{{"role": "user", "content": "turn {n}"}}\n' for n in range(40))
    assert run(f"sessions import --session {session} -", stdin=turns).code == 0, session
    for form, is_paged in [("", True), ("--format markdown", True), ("-o json", False)]:
        with Terminal() as terminal:
            result = run(f"sessions transcript {session} {form}", stdout=terminal.streams.stdout)
            assert result.code == 0, result.err
        assert ("PAGED" in terminal.shown) is is_paged, form
    assert "turn 39" in (tmp_path / "read").read_text()
    assert SENTINEL not in (tmp_path / "env").read_text()

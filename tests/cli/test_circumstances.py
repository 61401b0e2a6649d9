"""What a machine runs out of while a command works is an error with a way out, and no defect."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from spectronctl.cli.circumstances import explain_circumstance


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "file descriptors"),
        (OSError(errno.ENFILE, "Too many open files in system"), "file descriptors"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "threads"),
        (RuntimeError("can't start new thread"), "threads"),
        (MemoryError(), "memory"),
    ],
)
def test_an_exhausted_limit_is_told_with_the_limit(exc: Exception, words: str) -> None:
    told = explain_circumstance(exc)
    assert told is not None
    assert words in told.message
    assert told.hint


def test_a_directory_that_was_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert explain_circumstance(FileNotFoundError(errno.ENOENT, "No such file")) is None
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")
    told = explain_circumstance(FileNotFoundError(errno.ENOENT, "No such file"))
    assert told is not None
    assert told.message == "the current directory no longer exists"


def test_a_defect_stays_one() -> None:
    assert explain_circumstance(RuntimeError("anything else")) is None

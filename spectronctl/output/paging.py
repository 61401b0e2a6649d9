"""A pager for long text that a person reads at a terminal."""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO

from spectronctl.ground.programs import leave_interrupts_to_child, run_program
from spectronctl.output.cells import measure
from spectronctl.output.streams import Streams

_CHOSEN = ("SPECTRONCTL_PAGER", "PAGER")
_DEFAULT = "less"
_LESS = "FRX"
"""As git has it: end where the text fits, show colours, and leave the text on the screen."""

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_NOT_STARTED = {126, 127}
"""Exit codes of a shell, or of `env`, that found no program."""


class Pager:
    """What `SPECTRONCTL_PAGER` or `PAGER` names, or less; `make_env` makes an environment for it, without keys."""

    def __init__(self, streams: Streams, make_env: Callable[[], Mapping[str, str]]) -> None:
        self._streams = streams
        self._make_env = make_env

    def show(self, text: IO[bytes]) -> bool:
        """Let a person read a file of text from its beginning; False when it is to be written to stdout instead."""
        words, terminal = self._find_words(), self._find_terminal()
        if not words or terminal is None or not _is_long(text, os.get_terminal_size(terminal)):
            return False
        env = {"LESS": _LESS, **self._make_env()}
        try:
            # A file, not a pipe: to leave before the end is no failure, and no writer is left to wait.
            with leave_interrupts_to_child(), _at_beginning(text.fileno()) as stdin:
                code = run_program(words, stdin=stdin, stdout=terminal, env=env)
        except (
            ChildProcessError
        ):  # its exit code cannot be known, and would say nothing of what was read
            return True
        except (OSError, ValueError):
            return False
        return code not in _NOT_STARTED

    def _find_words(self) -> list[str]:
        """The command line of the pager; empty where none is wanted."""
        env = self._streams.env
        if self._streams.in_ci or env.get("TERM") == "dumb":
            return []
        chosen = next((env[name] for name in _CHOSEN if name in env), _DEFAULT)
        words: list[str] = []
        with suppress(ValueError):  # a quote that is never closed
            words = shlex.split(chosen)
        return [] if words == ["cat"] else words

    def _find_terminal(self) -> int | None:
        """The terminal's descriptor; None where no person looks at stdout."""
        if not self._streams.stdout_is_terminal:
            return None
        try:
            return self._streams.stdout.fileno()
        except io.UnsupportedOperation:  # memory that passes for a terminal
            return None


@contextmanager
def _at_beginning(descriptor: int) -> Iterator[int]:
    """Python's own place in the file is where its buffer ends, and must be found there again."""
    before = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        yield descriptor
    finally:
        os.lseek(descriptor, before, os.SEEK_SET)


def _is_long(text: IO[bytes], screen: os.terminal_size) -> bool:
    """Whether the screen cannot hold it all, with a line left for the prompt."""
    left = screen.lines - 1
    for line in text:
        cells = measure(_COLOR.sub("", line.decode("utf-8", "replace").rstrip("\n")))
        left -= max(1, -(-cells // max(1, screen.columns)))
        if left < 0:
            break
    text.seek(0)
    return left < 0 < screen.lines

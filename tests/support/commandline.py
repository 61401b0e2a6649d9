"""The command line run in this process: values in, values out."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import httpx

from spectronctl.cli import main
from spectronctl.cli.runtime import Runtime
from spectronctl.output.streams import Streams

SENTINEL = "sentinel-8d1f-never-shown"
"""A marked secret: it may appear nowhere but where a secret is meant to go."""


class Stream(io.TextIOWrapper):
    """A text stream over bytes that can claim to be a terminal."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8", newline="")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def written(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


@dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error object of `-o json`; there is exactly one line of it."""
        (line,) = self.err.splitlines()
        return json.loads(line)


@dataclass
class CommandLine:
    """Runs command lines in this process, with values in and values out, in an emptied environment."""

    home: Path
    transport: httpx.BaseTransport | None = None
    env: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        line: str,
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        terminal: bool = False,
        stdout: TextIO | None = None,
        has_stdin: bool = True,
    ) -> Result:
        """Run a line; what it prints to a `stdout` of the caller's is not in the result."""
        whole = {"HOME": str(self.home), **self.env, **(env or {})}
        out, err = Stream(terminal=terminal), Stream(terminal=terminal)
        runtime = Runtime(
            env=whole,
            streams=Streams(
                Stream(stdin, terminal=terminal) if has_stdin else None,  # type: ignore[arg-type]
                stdout or out,
                err,
                whole,
            ),
            transport=self.transport,
        )
        with redirect_stdout(stdout or out), redirect_stderr(err):
            code = main(shlex.split(line), runtime)
        return Result(code, out.written(), err.written())

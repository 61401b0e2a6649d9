"""Say that a process of the server is ready: a line of JSON on stdout, and in a file for as long as it runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spectronctl.errors import ConfigError


@contextmanager
def announce_ready(ready_file: Path | None) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """
    What it yields writes the line, once, with the fields that it is given.

    Neither an earlier process's file nor ours may be taken for a process that runs. ConfigError for one that cannot
    be written.
    """

    def announce(fields: Mapping[str, Any]) -> None:
        line = json.dumps({"event": "ready", **fields, "pid": os.getpid()}) + "\n"
        if ready_file is not None:
            _write_atomically(ready_file, line)
        sys.stdout.write(line)
        sys.stdout.flush()

    if ready_file is None:
        yield announce
        return
    ready_file.unlink(missing_ok=True)
    try:
        yield announce
    finally:
        ready_file.unlink(missing_ok=True)


def _write_atomically(path: Path, text: str) -> None:
    draft = path.with_name(
        f".{path.name}.new"
    )  # the next process writes over what a killed one left
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"cannot write the ready file {path}: {error.strerror}") from error

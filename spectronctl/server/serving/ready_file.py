"""Say that a process of the server is ready: a line of JSON on stdout, and in a file for as long as it runs."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spectronctl.errors import ConfigError
from spectronctl.ground.disk import replace_file

_log = logging.getLogger(__name__)


@contextmanager
def announce_ready(
    ready_file: Path | None, *, for_person: bool = False
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """
    What it yields writes the line, once, with the fields that it is given; `for_person`, in words, to stdout.

    Neither an earlier process's file nor ours may be taken for a process that runs. ConfigError for one that cannot
    be written; the log tells of one that cannot be removed in the end.
    """

    def announce(fields: Mapping[str, Any]) -> None:
        line = json.dumps({"event": "ready", **fields, "pid": os.getpid()}) + "\n"
        if ready_file is not None:
            _write_atomically(ready_file, line)
        sys.stdout.write(_describe(fields) if for_person else line)
        sys.stdout.flush()

    if ready_file is None:
        yield announce
        return
    with _explain_failure(ready_file):
        # Before the server starts: a file that a killed process left would tell that this one is ready.
        ready_file.unlink(missing_ok=True)
    try:
        yield announce
    finally:
        try:
            ready_file.unlink(missing_ok=True)
        except OSError as error:  # what went wrong before counts more
            _log.warning("cannot remove the ready file %s: %s", ready_file, error.strerror)


def _describe(fields: Mapping[str, Any]) -> str:
    listens = f"Spectron listens on {fields['url']}" if "url" in fields else "The worker is ready"
    return f"{listens}, on the store {fields['store']}.\nPress Ctrl-C to stop it.\n"


def _write_atomically(path: Path, text: str) -> None:
    draft = path.with_name(
        f".{path.name}.new"
    )  # which the next process takes over from a killed one
    with _explain_failure(path):
        replace_file(path, text.encode(), draft=draft, mode=0o666, durable=False)


@contextmanager
def _explain_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"cannot write the ready file {path}: {error.strerror}") from error

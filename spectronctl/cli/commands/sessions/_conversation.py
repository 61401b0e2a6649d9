"""The conversation that an import reads: from a file, which is looked through first, or as it comes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from spectronctl.errors import UsageError
from spectronctl.operations.conversations import read_messages

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.facts import Message


@dataclass(frozen=True)
class Conversation:
    """Messages, how many there are where that can be known, and what tells their source from another."""

    messages: Iterator[Message]
    total: int | None
    source: str


@contextmanager
def open_conversation(rt: Runtime, name: str) -> Iterator[Conversation]:
    """
    Open a file, or stdin for `-`.

    UsageError names the line that is broken: of a file at once, of what can be read only once when it is its turn.
    """
    if name == "-":
        yield Conversation(_read(rt.open_stdin("FILE"), "stdin"), None, name)
        return
    try:
        file = open(name, "rb")  # noqa: SIM115 - closed below; only a failure to open is a usage error
    except OSError as exc:
        raise UsageError(f"{name}: {exc.strerror}") from None
    with file:
        total = None
        if file.seekable():
            total = sum(1 for _ in _read(file, name))
            file.seek(0)
        yield Conversation(_read(file, name), total, os.path.realpath(name))


def _read(file: BinaryIO, name: str) -> Iterator[Message]:
    return read_messages(_decode(file, name), name)


def _decode(lines: Iterable[bytes], name: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise UsageError(f"{name}, line {number}: not UTF-8") from None

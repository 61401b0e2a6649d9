"""A multipart body, written out as it is sent: of a file there is never more in memory than a piece."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from spectronctl.api.requests import Part
from spectronctl.client._httpx import httpx
from spectronctl.errors import UsageError

PIECE_BYTES = 1 << 16

_TYPE = re.compile(r"[\x21-\x7e]+/[\x20-\x7e]+")
_ESCAPES = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


class UnsendableError(httpx.LocalProtocolError):
    """A body that could not be sent to its end, so the server cannot take it for a whole one."""


class Multipart:
    """
    The pieces of a body, each time it is iterated over.

    UsageError for a part that cannot be sent, UnsendableError for a file that changes under way.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        # 128 random bits instead of a search through the content: a file is read once, when it is sent.
        boundary = token_hex(16)
        self._parts = [_Part(part, boundary) for part in parts]
        self._end = f"--{boundary}--\r\n".encode()
        self._is_touched = False
        self.headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            **self._describe_length(),
        }

    @property
    def can_be_sent(self) -> bool:
        """Whether all of it is there still: what came through a pipe is gone once it was read."""
        return not self._is_touched or all(part.can_rewind for part in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        self._is_touched = True
        for part in self._parts:
            yield from part.write()
        yield self._end

    def _describe_length(self) -> Mapping[str, str]:
        sizes = [part.size for part in self._parts]
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return {"Transfer-Encoding": "chunked"}
        # httpx sends an iterator in chunks unless it finds a length set.
        return {"Content-Length": str(sum(known) + len(self._end))}


class _Part:
    def __init__(self, part: Part, boundary: str) -> None:
        self._name = part.name
        content = part.content
        self._content = _encode(content, part.name) if isinstance(content, str) else content
        self._start = 0
        self._head = _format_head(part, boundary)
        self._content_size = self._measure()

    @property
    def size(self) -> int | None:
        """Bytes of the whole part; None where that shows only at its end."""
        inner = self._content_size
        return None if inner is None else len(self._head) + inner + len(b"\r\n")

    @property
    def can_rewind(self) -> bool:
        is_file = isinstance(self._content, Path) and self._content.is_file()
        return is_file or self._content_size is not None

    def write(self) -> Iterator[bytes]:
        yield self._head
        if isinstance(self._content, bytes):
            yield self._content
        else:
            yield from self._read()
        yield b"\r\n"

    def _measure(self) -> int | None:
        content = self._content
        if isinstance(content, bytes):
            return len(content)
        if isinstance(content, Path):
            return _measure_file(self._name, content)
        if not content.seekable():
            return None
        self._start = content.tell()
        size = content.seek(0, os.SEEK_END) - self._start
        content.seek(self._start)
        return max(size, 0)

    def _read(self) -> Iterator[bytes]:
        left = self._content_size
        try:
            with self._open() as stream:
                # No more than was announced: a log that grows while it is sent would run over the Content-Length,
                # into the next request.
                while left != 0 and (piece := stream.read(_choose_size(left))):
                    left = None if left is None else left - len(piece)
                    yield piece
        except OSError as exc:
            raise UnsendableError(f"part {self._name}: it cannot be read: {exc.strerror}") from exc
        if left:
            # The connection is closed with bytes still due. So the server cannot take this for a whole request.
            raise UnsendableError(f"part {self._name}: it became shorter while it was sent")

    def _open(self) -> AbstractContextManager[BinaryIO]:
        assert not isinstance(self._content, bytes)
        if isinstance(self._content, Path):
            return self._content.open("rb")
        if self._content.seekable():
            self._content.seek(self._start)
        return nullcontext(self._content)


def _choose_size(left: int | None) -> int:
    return PIECE_BYTES if left is None else min(left, PIECE_BYTES)


def _measure_file(name: str, path: Path) -> int | None:
    """Only looked at: a pipe's writer would take it for its reader's end, were it opened and closed."""
    try:
        found = path.stat()
    except OSError as exc:
        raise UsageError(f"part {name}: {path}: {exc.strerror}") from None
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"part {name}: {path}: it is a directory")
    # Asked before anything is sent: found out half-way, it would break the connection. What changes after this is
    # found by `_read`.
    if not os.access(path, os.R_OK):
        raise UsageError(f"part {name}: {path}: permission denied")
    # The files in /proc say 0, whatever is in them.
    return (found.st_size or None) if stat.S_ISREG(found.st_mode) else None


def _format_head(part: Part, boundary: str) -> bytes:
    filename, kind = part.filename, part.type
    if filename is None and isinstance(part.content, Path):
        filename = part.content.name
    if kind is None and filename is not None:
        kind = "application/octet-stream"
    # A line break in it would add headers of the caller's choice to the part.
    if kind is not None and not _TYPE.fullmatch(kind):
        raise UsageError(f"part {part.name}: {kind!r} is not a media type such as text/plain")
    shown = f'form-data; name="{_escape(part.name)}"'
    if filename is not None:
        shown += f'; filename="{_escape(filename)}"'
    lines = [f"--{boundary}", f"Content-Disposition: {shown}"]
    lines += [] if kind is None else [f"Content-Type: {kind}"]
    return _encode("\r\n".join([*lines, "", ""]), part.name)


def _encode(text: str, name: str) -> bytes:
    """UTF-8, and the bytes of a file's name or an argument that are no text."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError as exc:
        raise UsageError(f"part {name!r}: it cannot be written as UTF-8: {exc.reason}") from None


def _escape(text: str) -> str:
    """A name between quotes, as browsers write it."""
    return text.translate(_ESCAPES)

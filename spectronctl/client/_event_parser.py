"""Server-sent events out of the bytes of a response, wherever those are cut in pieces: no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spectronctl.client._call import UnreadableError
from spectronctl.models.events import Event

MAX_LINE = 1 << 20
MAX_EVENT = 1 << 24
"""Bytes of one line, and of one event's data: far more than a server has reason to send."""

_BOM = b"\xef\xbb\xbf"


class EventParser:
    """Takes a response in pieces; UnreadableError for a line or an event that is longer than any should be."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._is_first_line = True
        self._after_cr = False
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""
        self._id: str | None = None

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that end in this piece."""
        if not piece:
            return
        # Were the CR kept back until the next piece, an event whose last byte it is would arrive only with the event
        # after it.
        if self._after_cr:  # the line has ended already: a lone CR ends it, too
            piece = piece.removeprefix(b"\n")
        self._after_cr = piece.endswith(b"\r")
        *ends, rest = re.split(rb"\r\n|\n|\r", piece)
        for end in ends:
            self._extend_line(end)
            yield from self._end_line()
        self._extend_line(rest)

    def finish(self) -> Iterator[Event]:
        """An event that the end of the response ends, and no blank line."""
        # The standard drops an event that no blank line ends, for it may have been cut off. Here the response has
        # ended as HTTP says it must (one that breaks off raises before this), so the event is whole: some servers
        # leave the last blank line out.
        yield from self._end_line()
        yield from self._end_event()

    def _extend_line(self, piece: bytes) -> None:
        self._line += piece
        if len(self._line) > MAX_LINE:
            raise UnreadableError(f"a line of the stream is longer than {MAX_LINE} bytes")

    def _end_line(self) -> Iterator[Event]:
        line = bytes(self._line)
        self._line.clear()
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BOM)
        if line:
            name, _, value = line.partition(b":")
            self._take_field(name, value.removeprefix(b" "))
        else:
            yield from self._end_event()

    def _take_field(self, name: bytes, value: bytes) -> None:
        """Comments have an empty name; `retry` and what is unknown is passed over."""
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
            if self._size > MAX_EVENT:
                raise UnreadableError(f"an event of the stream is longer than {MAX_EVENT} bytes")
        elif name == b"event":
            self._name = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")

    def _end_event(self) -> Iterator[Event]:
        if self._data or self._name:  # a bare `event: done` says something, too
            data = b"\n".join(self._data).decode(errors="replace")
            yield Event(data, self._name or "message", self._id)
        # Not the id: it stays the id of the last event that had one, as a browser's `lastEventId` does.
        self._data, self._size, self._name = [], 0, ""

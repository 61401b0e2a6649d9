"""A listening socket that goes on where the process may open no more files."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from typing import Any

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Retry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)
_NO_FILE = (errno.EMFILE, errno.ENFILE)


class Listener(socket.socket):
    """
    Turns a connection away that no file is left for.

    asyncio would leave it in the queue, try a thousand times in a row, each with a traceback in the log, and begin
    anew every second for each of them: the server would be busy with that long after the connections are gone.
    """

    _spare: int | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """BlockingIOError after one was turned away: asyncio comes back for the rest with its next turn."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise
            self._turn_away()
            # One of the errors at which asyncio's loop of accepts ends without a word.
            raise BlockingIOError from error

    def reserve(self) -> None:
        """Keep a file that can be given up for a connection, to accept and close it."""
        with suppress(OSError):
            # Where even this fails, the next connections are turned away without a spare, until a file is free.
            self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the spare file, too."""
        self._give_up_spare()
        super().close()

    def _turn_away(self) -> None:
        self._give_up_spare()
        try:
            with suppress(OSError):
                connection, _ = super().accept()
                with connection:
                    # A new connection's send buffer is empty and takes this at once; one that has broken already must
                    # not hold the loop.
                    connection.setblocking(False)
                    connection.send(FULL)
        finally:
            self.reserve()

    def _give_up_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

"""
A connection to the first address of a name that takes one (RFC 8305, "Happy Eyeballs").

One address after the other would cost a whole timeout where the first is dead, as IPv6 is behind many a tunnel. The
asynchronous client has the same of anyio.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
from time import monotonic
from typing import Any

HEAD_START = 0.25
"""Seconds that an address has to itself before the next one is tried beside it."""

_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR}


def connect_first(host: str, port: int, timeout: float | None) -> socket.socket:
    """A connected socket with that timeout; OSError, TimeoutError when none connects within `timeout` seconds."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    with _Race(list(dict.fromkeys((each[0], each[4]) for each in found))) as race:
        winner = race.run(None if timeout is None else monotonic() + timeout)
    winner.settimeout(timeout)
    winner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small requests do not wait
    return winner


class _Race:
    """Attempts side by side; leaving it closes all but the winner."""

    def __init__(self, addresses: list[tuple[socket.AddressFamily, Any]]) -> None:
        self._waiting = addresses
        self._selector = selectors.DefaultSelector()
        self._running: list[socket.socket] = []
        self._failure: OSError = TimeoutError("timed out")

    def __enter__(self) -> _Race:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for each in self._running:
            each.close()

    def run(self, end: float | None) -> socket.socket:
        while True:
            winner = self._start_next() or self._wait(end)
            if winner is not None:
                return winner
            if not self._running and not self._waiting:
                raise self._failure
            if end is not None and monotonic() >= end:
                # One that failed is a better reason than "timed out", but not while another attempt still hangs: then
                # time is what ran out.
                raise self._failure if not self._running else TimeoutError("timed out")

    def _start_next(self) -> socket.socket | None:
        if not self._waiting:
            return None
        family, address = self._waiting.pop(0)
        try:
            attempt = socket.socket(family, socket.SOCK_STREAM)
        except OSError as exc:  # a machine without IPv6 may have such addresses all the same
            self._failure = exc
            return None
        self._running.append(attempt)
        attempt.setblocking(False)
        # Not `connect`, whose BlockingIOError would need a handler for what is the ordinary case here.
        code = attempt.connect_ex(address)
        if code in _UNDER_WAY:
            self._selector.register(attempt, selectors.EVENT_WRITE)
            return None
        return self._settle(attempt, code)

    def _wait(self, end: float | None) -> socket.socket | None:
        """The attempt that comes through, if one does before the next address has its turn."""
        left = None if end is None else max(end - monotonic(), 0)
        if self._waiting:
            left = HEAD_START if left is None else min(left, HEAD_START)
        # With none under way the next address starts at once: `select` would sleep for the whole head start.
        for key, _ in self._selector.select(left) if self._running else ():
            attempt: socket.socket = key.fileobj  # type: ignore[assignment]
            self._selector.unregister(attempt)
            code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if (winner := self._settle(attempt, code)) is not None:
                return winner
        return None

    def _settle(self, attempt: socket.socket, code: int) -> socket.socket | None:
        # The winner leaves the list before `__exit__` closes all that is in it.
        self._running.remove(attempt)
        if not code:
            return attempt
        attempt.close()
        self._failure = OSError(code, os.strerror(code))
        return None

"""Connections that outlast their clients' manners: what keeps the server waiting for too long is given up."""

from __future__ import annotations

import asyncio
import sys

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

PATIENCE_SECONDS = 20.0
"""How long a connection may stand still while it is the client's turn."""

_LOOKS = 4
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Retry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)


class WatchedProtocol(H11Protocol):
    """
    HTTP/1.1 on a connection that ends when its client neither sends a request nor takes an answer.

    What belongs to a request that is being answered is the application's to mind.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch; one connection too many for this process is told so, and closed."""
        super().connection_made(transport)
        self._seen: tuple[object, ...] = ()
        self._since = 0.0
        self._look()
        if len(self.connections) > _count_allowed():
            transport.write(_FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Give the connection up if nothing has moved on it since that long; else look again later."""
        now, unsent = self.loop.time(), self.transport.get_write_buffer_size()
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request
        is_answering = cycle is not None and not cycle.response_complete
        seen = (unsent, cycle, is_answering)
        if seen != self._seen or (is_answering and not unsent):
            self._seen, self._since = seen, now
        elif now - self._since >= PATIENCE_SECONDS:
            self.transport.abort()
        self._watch = self.loop.call_later(PATIENCE_SECONDS / _LOOKS, self._look)


def _count_allowed() -> float:
    """A third of the files that may be open: the engine holds up to half, and its store can write nothing without."""
    if sys.platform == "win32":
        return float("inf")
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return float("inf") if limit == resource.RLIM_INFINITY else limit // 3

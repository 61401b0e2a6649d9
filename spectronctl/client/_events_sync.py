"""A stream of events for the synchronous client."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType
from typing import Any, Self

from spectronctl.client._call import Call
from spectronctl.client._event_parser import EventParser
from spectronctl.client._failures import build_network_error
from spectronctl.client._httpx import httpx
from spectronctl.client._responses import build_event_error
from spectronctl.models.events import Event


class Events:
    """
    The events of a response, each as soon as it has come; they end with the one that says so, or with the response.

    NetworkError, which says how far it came, for a stream that breaks off, or that is silent for longer than a whole
    call may take; the server's own error for a failure that it tells of. Closing it early cancels it on the server.
    """

    def __init__(self, call: Call[Any], response: httpx.Response) -> None:
        self._call = call
        self._response = response
        self._events = self._read()
        call.events = 0
        # The server has taken the request, or it would not stream: a write that breaks off from here on has an
        # unknown outcome.
        call.may_have_landed = True

    def _read(self) -> Generator[Event, None, None]:
        parser = EventParser()
        try:
            for piece in self._response.iter_bytes():
                for event in parser.feed(piece):
                    yield self._take(event)
                    # The end of the response is not waited for: a server may keep the connection open after it has
                    # said `[DONE]`.
                    if event.is_last:
                        return
            for event in parser.finish():
                yield self._take(event)
        except httpx.RequestError as exc:
            raise build_network_error(self._call, exc) from exc
        finally:
            self._response.close()

    def _take(self, event: Event) -> Event:
        if event.name == "error":
            raise build_event_error(self._call, event, self._response.headers)
        self._call.count_event()
        return event

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """End the stream, here and on the server; nothing more comes of it."""
        # This runs the `finally` of `_read`, where it was begun.
        self._events.close()
        self._response.close()  # which the other leaves open if it was never begun

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

"""
Connections to SurrealDB: a store on disk has an engine in a process of its own, others the SDK's asynchronous client.

`query` returns the response of the engine's `query` method as it is: `result`, a list with a status for each
statement, or `error`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from spectronctl.server.database import engine as _engine
from spectronctl.server.database.disk import has_room_to_open, parse_disk_error
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.store.urls import parse_store_url

if TYPE_CHECKING:
    from surrealdb import AsyncSurrealConnection

Row = dict[str, Any]
Response = dict[str, Any]
Credentials = tuple[str, str]
"""User and password of a SurrealDB server's root user."""

_log = logging.getLogger(__name__)

# Pipelined, since the engine works on one statement at a time: with one on its way it would idle for a round trip
# between two. More would only queue in the child, where a request that gives up can no longer be taken back unbegun.
_WINDOW = 4  # requests on their way to the engine: enough that it never waits for the next one
_STUCK_SECONDS = 60.0  # after which a statement that others wait for will never end
_CLOSING_SECONDS = 10.0

_NOT_BEGUN = "the database is busy: the request was not begun, and nothing was changed"
_UNKNOWN = (
    "the database did not respond in time, and the change may have been made: look before you repeat the request, or "
    "repeat it with the same Idempotency-Key"
)


class EngineError(Exception):
    """The engine refused a request, or cannot be opened; in its own words."""


class EngineEndedError(EngineError):
    """The engine's process has ended, whether it carried the request out or not."""


class Connection(Protocol):
    """An open connection to SurrealDB."""

    async def query(self, text: str, variables: Row, seconds: float | None) -> Response:
        """The response to one statement or transaction; UnavailableError when none came in time (None: wait)."""

    async def close(self) -> None: ...


class EngineProcess:
    """
    A store on disk, opened by the engine's blocking client in a child process.

    Under the asynchronous client the engine never flushes its memtables (the runtime that its background tasks were
    started on is gone once it is open), and takes no writes any more when two of them are full. The blocking client
    flushes, but holds the interpreter's lock for as long as a statement runs: in this process, one slow statement would
    stop every request, and one that is stuck the signals, too. A child can be given up, and opened anew: what the
    engine has confirmed is in its log.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._path = parse_store_url(url).path or Path()
        self._opening = asyncio.Lock()
        self._engine: _Engine | None = None
        self._closed = False

    @classmethod
    async def open(cls, url: str) -> Self:
        """Start the engine on a store; EngineError."""
        connection = cls(url)
        await connection._get_engine()
        return connection

    async def query(self, text: str, variables: Row, seconds: float | None) -> Response:
        try:
            engine = await self._get_engine()
        except (EngineError, OSError) as error:
            _log.error("the database cannot be opened again: %s", error)
            raise parse_disk_error(str(error)) or UnavailableError(
                "the database does not respond"
            ) from error
        response = await engine.query(text, variables, seconds)
        if engine.is_stuck:
            await self._renew(engine)
        return response

    async def _renew(self, stuck: _Engine) -> None:
        """Let the next request start the engine again, once the disk has room."""
        async with self._opening:
            # Not before: an engine that cannot be opened serves no reads either.
            if self._engine is stuck and has_room_to_open(self._path):
                _log.warning(
                    "the disk has room for what the engine could not flush: it is started again"
                )
                await stuck.close()
                self._engine = None

    async def close(self) -> None:
        """Finish what has begun, flush, let go of the files; an engine that is stuck is killed after 10 seconds."""
        async with self._opening:
            self._closed = True
            if self._engine is not None:
                await self._engine.close()

    async def _get_engine(self) -> _Engine:
        async with self._opening:
            if self._closed:
                raise UnavailableError("the database does not respond: it is closed")
            if self._engine is not None and self._engine.has_ended:
                _log.error("the database engine has ended; it is started again")
                await self._engine.close()
                self._engine = None
            if self._engine is None:
                self._engine = await _Engine.start(self._url)
            return self._engine


def _tells_of_failed_flush(response: Response) -> bool:
    return any(
        each["status"] != "OK" and "Failed to flush memtable" in str(each["result"])
        for each in response.get("result") or ()
    )


class _Engine:
    """One child process, and the requests that are on their way to it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._window = asyncio.Semaphore(_WINDOW)
        # Responses come in the order of the requests, so no frame carries a number: the oldest waiter gets the next
        # one.
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._begun_at = time.monotonic()
        self.is_stuck = False
        """Whether a flush has failed: the engine takes no writes until it is opened anew, and must not be closed."""
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, url: str) -> Self:
        # Not a pipe each way: one descriptor to hand over, and an end of file on it tells either side that the other
        # died, however it died.
        ours, theirs = socket.socketpair()
        with theirs:
            process = _spawn(theirs)
        engine = cls(process, *await asyncio.open_connection(sock=ours))
        try:
            # The URL travels over the channel and not on the command line, where every user of the machine could read
            # the path.
            await engine._take_turn()
            await engine._exchange(url.encode())
        except BaseException:
            await engine.close()
            raise
        return engine

    @property
    def has_ended(self) -> bool:
        return self._listener.done()

    async def query(self, text: str, variables: Row, seconds: float | None) -> Response:
        from surrealdb.data.cbor import decode
        from surrealdb.request_message.message import RequestMessage
        from surrealdb.request_message.methods import RequestMethod

        message = RequestMessage(RequestMethod.QUERY, query=text, params=variables)
        request = message.WS_CBOR_DESCRIPTOR
        begun = False
        try:
            async with asyncio.timeout(seconds):
                await self._take_turn()
                begun = True
                response = decode(await self._exchange(request))
        except TimeoutError:
            # Only the oldest statement may be judged: the others wait for it and are slow through no fault of their
            # own. Killing is safe at any time, because what was confirmed is in the log that the next engine replays.
            if time.monotonic() - self._begun_at > _STUCK_SECONDS:
                self._process.kill()
                await asyncio.wait([self._listener])
            raise UnavailableError(_UNKNOWN if begun else _NOT_BEGUN) from None
        except EngineEndedError as error:
            raise UnavailableError(_UNKNOWN if begun else _NOT_BEGUN) from error
        self.is_stuck = self.is_stuck or _tells_of_failed_flush(response)
        return dict(response)

    async def _take_turn(self) -> None:
        """A place in the window: it is given back by the response, even when the caller has left by then."""
        await self._window.acquire()
        if self.has_ended:
            self._window.release()  # the next one that waits for an engine that is gone hears of it, too
            raise EngineEndedError("it has ended")

    async def _exchange(self, frame: bytes) -> bytes:
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        # An engine that was idle is not stuck: its time counts from the first request after that.
        if not self._waiting:
            self._begun_at = time.monotonic()
        self._waiting.append(waiter)
        self._writer.write(len(frame).to_bytes(_engine.HEAD_BYTES, "big") + frame)
        response = await waiter
        if response[0]:
            raise EngineError(response[1:].decode(errors="replace"))
        return response[1:]

    async def _listen(self) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await self._reader.readexactly(_engine.HEAD_BYTES)
                response = await self._reader.readexactly(int.from_bytes(head, "big"))
                self._begun_at = time.monotonic()
                self._window.release()
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_result(response)
        self._window.release()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(EngineEndedError("it has ended"))

    async def close(self) -> None:
        # Closing flushes once more, behind the remains of the flush that failed: half of the rows would point to the
        # wrong places, for good. Killed, it leaves its log, from which the next engine has every confirmed row.
        if self.is_stuck:
            self._process.kill()
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._take_turn()
                await self._exchange(b"")
        except (EngineError, TimeoutError):
            self._process.kill()
        await asyncio.to_thread(self._process.wait)
        self._writer.close()
        await self._listener


def _spawn(channel: socket.socket) -> subprocess.Popen[bytes]:
    """Start the engine's program on its end of the channel; ModuleNotFoundError where the engine is not installed."""
    spec = find_spec("surrealdb_embedded")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name="surrealdb_embedded")
    # Isolated, without site-packages and environment: it starts sooner, and no secret of ours is in its memory.
    packages = str(Path(spec.origin).parents[1])
    command = [sys.executable, "-I", "-S", _engine.__file__, packages, str(os.getpid())]
    environment: dict[str, str] = {}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=channel.fileno(), stdout=quiet, stderr=quiet, env=environment, cwd="/"
    )


class ClientConnection:
    """
    The SDK's asynchronous client: a SurrealDB server behind `ws://` or `wss://`, or an engine in memory.

    With `credentials` it signs in; `bystanders` are the threads inside Python that are not the engine's.
    """

    def __init__(
        self,
        connection: AsyncSurrealConnection,
        credentials: Credentials | None = None,
        bystanders: Collection[int] = (),
    ) -> None:
        self._connection = connection
        self._credentials = credentials
        self._bystanders = bystanders

    async def query(self, text: str, variables: Row, seconds: float | None) -> Response:
        from surrealdb import TransportError

        try:
            async with asyncio.timeout(seconds):
                response = await self._connection.query_raw(text, variables)
                if self._credentials is None or not _is_refused(response):
                    return response
                # The socket broke and was opened anew: a session that has not signed in yet.
                await self._sign_in_again()
                return await self._connection.query_raw(text, variables)
        except TimeoutError:
            raise UnavailableError(_UNKNOWN) from None
        except TransportError as error:
            raise UnavailableError("the database does not respond") from error

    async def close(self) -> None:
        await self._connection.close()
        if self._credentials is None:
            await _wait_for_engine_threads(self._bystanders)

    async def sign_in(self) -> None:
        """Do nothing without credentials."""
        if self._credentials is not None:
            user, password = self._credentials
            await self._connection.signin({"username": user, "password": password})

    async def _sign_in_again(self) -> None:
        from surrealdb import SurrealError

        try:
            await self.sign_in()
        except SurrealError:
            refused = UnavailableError("the database does not let the server sign in again")
        else:
            return
        raise refused  # not chained: the error may repeat what was sent


def _is_refused(response: Response) -> bool:
    failures = [response["error"]] if response.get("error") else response["result"]
    return any(each.get("kind") == "NotAllowed" for each in failures)


async def _wait_for_engine_threads(bystanders: Collection[int]) -> None:
    """
    Wait, a second at most, until none of the engine's threads is inside Python.

    `bystanders` were there when the database was opened: the engine's own come and go with each response.

    One may still be on its way back from handing over the last response. Should the program end
    then, the thread asks for the lock of an interpreter that is gone, and the process aborts.
    """
    for _ in range(1000):
        ours = {*bystanders, *(thread.ident for thread in threading.enumerate())}
        if sys._current_frames().keys() <= ours:
            return
        await asyncio.sleep(0.001)

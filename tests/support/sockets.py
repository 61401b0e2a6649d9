"""Servers on loopback sockets: the one in memory, one that misbehaves as told, and whatever else is on a port."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

Behaviour = Callable[[socket.socket], None]


Responder = Callable[[httpx.Request], httpx.Response]


class Door(ThreadingHTTPServer):
    """HTTP/1.1 on a port of its own, with TLS if told; every request is answered by `answer`."""

    daemon_threads = True

    def __init__(self, answer: Responder, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[httpx.Request] = []
        self.date: str | None = None
        self._tls = tls

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        request.settimeout(10)
        with suppress(OSError):  # a client that does not trust us goes away
            if self._tls:
                with self._tls.wrap_socket(request, server_side=True) as secured:
                    super().finish_request(secured, ("127.0.0.1", 0))
            else:
                super().finish_request(request, ("127.0.0.1", 0))


class _Handler(BaseHTTPRequestHandler):
    server: Door
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = httpx.URL("http://spectron.test").join(self.path)  # a proxy is asked for a whole one
        request = httpx.Request("GET", url, headers=dict(self.headers))
        self.server.asked.append(request)
        answer = self.server.answer(request)
        answer.read()
        self.send_response(answer.status_code)
        for name in ("Content-Type", "Location"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server.date or super().date_time_string(timestamp)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def open_door(answer: Responder, tls: ssl.SSLContext | None = None) -> Iterator[Door]:
    with Door(answer, tls) as door:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield door
        finally:
            door.shutdown()
            thread.join()


@contextmanager
def listen(behave: Behaviour) -> Iterator[int]:
    """A port where every connection is left to `behave`, which may do as it likes."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            with suppress(OSError):
                connection.settimeout(5)
                behave(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()


@contextmanager
def open_proxy(port: int) -> Iterator[tuple[int, list[bytes]]]:
    """A proxy that leads to one port, whatever it is asked for; and the heads of what it was asked."""
    seen: list[bytes] = []
    targets: list[socket.socket] = []

    def behave(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
            head += piece
        if not head:  # a probe that only checks whether the port is open
            return
        seen.append(head)
        target = socket.create_connection(("127.0.0.1", port))
        targets.append(target)
        if head.startswith(b"CONNECT"):
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            target.sendall(head)
        for source, sink in ((connection, target), (target, connection)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()

    with listen(behave) as own:
        yield own, seen
    for target in targets:
        target.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


class SocketServer:
    """Reads the head of each request, then leaves the connection to `behave`; it counts what arrived."""

    def __init__(
        self, behave: Behaviour, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.requests: list[bytes] = []
        self._behave = behave
        self._tls = tls
        self._listener = socket.create_server((host, 0))
        self.address = f"{host}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError), connection:
                connection.settimeout(5)
                self._serve_one(connection)

    def _serve_one(self, connection: socket.socket) -> None:
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return
            head += received
        self.requests.append(head)
        self._behave(connection)
        connection.close()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@contextmanager
def serve(
    behave: Behaviour, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[SocketServer]:
    server = SocketServer(behave, tls, host)
    try:
        yield server
    finally:
        server.stop()


def write(answer: bytes) -> Behaviour:
    return lambda connection: connection.sendall(answer)


def reset(connection: socket.socket) -> None:
    """Close with a TCP reset instead of the usual end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def write_and_reset(answer: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.sendall(answer)
        reset(connection)

    return behave


def free_address() -> str:
    """An address where no one listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"

"""A loopback proxy that passes requests on, and spoils the one it is told to, or every one from there on."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from spectronctl.ground.http_problems import Response

Fault = Literal[
    "delayed",
    "refused",
    "reset before",
    "reset after",
    "closed",
    "no answer",
    "stalled",
    "truncated",
    "answered twice",
    "doubled",
    "429",
    "500",
    "500 after",
    "502",
    "503",
    "page 200",
    "page 502",
]
"""
"before" and a number: the server never hears of the request; otherwise it does, and its answer does not arrive whole.
"closed" ends the connection without a byte, "no answer" holds it open without one, "stalled" holds it open after half
the body. "answered twice" sends the answer again behind itself, "doubled" has its body twice.
"""

INVENTED = {"429", "500", "502", "503", "page 200", "page 502"}
UNHEARD = INVENTED | {"refused", "reset before"}
"""Faults that the server hears nothing of."""

DELAY = 0.05
OUTAGE = 0.02
"""Seconds: how late a late response is, and how long no server listens where that passes."""


@dataclass
class Exchange:
    """A request, and what the server answered; None when it never got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    answer: Response | None = None


class Proxy:
    """
    Number `spoiled` of the requests meets `fault`, and with `always` every later one; `after` is called between a
    request's answer by the server and its passing on, and `rewrite` makes another body of it. Connections last while
    they can, several at once.
    """

    def __init__(self, target: str) -> None:
        self.exchanges: list[Exchange] = []
        self.spoiled: int | None = None
        self.fault: Fault = "500"
        self.always = False
        self.after: Callable[[], None] = lambda: None
        self.rewrite: Callable[[bytes], bytes] | None = None
        self.failures: list[BaseException] = []
        self._target = urlsplit(target).netloc
        self._port = 0
        self._healed = threading.Event()
        self._turn = threading.Lock()
        self._connections: set[threading.Thread] = set()
        self._open: set[socket.socket] = set()
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def carried_out(self) -> list[Exchange]:
        """The requests that reached the server."""
        return [exchange for exchange in self.exchanges if exchange.answer is not None]

    def listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port), backlog=64)
        self._port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, args=[self._listener])
        self._thread.start()

    def spoil(self, number: int, fault: Fault, *, always: bool = False) -> None:
        self.exchanges.clear()
        self._healed.clear()
        self.spoiled, self.fault, self.always = number, fault, always
        self._refuse_next()

    def heal(self) -> None:
        """From here on every request is passed on; connections from before are over."""
        self.spoiled = None
        self._healed.set()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._connections):
            thread.join()
        if self._listener.fileno() < 0:
            self._thread.join()
            self.listen()

    def close(self) -> None:
        self.heal()
        self._stop_listening()
        self._thread.join()

    def _stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _refuse_next(self) -> bool:
        """Stop listening where the next request is to be refused: whether that is so."""
        if self.fault != "refused" or len(self.exchanges) != self.spoiled:
            return False
        self._stop_listening()
        if not self.always:
            self.spoiled = None
            back = threading.Timer(OUTAGE, self._come_back)
            self._connections.add(back)
            back.start()
        return True

    def _come_back(self) -> None:
        self._thread.join()
        self.listen()
        self._connections.discard(threading.current_thread())

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=[connection])
            self._connections.add(thread)
            self._open.add(connection)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        server = http.client.HTTPConnection(self._target, timeout=30)
        try:
            with connection:
                connection.settimeout(30)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while self._serve_one(connection, server):
                    pass
        except ConnectionError:  # the client went away, as it may
            pass
        except Exception as exc:  # noqa: BLE001 - the test looks at it
            self.failures.append(exc)
        finally:
            server.close()
            self._open.discard(connection)
            self._connections.discard(threading.current_thread())

    def _serve_one(self, connection: socket.socket, server: http.client.HTTPConnection) -> bool:
        """Whether the connection goes on."""
        exchange = _read_request(connection)
        if exchange is None:
            return False
        with self._turn:
            fault = self._find_fault(len(self.exchanges))
            self.exchanges.append(exchange)
        if fault not in UNHEARD:
            answer = _forward(exchange, server)
            if self.rewrite is not None and answer.body:
                answer = replace(answer, body=self.rewrite(answer.body))
            exchange.answer = answer
        self.after()
        if fault == "delayed":
            self._healed.wait(DELAY)
        if self._refuse_next():
            connection.sendall(_write_answer(exchange, None, last=True))
            return False
        return self._answer(connection, exchange, fault)

    def _find_fault(self, number: int) -> Fault | None:
        if self.spoiled is None:
            return None
        is_met = number >= self.spoiled if self.always else number == self.spoiled
        return self.fault if is_met else None

    def _answer(self, connection: socket.socket, exchange: Exchange, fault: Fault | None) -> bool:
        match fault:
            case "reset before" | "reset after":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "no answer":
                self._healed.wait()
            case "stalled":
                connection.sendall(_write_answer(exchange, fault))
                self._healed.wait()
            case "truncated":
                connection.sendall(_write_answer(exchange, fault))
            case "answered twice":
                connection.sendall(_write_answer(exchange, fault) * 2)
                return True
            case None | "delayed" | "doubled" | "429" | "500" | "500 after" | "502" | "503":
                connection.sendall(_write_answer(exchange, fault))
                return True
            case "page 200" | "page 502":
                connection.sendall(_write_answer(exchange, fault))
                return True
        return False


def _read_request(connection: socket.socket) -> Exchange | None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return None
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split()
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Exchange(method, path, headers, body)


def _forward(exchange: Exchange, server: http.client.HTTPConnection) -> Response:
    dropped = {"host", "connection", "content-length", "accept-encoding"}
    headers = {name: value for name, value in exchange.headers.items() if name not in dropped}
    server.request(exchange.method, exchange.path, exchange.body or None, headers)
    answer = server.getresponse()
    read = Response(answer.status, dict(answer.getheaders()), answer.read())
    server.close()  # the server ends idle connections, which would look like a fault
    return read


def _write_answer(exchange: Exchange, fault: Fault | None, *, last: bool = False) -> bytes:
    answer = _invent(fault) if fault in INVENTED or exchange.answer is None else exchange.answer
    if fault == "500 after":
        answer = _invent(fault)
    body = answer.body * 2 if fault == "doubled" else answer.body
    dropped = {"content-length", "transfer-encoding", "connection"}
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in dropped}
    if answer.status != 204:
        headers["Content-Length"] = str(len(body))
    if last:
        headers["Connection"] = "close"
    lines = [
        f"HTTP/1.1 {answer.status} X",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    cut = fault in ("truncated", "stalled")
    return "\r\n".join([*lines, "", ""]).encode() + (body[: len(body) // 2] if cut else body)


def _invent(fault: Fault | None) -> Response:
    assert fault is not None
    kind, _, rest = fault.partition(" ")
    if kind == "page":
        page = b"<!doctype html><title>Sign in</title><p>to the network of the hotel"
        return Response(int(rest), {"Content-Type": "text/html"}, page)
    headers = {"Content-Type": "application/json"} | ({"Retry-After": "0"} if kind == "429" else {})
    return Response(int(kind), headers, json.dumps({"detail": "as the test wants it"}).encode())

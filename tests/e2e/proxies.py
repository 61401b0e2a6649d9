"""A loopback proxy that passes requests on, and spoils one of them as told."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import httpx

Fault = Literal[
    "refused",
    "reset before",
    "reset after",
    "429",
    "500",
    "503",
    "no answer",
    "truncated",
]


@dataclass
class Exchange:
    """A request, and what the server answered; None when it never got it."""

    method: str
    path: str
    answer: httpx.Response | None = None


class Proxy:
    """
    Every request comes on a connection of its own. Number `spoiled` meets `fault`; `after` is called between one
    request and the next.
    """

    def __init__(self, target: str) -> None:
        self.exchanges: list[Exchange] = []
        self.spoiled: int | None = None
        self.fault: Fault = "500"
        self.after: Callable[[], None] = lambda: None
        self.failures: list[BaseException] = []
        self._http = httpx.Client(base_url=target, trust_env=False, timeout=30)
        self._port = 0
        self._hanging: list[socket.socket] = []
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def spoil(self, number: int, fault: Fault) -> None:
        self.exchanges.clear()
        self.spoiled, self.fault = number, fault
        self._refuse_next()

    def heal(self) -> None:
        """From here on every request is passed on."""
        self.spoiled = None
        while self._hanging:
            self._hanging.pop().close()
        if not self._thread.is_alive() or self._listener.fileno() < 0:
            self._thread.join()
            self.listen()

    def close(self) -> None:
        self.heal()
        self._stop_listening()
        self._thread.join()
        self._http.close()

    def _stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _refuse_next(self) -> None:
        if self.fault == "refused" and len(self.exchanges) == self.spoiled:
            self._stop_listening()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                connection.settimeout(10)
                self._serve_one(connection)
            except Exception as exc:  # noqa: BLE001 - the test looks at it
                self.failures.append(exc)

    def _serve_one(self, connection: socket.socket) -> None:
        fault = self.fault if len(self.exchanges) == self.spoiled else None
        head, body = _read_request(connection)
        method, path, _ = head.split("\r\n")[0].split()
        exchange = Exchange(method, path)
        if fault in (None, "reset after", "no answer", "truncated"):
            exchange.answer = self._forward(head, body, exchange)
        self.exchanges.append(exchange)
        self.after()
        self._refuse_next()
        if fault == "no answer":
            self._hanging.append(connection)
            return
        with connection:
            if fault in ("reset before", "reset after"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.sendall(_write_answer(exchange.answer, fault))

    def _forward(self, head: str, body: bytes, exchange: Exchange) -> httpx.Response:
        lines = [line.partition(": ") for line in head.split("\r\n")[1:]]
        dropped = {"host", "connection", "content-length", "accept-encoding"}
        headers = {name: value for name, _, value in lines if name.lower() not in dropped}
        return self._http.request(exchange.method, exchange.path, headers=headers, content=body)


def _read_request(connection: socket.socket) -> tuple[str, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    raw, _, body = received.partition(b"\r\n\r\n")
    head = raw.decode()
    lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
    length = int(lengths[0].partition(":")[2]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


def _write_answer(answer: httpx.Response | None, fault: Fault | None) -> bytes:
    if answer is None:
        body, status = b'{"detail": "as the test wants it"}', int(str(fault))
    else:
        body, status = answer.content, answer.status_code
    sent = body[: len(body) // 2] if fault == "truncated" else body
    length = "" if status == 204 else f"Content-Length: {len(body)}\r\n"
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{length}Connection: close\r\n\r\n"
    return head.encode() + sent

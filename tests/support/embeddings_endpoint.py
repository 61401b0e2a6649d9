"""
A server that speaks OpenAI's embeddings protocol on a loopback socket, counts what was asked for, and fails as told.

    python -m tests.support.embeddings_endpoint

prints one line, `{"url": BASE}`, and serves until it is ended. `POST BASE/embeddings` is the protocol,
`GET BASE/counts` tells what was asked for so far, `POST BASE/behave` changes fields of `Behaviour` and leaves the
others. BASE ends in `/v1`; each of them is there without it, too.
"""

from __future__ import annotations

import hashlib
import json
import math
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-endpoint"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How requests are answered. Of the failures, the first that applies."""

    key: str = KEY
    dimensions: int = 16
    delay: float = 0
    """Seconds before each answer."""
    fail_times: int | None = 0
    """How many of the next requests fail; None for all."""
    fail_from: int | None = None
    """The number, from 0, of the first text in a request that fails; the texts of failed requests do not count."""
    status: int = 503
    """Status of a failure; 0 breaks the connection."""
    headers: Mapping[str, str] | None = None
    body: str | None = None
    """Text of a failure, in place of an error as OpenAI writes it."""
    spoil: str | None = None
    """What is wrong with the vectors of a failure: see `spoil_answer`."""


class Endpoint(ThreadingHTTPServer):
    """Answers each request in a thread of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        host = "localhost" if tls else "127.0.0.1"
        self.url = f"http{'s' if tls else ''}://{host}:{self.server_address[1]}/v1"
        self.behaviour = Behaviour()
        self.asked: Counter[str] = Counter()
        self.answered = 0
        self.requests: list[dict[str, Any]] = []
        """Headers (lowercase) and body of each request, in their order."""
        self.open = threading.Event()
        """No answer goes out while this is cleared."""
        self.open.set()
        self._lock = threading.Lock()

    def behave(self, **changes: Any) -> None:
        with self._lock:
            self.behaviour = replace(self.behaviour, **changes)

    def count(self) -> dict[str, Any]:
        with self._lock:
            return {
                "requests": len(self.requests),
                "answered": self.answered,
                "texts": dict(self.asked),
            }

    def take(self, headers: dict[str, str], body: dict[str, Any]) -> tuple[Behaviour, bool]:
        """Note a request; how it is to be answered, and whether it fails."""
        with self._lock:
            now = self.behaviour
            self.requests.append({"headers": headers, "body": body})
            self.asked.update(body["input"])
            fails = now.fail_times is None or now.fail_times > 0
            if now.fail_times:
                self.behaviour = replace(now, fail_times=now.fail_times - 1)
            last = self.answered + len(body["input"]) - 1
            fails = fails or (now.fail_from is not None and last >= now.fail_from)
            self.answered += 0 if fails else len(body["input"])
            return now, fails

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no failure of this server."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Endpoint
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def page(self) -> str:
        return self.path.removeprefix("/v1")

    def do_GET(self) -> None:
        if self.page == "/counts":
            self.answer(200, json.dumps(self.server.count()))
        else:
            self.answer(404, write_error("there is no such page"))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.page == "/behave":
            self.server.behave(**body)
            self.answer(200, "{}")
        elif self.page == "/embeddings":
            self.embed(body)
        else:
            self.answer(404, write_error("there is no such page"))

    def embed(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        behaviour, fails = self.server.take(headers, body)
        time.sleep(behaviour.delay)
        self.server.open.wait()
        good = [
            {"object": "embedding", "index": at, "embedding": embed(text, behaviour.dimensions)}
            for at, text in enumerate(body["input"])
        ]
        if fails:
            self.fail(behaviour, good)
        elif headers.get("authorization") != f"Bearer {behaviour.key}":
            self.answer(401, write_error(f"Incorrect API key: {headers.get('authorization')}"))
        elif "" in body["input"]:
            self.answer(400, write_error("'$.input' is invalid: an empty text"))
        else:
            # Not in their order: who reads them has to look at the index.
            self.answer(200, write_output(list(reversed(good))))

    def fail(self, behaviour: Behaviour, good: list[dict[str, Any]]) -> None:
        if not behaviour.status:
            self.close_connection = True
            return
        text = behaviour.body
        if text is None:
            text = write_error("told to fail")
            if behaviour.spoil:
                text = spoil_answer(good, behaviour.spoil)
        self.answer(behaviour.status, text, behaviour.headers)

    def answer(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> None:
        content = body.encode()
        sent = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        self.send_response(status)
        for name, value in {**sent, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


def embed(text: str, dimensions: int) -> list[float]:
    """A vector of length 1 that is the text's own."""
    seed = hashlib.shake_128(text.encode()).digest(dimensions * 2)
    values = [value + 0.5 for value in struct.unpack(f"<{dimensions}h", seed)]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def spoil_answer(good: list[dict[str, Any]], how: str) -> str:
    """An answer of status 200 that is not what was asked for."""
    whole = write_output(good)
    first = good[0]
    if how == "truncated":
        return whole[: len(whole) // 2]
    if how == "few":
        return write_output(good[1:])
    if how == "several lengths":
        return write_output([{**first, "embedding": [1.0]}, *good[1:]])
    if how == "same index":
        return write_output([first, *({**item, "index": 0} for item in good[1:])])
    if how == "no index":
        return write_output([{"embedding": item["embedding"]} for item in good])
    wrong = {
        "NaN": [math.nan, 1.0],
        "infinite": [math.inf, 1.0],
        "zeros": [0.0, 0.0],
        "empty": [],
        "text": "AACAPwAAAEA=",
        "words": ["1.0", "2.0"],
        "truths": [True, False],
        "huge": [10**400],
    }
    return write_output([{**item, "embedding": wrong[how]} for item in good])


def write_output(data: list[dict[str, Any]]) -> str:
    return json.dumps({"object": "list", "data": data, "model": "stand-in", "usage": {}})


def write_error(message: str) -> str:
    return json.dumps({"error": {"message": message, "type": "stand_in", "code": None}})


@contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    """The endpoint in a thread of this process."""
    with Endpoint(tls) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.open.set()
            endpoint.shutdown()
            thread.join()


if __name__ == "__main__":
    with Endpoint() as endpoint:
        print(json.dumps({"url": endpoint.url}), flush=True)
        endpoint.serve_forever()

"""Multipart bodies: what is sent, in pieces, what can be sent again, and what cannot be sent at all."""

from __future__ import annotations

import email
import email.policy
import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl import errors
from spectronctl.api.requests import Part, Reply, Request
from spectronctl.client import AsgiTransport, Client, _policy
from spectronctl.client._multipart import PIECE_BYTES, Multipart
from tests.support.fakes import Connect
from tests.support.soak import SOAK
from tests.support.sockets import free_address, reset, serve

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_policy, "FIRST_BACKOFF", 0.01)


def describe(*parts: Part, method: str = "POST") -> Request[Any]:
    return Request(method, "/api/v1/acme/documents", Reply, parts=parts)


def read(content_type: str, body: bytes) -> list[tuple[Any, ...]]:
    """Name, filename, type and content of each part, as the standard library finds them."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    found: Any = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    return [
        (
            part.get_param("name", header="Content-Disposition"),
            part.get_filename(),
            part["Content-Type"],
            part.get_payload(decode=True),
        )
        for part in found.get_payload()
    ]


class Receiver:
    """A server on a socket that reads whole bodies and answers as told; the last answer goes on."""

    def __init__(self, *answers: bytes) -> None:
        self.bodies: list[bytes] = []
        self._answers = list(answers)
        self._heads: list[bytes] = []

    @contextmanager
    def run(self) -> Iterator[str]:
        with serve(self._behave) as server:
            self._heads = server.requests
            yield f"http://{server.address}"

    def _behave(self, connection: socket.socket) -> None:
        body = self._heads[-1].partition(b"\r\n\r\n")[2]
        while not body.endswith((b"--\r\n", b"\r\n0\r\n\r\n")):
            if not (piece := connection.recv(1 << 16)):
                break
            body += piece
        self.bodies.append(body)
        connection.sendall(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])

    @property
    def headers(self) -> httpx.Headers:
        lines = self._heads[-1].partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        return httpx.Headers(
            [(name, value) for name, _, value in (x.partition(b": ") for x in lines)]
        )


def test_parts_arrive_in_their_order(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "a b.md"
    path.write_bytes(b"# \xff\r\n")
    request = describe(
        Part("metadata", '{"title": "ä"}', type="application/json"),
        Part("empty", ""),
        Part("note", "plain"),
        Part("file", path),
        Part("file", b"\0", filename="x.bin", type="image/png"),
        Part("file", io.BytesIO(b"stream"), filename="s"),
    )
    receiver = Receiver(OK)
    with receiver.run() as url:
        connect(url).send(request)
    headers, body = receiver.headers, receiver.bodies[0]
    assert read(headers["Content-Type"], body) == [
        ("metadata", None, "application/json", '{"title": "ä"}'.encode()),
        ("empty", None, None, b""),
        ("note", None, None, b"plain"),
        ("file", "a b.md", "application/octet-stream", b"# \xff\r\n"),
        ("file", "x.bin", "image/png", b"\0"),
        ("file", "s", "application/octet-stream", b"stream"),
    ]
    assert int(headers["Content-Length"]) == len(body)
    assert "Transfer-Encoding" not in headers


def test_a_name_stays_one_name() -> None:
    body = b"".join(Multipart([Part('a"b\r\nX: y', "v", filename='c"\r\n.txt')]))
    assert b'name="a%22b%0D%0AX: y"; filename="c%22%0D%0A.txt"\r\n' in body


def test_each_body_has_a_boundary_of_its_own() -> None:
    multipart = Multipart([Part("a", "b")])
    boundary = b"".join(multipart).splitlines()[0]
    assert multipart.headers["Content-Type"].endswith(boundary.decode().removeprefix("--"))
    other = Multipart([Part("a", "b")])
    assert other.headers["Content-Type"] != multipart.headers["Content-Type"]


def test_a_stream_is_read_from_where_it_stands_and_again() -> None:
    stream = io.BytesIO(b"0123456789")
    stream.seek(4)
    multipart = Multipart([Part("file", stream, filename="x")])
    first = b"".join(multipart)
    assert b"\r\n\r\n456789\r\n" in first
    assert len(first) == int(multipart.headers["Content-Length"])
    assert multipart.can_be_sent
    assert b"".join(multipart) == first
    assert not stream.closed


def test_what_comes_through_a_pipe_is_sent_in_chunks_and_once() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb") as sink:
        sink.write(b"piped")
        sink.close()
        multipart = Multipart([Part("file", source, filename="-")])
        assert multipart.headers["Transfer-Encoding"] == "chunked"
        assert "Content-Length" not in multipart.headers
        assert multipart.can_be_sent
        assert b"\r\n\r\npiped\r\n" in b"".join(multipart)
        assert not multipart.can_be_sent


def test_a_named_pipe_is_opened_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(b"piped",), daemon=True).start()
    multipart = Multipart([Part("file", path)])
    assert b"\r\n\r\npiped\r\n" in b"".join(multipart)
    assert not multipart.can_be_sent


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (Part("file", Path("/nowhere/x.pdf")), "part file: /nowhere/x.pdf: No such file"),
        (Part("file", Path("/")), "part file: /: it is a directory"),
        (Part("file", b"", filename="x", type="text/plain\r\nX: y"), "is not a media type"),
        (Part("file", b"", filename="x", type="pdf"), "is not a media type"),
        (Part("a", "\ud800"), "cannot be written as UTF-8"),
    ],
)
def test_a_part_that_cannot_be_sent_is_refused_unsent(
    connect: Connect, part: Part, says: str
) -> None:
    with pytest.raises(errors.UsageError, match=says):
        connect(f"http://{free_address()}").send(describe(part))


@pytest.mark.parametrize("fault", ["shorter", "unreadable"])
def test_a_file_that_changes_under_way_is_no_whole_request(connect: Connect, fault: str) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if fault == "unreadable":
                raise OSError(5, "Input/output error")
            return b""

    receiver = Receiver(OK)
    with receiver.run() as url, pytest.raises(errors.NetworkError) as caught:
        connect(url, retries=3).send(describe(Part("file", Failing(b"xx"), filename="x")))
    assert len(receiver.bodies) <= 1
    assert not caught.value.outcome_unknown
    told = {"shorter": "it became shorter", "unreadable": "it cannot be read: Input/output error"}
    assert caught.value.message.startswith("part file: " + told[fault])


def test_a_create_is_not_resent_once_it_may_have_arrived(connect: Connect) -> None:
    with serve(reset) as server:
        client = connect(f"http://{server.address}", retries=3)
        with pytest.raises(errors.NetworkError) as caught:
            client.send(describe(Part("file", b"x", filename="x")))
        assert len(server.requests) == 1
    assert caught.value.outcome_unknown


def test_a_create_that_was_never_sent_is(connect: Connect) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        client = connect(f"http://{free_address()}", retries=2)
        with pytest.raises(errors.NetworkError, match=r"\(3 attempts\)"):
            client.send(describe(Part("file", pipe, filename="x")))


@pytest.mark.parametrize("can_rewind", [True, False])
def test_what_may_be_repeated_is_if_its_parts_can_be_rewound(
    connect: Connect, can_rewind: bool
) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return can_rewind

    request = describe(Part("file", Pipe(b"again"), filename="x"), method="DELETE")
    receiver = Receiver(b"", OK)
    with receiver.run() as url:
        client = connect(url, retries=3)
        if can_rewind:
            client.send(request)
        else:
            with pytest.raises(errors.NetworkError):
                client.send(request)
    assert [b"again" in body for body in receiver.bodies] == [True] * (2 if can_rewind else 1)


def test_an_answer_that_comes_early_is_read(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.truncate(50 << 20)
    text = b'{"detail": "too large"}'
    head = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(text)

    def refuse(connection: socket.socket) -> None:
        connection.sendall(head + text)
        connection.shutdown(socket.SHUT_WR)
        for _ in range(10_000):
            if not connection.recv(1 << 20):
                return

    with serve(refuse) as server:
        client = connect(f"http://{server.address}")
        with pytest.raises(errors.InvalidError, match="too large"):
            client.send(describe(Part("file", path)))


def test_in_process_a_body_passes_in_pieces() -> None:
    """The second piece is not made before the first has arrived."""
    arrived = threading.Event()

    class Watched(io.BytesIO):
        reads = 0

        def seekable(self) -> bool:
            return False

        def read(self, size: int | None = -1, /) -> bytes:
            self.reads += 1
            if self.reads == 3:
                assert arrived.wait(5)
            return b"x" * PIECE_BYTES if self.reads < 5 else b""

    async def upload(scope: Any, receive: Any, send: Any) -> None:
        more, size = True, 0
        while more:
            message = await receive()
            more, size = message["more_body"], size + len(message["body"])
            if size > PIECE_BYTES:
                arrived.set()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": str(size).encode()})

    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        yield upload

    with Client("http://local", transport=AsgiTransport(open_app)) as client:
        reply = client.send(describe(Part("file", Watched(), filename="x")))
    assert reply.body > 4 * PIECE_BYTES


_UPLOAD = """
import asyncio, resource, sys
from pathlib import Path
from spectronctl.api.requests import Part, Reply, Request
from spectronctl.client import AsyncClient, Client

kind, url, small, path = sys.argv[1:]

def upload(path):
    request = Request("POST", "/api/v1/acme/documents", Reply, parts=[Part("file", Path(path))])
    if kind == "sync":
        with Client(url, timeout=120) as client:
            return client.send(request)
    async def run():
        async with AsyncClient(url, timeout=120) as client:
            return await client.send(request)
    return asyncio.run(run())

upload(small)  # everything is imported then
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
upload(path)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the unit of ru_maxrss differs")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_memory_that_an_upload_takes_does_not_grow_with_it(kind: str, tmp_path: Path) -> None:
    size = 200 if SOAK else 80
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.truncate(size << 20)
    small = tmp_path / "small"
    small.write_bytes(b"x" * 1_000_000)
    received: list[int] = []

    def count(connection: socket.socket) -> None:
        total, tail = 0, b""
        while not tail.endswith(b"--\r\n") and (piece := connection.recv(1 << 20)):
            total, tail = total + len(piece), (tail + piece)[-4:]
        received.append(total)
        connection.sendall(OK)

    with serve(count) as server:
        words = [kind, f"http://{server.address}", str(small), str(path)]
        command = [sys.executable, "-c", _UPLOAD, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    # The head is read by itself, and on a busy machine the first of the body comes along with it.
    assert len(server.requests[-1]) + received[-1] > size << 20
    grown = int(done.stdout)
    assert grown < 32 << 10, f"{grown} KiB more than before"

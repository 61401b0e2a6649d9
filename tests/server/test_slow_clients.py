"""Clients that stop half-way do not stop the others, are shed, and do not hold up the end of the server."""

from __future__ import annotations

import socket
import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
import trustme

from tests.support import serving
from tests.support.serving import Served
from tests.support.soak import SOAK

PATIENCE = 2
EACH = 100 if SOAK else 25
"""How many connections of each kind."""

TURNS = 100
TURN_BYTES = 60_000


AUTHORITY = trustme.CA()
OVER_BOTH = pytest.mark.parametrize("served", ["http", "https"], indirect=True)


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    served = serving.start(
        tmp_path,
        f"surrealkv://{tmp_path}/store",
        patience=PATIENCE,
        body_seconds=PATIENCE,
        grace=5,
        worker=False,
        **(issue_certificate(tmp_path) if getattr(request, "param", "") == "https" else {}),
    )
    yield served
    if served.process.poll() is None:
        served.process.kill()
    served.process.communicate()


def issue_certificate(directory: Path) -> dict[str, str]:
    """The options of a server that speaks TLS."""
    certificate, key = directory / "chain.pem", directory / "key.pem"
    issued = AUTHORITY.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    return {"certificate": str(certificate), "key": str(key)}


def trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """The operator, on a connection of its own, with a context and a long session."""
    headers = {"API-KEY": served.key}
    with httpx.Client(base_url=served.url, headers=headers, timeout=20, verify=trust()) as client:
        body = {"namespace": "acme", "database": "prod"}
        assert client.post("/api/v1/contexts/acme", json=body).status_code == 201
        yield client


def open_long_session(client: httpx.Client) -> str:
    """The path of a page of turns that no buffer of a socket holds."""
    session_id = client.post("/api/v1/acme/sessions", json={}).json()["id"]
    said = [{"role": "user", "content": "x" * TURN_BYTES}] * TURNS
    body = {"infer": "none", "messages": said, "session_id": session_id}
    assert client.post("/api/v1/acme/facts/batch", json=body).status_code == 200
    return f"/api/v1/acme/sessions/{session_id}/turns"


def connect(served: Served, sent: bytes, buffer: int = 4096) -> socket.socket:
    """A connection with a small buffer for what it receives, on which that was sent."""
    connection = connect_only(served, buffer)
    if served.url.startswith("https:"):
        connection = trust().wrap_socket(connection, server_hostname="127.0.0.1")
    connection.sendall(sent)
    return connection


def connect_only(served: Served, buffer: int = 4096) -> socket.socket:
    """A connection on which nothing was sent."""
    url = httpx.URL(served.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(20)
    connection.connect((url.host, url.port))
    return connection


def list_openings(served: Served, turns: str) -> dict[str, tuple[bytes, int]]:
    """What each kind of bad client sends before it stops, and how many there are of it."""
    key = f"Host: x\r\nAPI-KEY: {served.key}\r\n".encode()
    post = b"POST /api/v1/acme/sessions HTTP/1.1\r\nContent-Type: application/json\r\n"
    get = b"GET %s HTTP/1.1\r\n" % turns.encode()
    sent = {
        "nothing": b"",
        "half a head": get + key,
        "half a body": post + key + b'Content-Length: 100\r\n\r\n{"metadata',
        "half a chunk": post + key + b'Transfer-Encoding: chunked\r\n\r\n64\r\n{"metadata',
        "half a body of a refused request": post + b"Host: x\r\nContent-Length: 100\r\n\r\n{",
        "no reader": get + key + b"\r\n",
        "no reader of many": (get + key + b"\r\n") * 20,
        "idle": b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n",
    }
    return {kind: (raw, EACH // 5 if "reader" in kind else EACH) for kind, raw in sent.items()}


def count_files(served: Served) -> int:
    return len(list(Path(f"/proc/{served.process.pid}/fd").iterdir()))


def wait_until(is_true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def read_to_the_end(connection: socket.socket) -> bytes:
    """All that the server still sends before it hangs up."""
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(1 << 20):
            received += piece
    return received


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts files in /proc")
def test_bad_clients_are_shed_and_do_not_stop_the_others(
    served: Served, client: httpx.Client
) -> None:
    turns = open_long_session(client)
    size = len(client.get(turns).content)
    assert size > TURNS * TURN_BYTES
    baseline = count_files(served)
    with ExitStack() as held:
        bad = {
            kind: [held.enter_context(connect(served, sent)) for _ in range(count)]
            for kind, (sent, count) in list_openings(served, turns).items()
        }
        trickling = [held.enter_context(connect(served, b"GET / HTTP/1.1\r\n")) for _ in range(5)]
        assert client.get("/api/v1/health").status_code == 200  # all of them are being served
        took = []
        end = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < end:
            for connection in trickling:
                with suppress(ConnectionError):
                    connection.sendall(b"A")
            begun = time.monotonic()
            answer = client.post("/api/v1/acme/sessions", json={"metadata": "ordinary"})
            assert answer.status_code == 201
            took.append(time.monotonic() - begun)
            time.sleep(0.02)
        assert statistics.median(took) < 0.5
        assert max(took) < 5
        wait_until(lambda: count_files(served) <= baseline, 4 * PATIENCE + 10)
        ends = {kind: [read_to_the_end(one) for one in sockets] for kind, sockets in bad.items()}
    for kind in ("nothing", "half a head"):
        assert set(ends[kind]) == {b""}, kind
    for kind in ("half a body", "half a chunk"):
        assert all(end.startswith(b"HTTP/1.1 408 ") for end in ends[kind]), kind
    assert all(end.startswith(b"HTTP/1.1 401 ") for end in ends["half a body of a refused request"])
    for kind in ("no reader", "no reader of many"):
        assert all(len(end) < size for end in ends[kind]), kind
    assert all(end.startswith(b"HTTP/1.1 200 ") for end in ends["idle"])
    code, _, log = served.stop()
    assert code == 0
    assert "Traceback" not in log


@OVER_BOTH
def test_a_slow_reader_who_reads_gets_everything(served: Served, client: httpx.Client) -> None:
    """Slower than the patience as a whole, and never standing still for that long."""
    turns = open_long_session(client)
    sent = f"GET {turns} HTTP/1.1\r\nHost: x\r\nAPI-KEY: {served.key}\r\n\r\n".encode()
    received, begun = 0, time.monotonic()
    with connect(served, sent, 65_536) as connection:
        while received < TURNS * TURN_BYTES:
            piece = connection.recv(65_536)
            assert piece, "it was cut off"
            received += len(piece)
            if time.monotonic() - begun < 2.5 * PATIENCE:
                time.sleep(0.1)
    assert time.monotonic() - begun > 2 * PATIENCE


@pytest.mark.parametrize("served", ["https"], indirect=True)
def test_who_never_finishes_a_handshake_is_shed_like_the_others(
    served: Served, client: httpx.Client
) -> None:
    baseline = count_files(served)
    with ExitStack() as held:
        silent = [held.enter_context(connect_only(served)) for _ in range(EACH)]
        garbled = [held.enter_context(connect_only(served)) for _ in range(EACH)]
        for connection in garbled:
            connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.get("/api/v1/health").status_code == 200
        assert count_files(served) >= baseline + EACH
        wait_until(lambda: count_files(served) <= baseline, 4 * PATIENCE + 10)
        assert {read_to_the_end(one) for one in silent} == {b""}
    code, _, log = served.stop()
    assert code == 0
    assert "Traceback" not in log


@pytest.mark.parametrize("served", ["https", *["http"] * SOAK], indirect=True)
def test_a_signal_ends_it_whatever_clients_do(served: Served, client: httpx.Client) -> None:
    turns = open_long_session(client)
    with ExitStack() as held:
        for sent, _ in list_openings(served, turns).values():
            for _ in range(5):
                held.enter_context(connect(served, sent))
                held.enter_context(connect_only(served))
        assert client.get("/api/v1/contexts").status_code == 200
        begun = time.monotonic()
        code, _, log = served.stop()
        assert code == 0, log
        assert time.monotonic() - begun < 5 + 5
    assert "Traceback" not in log


def test_connections_that_were_cut_leave_nothing(served: Served, client: httpx.Client) -> None:
    turns = open_long_session(client)
    baseline = count_files(served)
    for sent, count in list_openings(served, turns).values():
        for _ in range(count):
            connection = connect(served, sent)
            # No FIN, but a reset, in whatever the server is at.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.close()
    wait_until(lambda: count_files(served) <= baseline, 10)
    assert client.get(turns).status_code == 200
    code, _, log = served.stop()
    assert code == 0
    assert "Traceback" not in log


@pytest.mark.sampled(1)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_too_many_connections_leave_the_store_its_files(scheme: str, tmp_path: Path) -> None:
    """With 300 files in all: connections beyond are told to come back, or cut, and what is written is kept."""
    store = f"surrealkv://{tmp_path}/store"
    tls = issue_certificate(tmp_path) if scheme == "https" else {}
    full = b"HTTP/1.1 503" if scheme == "http" else b""  # nothing can be said before a handshake
    served = serving.start(tmp_path, store, files=300, worker=False, **tls)
    try:
        headers = {"API-KEY": served.key}
        with httpx.Client(
            base_url=served.url, headers=headers, timeout=20, verify=trust()
        ) as client:
            body = {"namespace": "acme", "database": "prod"}
            assert client.post("/api/v1/contexts/acme", json=body).status_code == 201
            with ExitStack() as held:
                idle = []
                for _ in range(200):
                    idle.append(held.enter_context(connect_only(served)))
                    assert client.get("/api/v1/health").status_code == 200  # it stays open
                ids = [write_once(client) for _ in range(20)]
                assert {read_to_the_end(one)[:12] for one in idle[-20:]} == {full}
            assert client.get("/ready").status_code == 200
        assert served.stop()[0] == 0
        again = serving.start(tmp_path, store, worker=False)
        found = httpx.get(f"{again.url}/api/v1/acme/sessions", headers=headers).json()["sessions"]
        assert [each["id"] for each in found] == ids
        assert again.stop()[0] == 0
    finally:
        served.process.kill()
        served.process.communicate()


def write_once(client: httpx.Client) -> str:
    made = client.post("/api/v1/acme/sessions", json={})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])

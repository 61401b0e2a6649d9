"""Faults of a real network, on real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from spectronctl import errors
from spectronctl.api import contexts, health
from spectronctl.client import Exchange, _call, _policy

from .fakes import KEY, Connect
from .sockets import Behaviour, free_address, reset, serve, write, write_and_reset

HEALTH = health.get_health()
CREATION = contexts.create_context("acme", namespace="a", database="b")
OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
CUT = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"status":"ok"}'


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_policy, "FIRST_BACKOFF", 0.01)


def fail(connect: Connect, url: str, request: Any = HEALTH, **options: Any) -> errors.RequestError:
    with pytest.raises(errors.RequestError) as caught:
        connect(url, **{"timeout": 5, "retries": 1, "api_key": KEY, **options}).send(request)
    return caught.value


def test_a_refused_port_says_what_to_do(connect: Connect) -> None:
    url = f"http://{free_address()}"
    error = fail(connect, url)
    assert type(error) is errors.NetworkError
    assert error.message == f"cannot reach {url}: connection refused (2 attempts)"
    for way in ("--url", "spectronctl serve", "--profile local"):
        assert way in (error.hint or "")


def test_a_refused_write_is_certain(connect: Connect) -> None:
    error = fail(connect, f"http://{free_address()}", CREATION)
    assert "(2 attempts)" in error.message
    assert not error.outcome_unknown


def test_a_name_that_does_not_resolve_says_so(connect: Connect) -> None:
    error = fail(connect, "http://nowhere.invalid", retries=0)
    assert error.message == "cannot reach http://nowhere.invalid: its name does not resolve"


def test_a_refusing_proxy_is_named_without_its_password(connect: Connect) -> None:
    proxy = free_address()
    error = fail(connect, "http://spectron.test", proxy=f"http://user:hidden@{proxy}")
    assert error.message.startswith(f"cannot reach the proxy http://{proxy}: connection refused")
    assert "NO_PROXY" in (error.hint or "")
    assert "hidden" not in repr(error.to_dict())


def test_a_proxy_that_lets_nothing_through_is_named(connect: Connect) -> None:
    answer = b"HTTP/1.1 403 Forbidden by policy\r\nContent-Length: 0\r\n\r\n"
    with serve(write(answer)) as proxy:
        error = fail(connect, "https://spectron.test", CREATION, proxy=f"http://{proxy.address}")
    assert error.message.startswith(
        f"the proxy http://{proxy.address} refuses https://spectron.test: 403 Forbidden by policy"
    )
    assert not error.outcome_unknown
    assert KEY.encode() not in b"".join(proxy.requests)


@pytest.mark.parametrize(
    "behave",
    [reset, write(b""), write_and_reset(CUT), write(CUT), write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")],
    ids=["reset", "closed", "reset in the body", "cut body", "no HTTP"],
)
def test_a_broken_answer_is_retried_for_a_read_and_never_for_a_write(
    connect: Connect, behave: Behaviour
) -> None:
    with serve(behave) as server:
        url = f"http://{server.address}"
        read = fail(connect, url)
        assert len(server.requests) == 2
        written = fail(connect, url, CREATION)
        assert len(server.requests) == 3
    assert type(read) is type(written) is errors.NetworkError
    assert read.message.startswith(f"GET /api/v1/health: the connection to {url} broke: ")
    assert not read.outcome_unknown
    assert written.outcome_unknown


def test_a_read_gets_through_after_a_reset(connect: Connect) -> None:
    behaviours = iter([reset, write(CUT), write(OK)])
    seen: list[Exchange] = []
    with serve(lambda connection: next(behaviours)(connection)) as server:
        client = connect(f"http://{server.address}", observe=seen.append)
        assert client.send(HEALTH).status == "ok"
    assert [exchange.status for exchange in seen] == [None, None, 200]
    assert all(exchange.error for exchange in seen[:2])


def test_a_silent_server_runs_into_the_timeout(connect: Connect) -> None:
    done = threading.Event()

    def wait(_: socket.socket) -> None:
        done.wait()

    with serve(wait) as server:
        url = f"http://{server.address}"
        started = time.monotonic()
        error = fail(connect, url, CREATION, timeout=0.2)
        elapsed = time.monotonic() - started
        done.set()
    assert error.message.endswith(f"no complete answer from {url} within 0.2 s")
    assert error.outcome_unknown
    assert "--timeout" in (error.hint or "")
    assert elapsed < 10


def trickle(first: bytes, piece: bytes) -> Behaviour:
    """Send that piece again and again: for 20 seconds, or until nobody listens any more."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(1_000):
            connection.sendall(piece)
            time.sleep(0.02)

    return behave


def test_a_trickling_answer_runs_into_the_timeout_too(connect: Connect) -> None:
    with serve(trickle(CUT[: CUT.index(b"{")], b" ")) as server:
        started = time.monotonic()
        error = fail(connect, f"http://{server.address}", timeout=0.2)
        assert time.monotonic() - started < 10
    assert "within 0.2 s" in error.message


@pytest.mark.parametrize(
    "piece", [b"X-More: a\r\n", b"\r\nHTTP/1.1 103 Early Hints\r\n"], ids=["head", "hints"]
)
def test_a_head_that_never_ends_runs_into_the_timeout_too(connect: Connect, piece: bytes) -> None:
    with serve(trickle(b"HTTP/1.1 103 Early Hints\r\n", piece)) as server:
        started = time.monotonic()
        error = fail(connect, f"http://{server.address}", CREATION, timeout=0.2)
        assert time.monotonic() - started < 10
    assert "within 0.2 s" in error.message
    assert error.outcome_unknown


def test_a_result_without_end_is_given_up(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_call, "MOST_BYTES", 1 << 20)
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (1 << 22)
    with serve(write(endless)) as server:
        error = fail(connect, f"http://{server.address}")
        assert len(server.requests) == 1
    assert type(error) is errors.UpstreamError
    assert error.message.endswith("the answer is longer than 1 MB")


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def test_a_certificate_that_nobody_signed_is_refused_at_once(
    connect: Connect, tls: ssl.SSLContext
) -> None:
    seen: list[Exchange] = []
    with serve(write(OK), tls) as server:
        url = f"https://{server.address.replace('127.0.0.1', 'localhost')}"
        error = fail(connect, url, observe=seen.append)
    assert type(error) is errors.NetworkError
    assert error.message.startswith(
        f"no trusted connection to {url}: its certificate is not accepted: "
    )
    assert "ca_file" in (error.hint or "")
    assert len(seen) == 1
    assert server.requests == []


def test_a_ca_file_adds_an_authority(
    connect: Connect, tls: ssl.SSLContext, authority: trustme.CA, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with serve(write(OK), tls) as server:
        url = f"https://{server.address.replace('127.0.0.1', 'localhost')}"
        assert connect(url, ca_file=str(ca_file)).send(HEALTH).status == "ok"
        other = fail(connect, f"https://{server.address}", ca_file=str(ca_file))
    assert "its certificate is not accepted: " in other.message
    assert "--url" in (other.hint or "")


def test_https_to_a_plain_port_says_so(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_plainly() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer_plainly)
        thread.start()
        error = fail(connect, f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert "TLS failed: " in error.message
    assert "starts with http://" in (error.hint or "")


def test_an_answer_said_twice_is_not_taken_for_the_next_one(connect: Connect) -> None:
    def answer_twice(connection: socket.socket) -> None:
        told = server.requests[-1].split(b"X-Request-Id: ")[1].split(b"\r\n")[0]
        connection.sendall(OK.replace(b"\r\n\r\n", b"\r\nX-Request-Id: " + told + b"\r\n\r\n") * 2)
        if len(server.requests) == 1:  # the second request comes over the same connection
            server.requests.append(connection.recv(65536))

    with serve(answer_twice) as server:
        seen: list[Exchange] = []
        client = connect(f"http://{server.address}", retries=1, observe=seen.append)
        assert client.send(HEALTH).status == "ok"
        assert client.send(HEALTH).status == "ok"
    assert [exchange.error for exchange in seen] == [
        None,
        "RemoteProtocolError: the answer is that to another request",
        None,
    ]
    assert len({exchange.request_id for exchange in seen}) == 2

"""Faults of a real network, on real sockets."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from spectronctl import errors
from spectronctl.api import contexts, health
from spectronctl.client import Exchange, _call, _policy
from spectronctl.ground.http_problems import Response
from tests.support.fakes import KEY, Connect
from tests.support.sockets import Behaviour, free_address, reset, serve, write, write_and_reset

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


@contextmanager
def dead_address(host: str, port: int = 0) -> Iterator[int]:
    """The port of an address that does not answer at all, since its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def name_addresses(monkeypatch: pytest.MonkeyPatch, name: str, hosts: Sequence[str]) -> None:
    ask = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **settings: Any) -> Any:
        if host not in (name, name.encode()):
            return ask(host, port, *args, **settings)
        return [found for each in hosts for found in ask(each, port, *args, **settings)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("request_", [HEALTH, CREATION], ids=["a read", "a write"])
def test_a_dead_address_leaves_time_for_the_next(
    connect: Connect, request_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_addresses(monkeypatch, "two.test", ["127.0.0.1", "127.0.0.2"])
    with serve(write(OK), host="127.0.0.2") as server:
        port = int(server.address.rpartition(":")[2])
        with dead_address("127.0.0.1", port):
            client = connect(f"http://two.test:{port}", timeout=4, retries=0, api_key=KEY)
            with suppress(errors.UpstreamError):  # what it answers is not a context
                client.send(request_)
    assert len(server.requests) == 1


@pytest.mark.parametrize("dead", [1, 3])
def test_dead_addresses_cost_a_head_start_and_no_timeout(
    connect: Connect, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = [f"127.0.0.{number}" for number in range(2, 2 + dead)]
    name_addresses(monkeypatch, "many.test", [*hosts, "127.0.0.1"])
    with ExitStack() as stack:
        server = stack.enter_context(serve(write(OK)))
        port = int(server.address.rpartition(":")[2])
        for host in hosts:
            stack.enter_context(dead_address(host, port))
        started = time.monotonic()
        connect(f"http://many.test:{port}", timeout=20, retries=0).send(HEALTH)
        took = time.monotonic() - started
    assert dead * 0.25 <= took < dead * 0.25 + 3, "of 20 s that the call may take"


def test_addresses_share_the_time(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    name_addresses(monkeypatch, "three.test", hosts)
    with ExitStack() as stack:
        port = stack.enter_context(dead_address(hosts[0]))
        for host in hosts[1:]:
            stack.enter_context(dead_address(host, port))
        started = time.monotonic()
        error = fail(connect, f"http://three.test:{port}", CREATION, timeout=1.5, retries=0)
        took = time.monotonic() - started
    assert took < 4, "each of the three has had all of the time"
    assert "no connection within 1.5 s" in error.message
    assert not error.outcome_unknown


def test_a_body_that_is_taken_slowly_runs_into_the_timeout(connect: Connect) -> None:
    done = threading.Event()

    def sip(connection: socket.socket) -> None:
        while not done.wait(0.04):
            connection.recv(65_536)

    creation = contexts.create_context("acme", namespace="a", database="x" * 30_000_000)
    with serve(sip) as server:
        started = time.monotonic()
        error = fail(connect, f"http://{server.address}", creation, timeout=2, retries=0)
        took = time.monotonic() - started
        done.set()
    assert took < 8, "at this pace the whole takes 18 s"
    assert error.outcome_unknown


def test_of_a_failure_no_more_is_kept_than_can_be_shown(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def note(status: int, headers: Any, body: bytes) -> Response:
        sizes.append(len(body))
        return Response(status, headers, body)

    monkeypatch.setattr(_call, "Response", note)
    packed = gzip.compress(b'{"detail":"no such thing","a":[' + b"[]," * 20_000_000 + b"0]}")
    head = (
        f"HTTP/1.1 404 Not Found\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    )
    with serve(write(head.encode() + packed)) as server:
        error = fail(connect, f"http://{server.address}")
    assert type(error) is errors.NotFoundError
    assert sizes == [_call.MAX_ERROR_BYTES]


def test_an_answer_out_of_a_cache_is_named_as_such(connect: Connect) -> None:
    first: dict[str, str] = {}

    def answer(connection: socket.socket) -> None:
        head = server.requests[-1].decode()
        own = next(line for line in head.splitlines() if line.startswith("X-Request-Id: "))
        kept = first.setdefault("line", own)
        assert "Cache-Control: no-store" in head
        connection.sendall(
            OK.replace(b"\r\n\r\n", f"\r\n{kept}\r\nConnection: close\r\n\r\n".encode())
        )

    with serve(answer) as server:
        client = connect(f"http://{server.address}", timeout=5, retries=1, api_key=KEY)
        client.send(HEALTH)
        with pytest.raises(
            errors.NetworkError, match="the response belongs to another request"
        ) as caught:
            client.send(HEALTH)
    assert "cache" in (caught.value.hint or "")


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
    assert read.message.startswith(f"the connection to {url} broke: ")
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
    assert error.message.endswith(f"no complete response from {url} within 0.2 s")
    assert error.outcome_unknown
    assert "--timeout" in (error.hint or "")
    assert elapsed < 10


def trickle(first: bytes, piece: bytes) -> Behaviour:
    """Send that piece again and again: for 20 seconds, or until the listener is gone."""

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
    monkeypatch.setattr(_call, "MAX_BYTES", 1 << 20)
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (1 << 22)
    with serve(write(endless)) as server:
        error = fail(connect, f"http://{server.address}")
        assert len(server.requests) == 1
    assert type(error) is errors.UpstreamError
    assert error.message.endswith("the response is longer than 1 MB")


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def test_a_certificate_that_no_one_signed_is_refused_at_once(
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
        "StrayResponseError: the response belongs to another request",
        None,
    ]
    assert len({exchange.request_id for exchange in seen}) == 2

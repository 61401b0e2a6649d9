from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from spectronctl.errors import ConfigError, UsageError
from spectronctl.server.serving.listening import bind_address
from tests.support import serving
from tests.support.embeddings_endpoint import KEY, serve
from tests.support.serving import Served

Start = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Served] = []

    def start(store_url: str = "mem://", **options: Any) -> Served:
        served = serving.start(tmp_path, store_url, **options)
        running.append(served)
        return served

    yield start
    for served in running:
        if served.process.poll() is None:
            served.process.kill()
        served.process.communicate()


def send_slowly(served: Served, body: bytes) -> socket.socket:
    """A connection on which a request to create a context runs: its body is asked for, and half sent."""
    host, port = served.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(
        b"POST /api/v1/contexts/slow HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + f"API-KEY: {served.key}\r\nContent-Length: {len(body)}\r\n".encode()
        + b"Expect: 100-continue\r\n\r\n"
    )
    assert b"100 Continue" in connection.recv(1_000)
    connection.sendall(body[: len(body) // 2])
    return connection


def test_one_line_says_where_the_server_is(start: Start, tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    ready_file.write_text("of an earlier server")
    served = start(ready_file=str(ready_file))
    port = served.url.rpartition(":")[2]
    assert served.ready == {
        "event": "ready",
        "url": f"http://127.0.0.1:{port}",
        "store": "mem://",
        "pid": served.process.pid,
    }
    assert json.loads(ready_file.read_text()) == served.ready
    assert httpx.get(f"{served.url}/api/v1/health").json()["status"] == "ok"
    assert served.stop()[:2] == (0, "")
    assert not list(tmp_path.glob("*ready*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_request_finish(start: Start, number: int) -> None:
    served = start()
    body = json.dumps({"namespace": "acme", "database": "slow"}).encode()
    with send_slowly(served, body) as connection, connection.makefile("rb") as answers:
        served.process.send_signal(number)
        until_refused(served.url)
        connection.sendall(body[len(body) // 2 :])
        answer = answers.read()
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b'"database":"slow"' in answer
    assert served.wait()[0] == 0


def until_refused(url: str) -> None:
    """Wait until no new connection is taken."""
    for _ in range(200):
        try:
            httpx.get(f"{url}/api/v1/health")
        except httpx.TransportError:  # refused, or taken into a queue that is no longer served
            return
        time.sleep(0.02)
    raise AssertionError("the server still takes connections")


def test_a_request_that_never_ends_does_not_hold_the_server_up(start: Start) -> None:
    served = start(grace=1)
    with send_slowly(served, b" " * 100):
        begun = time.monotonic()
        assert served.stop()[0] == 0
    assert time.monotonic() - begun < 10


def test_what_was_answered_is_there_after_a_restart(start: Start, tmp_path: Path) -> None:
    url = f"surrealkv://{tmp_path}/store"
    first = start(url)
    body = {"namespace": "acme", "database": "prod"}
    key = {"API-KEY": first.key}
    assert httpx.post(f"{first.url}/api/v1/contexts/a", json=body, headers=key).is_success
    assert first.stop()[0] == 0
    second = start(url)
    assert second.key == key["API-KEY"]
    assert httpx.get(f"{second.url}/api/v1/contexts/a", headers=key).is_success


def test_who_finds_the_store_in_use_learns_where_it_is_served(start: Start, tmp_path: Path) -> None:
    url = f"surrealkv://{tmp_path}/store"
    first = start(url)
    code, _, message = start(url).wait()
    assert code == ConfigError.exit_code
    assert first.url in message
    assert f"pid {first.process.pid}" in message


def test_a_port_that_is_taken_is_named() -> None:
    with bind_address("127.0.0.1", 0, open_to_network=False) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}: ") as caught:
            bind_address("127.0.0.1", port, open_to_network=False)
    assert "--port" in str(caught.value.hint)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_nothing_but_loopback_is_bound_by_default(host: str) -> None:
    with pytest.raises(UsageError, match="in the clear"):
        bind_address(host, 0, open_to_network=False)


@pytest.mark.parametrize(
    ("host", "asked", "bound"),
    [
        ("localhost", False, "127.0.0.1"),
        ("127.0.0.2", False, "127.0.0.2"),
        ("0.0.0.0", True, "0.0.0.0"),
    ],
)
def test_loopback_or_what_is_asked_for_is_bound(host: str, asked: bool, bound: str) -> None:
    with bind_address(host, 0, open_to_network=asked) as listener:
        assert listener.getsockname()[0] == bound


def test_answers_are_not_held_back() -> None:
    with bind_address("127.0.0.1", 0, open_to_network=False) as listener:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 65_536), ("127.0.0.1", -1), ("a..b", 0)])
def test_an_address_that_cannot_be_is_refused(host: str, port: int) -> None:
    with pytest.raises(UsageError):
        bind_address(host, port, open_to_network=False)


def test_an_open_address_is_shown_as_one_that_can_be_reached(start: Start) -> None:
    served = start(host="0.0.0.0", insecure_bind=True)
    assert served.url.startswith("http://127.0.0.1:")
    assert httpx.get(f"{served.url}/ready").is_success


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, True),
        ({"host": "0.0.0.0", "insecure_bind": True}, False),
        (
            {"host": "0.0.0.0", "insecure_bind": True, "allow_private_providers": True},
            True,
        ),
    ],
    ids=["loopback", "network", "allowed"],
)
def test_a_server_on_the_network_asks_no_private_provider_unless_it_is_allowed(
    start: Start, options: dict[str, Any], asked: bool
) -> None:
    served = start(**options)
    with serve() as endpoint, httpx.Client(headers={"API-KEY": served.key}) as client:
        contexts, plane = f"{served.url}/api/v1/contexts/acme", f"{served.url}/api/v1/acme"
        config = {
            "models": {"embedding": "standin/small"},
            "provider_urls": {"standin": endpoint.url},
            "providers": {"standin": KEY},
        }
        body = {"namespace": "acme", "database": "acme", "config": config}
        assert client.post(contexts, json=body).is_success
        started = client.post(f"{contexts}/lifecycle/reindex").json()
        job = finish_job(client, f"{contexts}/lifecycle/jobs/{started['job_id']}")
        client.post(f"{plane}/facts", json={"text": "Bo likes tea", "infer": "none"})
        client.post(f"{plane}/query", json={"query": "what does Bo like"})
    assert job["status"] == ("succeeded" if asked else "failed")
    assert ("its address is private" in (job["error"] or "")) is not asked
    assert set(endpoint.asked) == (
        {"acme", "Bo likes tea", "what does Bo like"} if asked else set()
    )


def finish_job(client: httpx.Client, url: str) -> dict[str, Any]:
    for _ in range(400):
        job: dict[str, Any] = client.get(url).json()
        if job["finished_at"]:
            return job
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def test_a_certificate_makes_it_https(start: Start, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "chain.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    served = start(
        host="0.0.0.0", certificate=str(tmp_path / "chain.pem"), key=str(tmp_path / "key.pem")
    )
    assert served.url.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    assert httpx.get(f"{served.url}/ready", verify=context).is_success


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used_is_named(
    start: Start, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "chain.pem"
    if content is not None:
        path.write_text(content)
    code, out, message = start(certificate=str(path), key=str(path)).wait()
    assert (code, out) == (ConfigError.exit_code, "")
    assert str(path) in message


def test_a_ready_file_that_cannot_be_written_is_named(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "ready.json"
    code, out, message = start(ready_file=str(path)).wait()
    assert (code, out) == (ConfigError.exit_code, "")
    assert str(path) in message


def log_of_requests(start: Start, log_format: str) -> str:
    served = start(log_format=log_format)
    headers = {"API-KEY": "sentinel-1", "X-Request-Id": "id-1"}
    httpx.get(f"{served.url}/api/v1/contexts?token=sentinel-2", headers=headers)
    httpx.get(f"{served.url}/a%0Ab", headers=headers)
    code, _, log = served.stop()
    assert code == 0
    assert "sentinel" not in log
    return "\n".join(
        log.splitlines()[1:-2]
    )  # behind the line of the start, before those of the stop


def test_the_log_has_a_line_of_json_for_each_request(start: Start) -> None:
    first, second = (json.loads(line) for line in log_of_requests(start, "json").splitlines())
    assert first["time"].endswith("Z")
    assert isinstance(first["ms"], float)
    assert {name: first[name] for name in ("level", "method", "path", "status", "request_id")} == {
        "level": "warning",
        "method": "GET",
        "path": "/api/v1/contexts",
        "status": 401,
        "request_id": "id-1",
    }
    assert (first["client"], first["reason"]) == ("127.0.0.1", "malformed key")
    assert second["path"] == "/a%0Ab"


def test_the_log_has_a_line_of_text_for_each_request(start: Start) -> None:
    first, second = log_of_requests(start, "text").splitlines()
    assert re.fullmatch(
        r"\S+Z WARNING GET /api/v1/contexts 401 [\d.]+ms id-1"
        r' client="127.0.0.1" reason="malformed key"',
        first,
    )
    assert " GET /a%0Ab 400 " in second


def test_a_client_that_sends_far_too_much_still_reads_why(start: Start) -> None:
    served = start()
    headers = {"API-KEY": served.key, "Content-Type": "application/json"}
    body = b" " * 30_000_000
    with httpx.Client(base_url=served.url, headers=headers) as client:
        announced = client.post("/api/v1/contexts/a", content=body)
        counted = client.post("/api/v1/contexts/a", content=iter([body]))
        assert (announced.status_code, counted.status_code) == (413, 413)
        assert client.get("/api/v1/contexts").status_code == 200

"""`spectronctl doctor` on the way to a server: real sockets, real TLS, and whatever else may listen on a port."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from spectronctl.ground.installing import find_install_command
from tests.support.commandline import SENTINEL, CommandLine, Result
from tests.support.diagnoses import find, first_failure, statuses
from tests.support.server import Server
from tests.support.sockets import free_address, listen, open_door, open_proxy

KEY = f"mgmt-{SENTINEL}"


pytestmark = pytest.mark.usefixtures("no_proxies")


@pytest.fixture
def doctor(run_alone: CommandLine) -> CommandLine:
    """The command line on a real network, with a key at hand that no check of the network may send."""
    run_alone.env |= {"SPECTRON_MANAGEMENT_API_KEY": KEY, "SPECTRONCTL_TIMEOUT": "2s"}
    return run_alone


def examine(run: CommandLine, url: str, options: str = "", **env: str) -> Result:
    result = run(f"doctor --url {url} -o json {options}", env=env)
    assert SENTINEL not in result.out + result.err
    return result


def say(text: bytes) -> Any:
    return lambda connection: (connection.recv(4096), connection.sendall(text), connection.close())


def page(status: int, title: str, **headers: str) -> Any:
    return lambda request: httpx.Response(
        status, html=f"<html><title>{title}</title></html>", headers=headers
    )


# Who listens there


def test_no_one_listens(doctor: CommandLine) -> None:
    result = examine(doctor, f"http://{free_address()}")
    row = first_failure(result)
    assert (result.code, row["check"]) == (9, "tcp")
    assert "connection refused" in row["detail"]
    after = {name: status for name, status in statuses(result).items() if status == "skipped"}
    assert {"tls", "protocol", "health", "management_key", "capabilities", "context"} < set(after)
    assert find(result, "health")["detail"] == "needs tcp, which failed"


def test_a_name_that_does_not_resolve(doctor: CommandLine) -> None:
    result = examine(doctor, "http://no-such-host.invalid")
    assert (result.code, first_failure(result)["check"]) == (9, "dns")


@pytest.mark.parametrize(
    ("behave", "problem"),
    [
        (say(b"SSH-2.0-OpenSSH_9.6\r\n"), "it says 'SSH-2.0-OpenSSH_9.6'"),
        (say(b"220 mail.test ESMTP\r\n"), "does not speak HTTP: it says '220 mail.test ESMTP'"),
        (say(b""), "closes it without a response"),
        (lambda connection: None, "says nothing within 1 s"),
    ],
    ids=["ssh", "mail", "closes", "silent"],
)
def test_something_else_listens(doctor: CommandLine, behave: Any, problem: str) -> None:
    started = time.monotonic()
    with listen(behave) as port:
        result = examine(doctor, f"http://127.0.0.1:{port}")
    row = first_failure(result)
    assert (result.code, row["check"]) == (9, "protocol")
    assert problem in row["detail"]
    assert "9090" in row["hint"]
    assert time.monotonic() - started < 6


NASTY = [
    b"HTTP/1.1 abc\r\n\r\n",
    b"HTTP/1.1 " + b"9" * 5_000 + b" OK\r\n\r\n",
    b"HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    b"HTTP/1.1 200 \xff\xfe\r\nDate: never\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nDate: Thu, 99 Foo 99999 99:99:99 GMT\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[[[[[[",
    b"\x1b]0;title\x07\x1b[2J\r\n",
    bytes(range(256)),
    bytes(70_000),
]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("data", NASTY, ids=range(len(NASTY)))
def test_whatever_a_port_says_is_told_and_no_defect_of_ours(
    data: bytes, scheme: str, doctor: CommandLine
) -> None:
    with listen(say(data)) as port:
        result = examine(doctor, f"{scheme}://127.0.0.1:{port}")
        table = doctor(f"doctor --url {scheme}://127.0.0.1:{port}")
    assert result.code in {3, 9}
    assert "unexpected" not in result.out + result.err
    assert "\x1b" not in result.out + table.out + table.err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page(200, "Sign in"), "web page “Sign in”"),
        (page(401, "Sign in"), "web page “Sign in”"),
        (page(302, "Moved", Location="https://login.test/oauth?token=x"), "https://login.test"),
        (page(404, "nginx"), "nginx"),
        (page(502, "Bad Gateway"), "Bad Gateway"),
    ],
    ids=["login", "401", "redirect", "404", "502"],
)
def test_another_web_server_gets_no_key(doctor: CommandLine, answer: Any, words: str) -> None:
    with open_door(answer) as door:
        result = examine(doctor, f"http://127.0.0.1:{door.port}")
    row = first_failure(result)
    assert row["check"] == "health"
    assert words in row["detail"]
    assert "token" not in result.out
    assert result.code in {3, 9}
    assert not any({"authorization", "api-key"} & request.headers.keys() for request in door.asked)


def test_surrealdb_itself_is_recognised(doctor: CommandLine) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/version":
            return httpx.Response(200, text="surrealdb-3.2.0")
        return httpx.Response(404, text="Not Found")

    with open_door(answer) as door:
        result = examine(doctor, f"http://127.0.0.1:{door.port}")
    assert "SurrealDB itself (surrealdb-3.2.0)" in first_failure(result)["detail"]
    assert result.code == 9


def test_health_that_never_ends_does_not_hang(doctor: CommandLine) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        time.sleep(1.5 if "Connection" in request.headers else 0)
        return httpx.Response(200, json={})

    started = time.monotonic()
    with open_door(answer) as door:
        result = examine(doctor, f"http://127.0.0.1:{door.port}", "--timeout 0.3s")
    assert first_failure(result)["exit_code"] == 9
    assert time.monotonic() - started < 6


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="Acme", organization_unit_name="Proxy CA")


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "acme.pem"))
    return str(tmp_path / "acme.pem")


def secure(
    authority: trustme.CA,
    name: str,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.issue_cert(name, not_before=not_before, not_after=not_after)
    pair.configure_cert(context)
    return context


@pytest.fixture
def secured(server: Server, authority: trustme.CA) -> Iterator[str]:
    """The URL of the server in memory, behind a certificate of an unknown authority."""
    with open_door(server.handle_request, secure(authority, "localhost")) as door:
        yield f"https://localhost:{door.port}"


def test_a_trusted_certificate_is_told_with_who_trusts_it(
    secured: str, server: Server, doctor: CommandLine, ca_file: str
) -> None:
    result = examine(
        doctor, secured, SPECTRONCTL_CA_FILE=ca_file, SPECTRON_MANAGEMENT_API_KEY=server.key
    )
    assert (result.code, result.err) == (0, "")
    row = find(result, "tls")
    assert row["status"] == "ok"
    assert f"verified by ca_file {ca_file}" in row["detail"]
    assert row["facts"]["version"] == "TLSv1.3"
    assert row["facts"]["trusted_by"] == f"ca_file {ca_file}"
    assert row["facts"]["certificates"][0]["issuer"] == "O=Acme, OU=Proxy CA"
    assert find(result, "management_key")["status"] == "ok"


def test_a_strangers_certificate_is_told_with_the_command_that_would_trust_it(
    secured: str, server: Server, doctor: CommandLine
) -> None:
    doctor(f"profiles add prod --url {secured}")
    result = doctor("doctor --profile prod -o json")
    row = first_failure(result)
    assert (result.code, row["check"]) == (9, "tls")
    assert "O=Acme, OU=Proxy CA" in row["detail"]
    assert row["command"] == "spectronctl profiles set prod ca_file ca.pem"
    assert row["facts"]["trusted_by"] is None
    assert "Ask the operator of the server" in row["hint"]
    assert all("API-KEY" not in request.headers for request in server.requests)


def test_the_command_that_is_named_does_make_it_trusted(
    secured: str, server: Server, doctor: CommandLine, ca_file: str
) -> None:
    doctor(f"profiles add prod --url {secured}")
    command = first_failure(doctor("doctor --profile prod -o json"))["command"]
    words = command.removeprefix("spectronctl ").replace("ca.pem", ca_file)
    assert doctor(words).code == 0
    again = doctor("doctor --profile prod -o json", env={"SPECTRON_MANAGEMENT_API_KEY": server.key})
    assert (again.code, find(again, "tls")["status"]) == (0, "ok")


def test_an_authority_that_the_server_sends_along_can_be_kept_and_is_not_trusted(
    server: Server, doctor: CommandLine, authority: trustme.CA, tmp_path: Path
) -> None:
    pair = authority.issue_cert("localhost")
    chain = pair.cert_chain_pems[0].bytes() + authority.cert_pem.bytes()
    (tmp_path / "chain.pem").write_bytes(chain)
    pair.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    with open_door(server.handle_request, context) as door:
        url = f"https://localhost:{door.port}"
        result = examine(doctor, url, f"--save-ca {tmp_path}/ca.pem")
        row = first_failure(result)
        kept = (tmp_path / "ca.pem").read_bytes()
        env = {
            "SPECTRONCTL_CA_FILE": f"{tmp_path}/ca.pem",
            "SPECTRON_MANAGEMENT_API_KEY": server.key,
        }
        assert (result.code, row["check"]) == (9, "tls")
        assert examine(doctor, url).code == 9
        assert examine(doctor, url, **env).code == 0
    assert ssl.PEM_cert_to_DER_cert(kept.decode()) == ssl.PEM_cert_to_DER_cert(
        authority.cert_pem.bytes().decode()
    )
    assert row["facts"]["certificates"][1]["sha256"] in row["hint"]


def test_an_authority_that_is_not_sent_cannot_be_kept(
    secured: str, server: Server, doctor: CommandLine, ca_file: str, tmp_path: Path
) -> None:
    env = {"SPECTRONCTL_CA_FILE": ca_file, "SPECTRON_MANAGEMENT_API_KEY": server.key}
    result = examine(doctor, secured, f"--save-ca {tmp_path}/new.pem", **env)
    assert (result.code, result.error["kind"]) == (5, "not_found")
    assert not (tmp_path / "new.pem").exists()


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("names", "dates", "code", "status", "words"),
    [
        ("other.test", {}, 9, "failed", "is not for localhost, but for other.test"),
        ("10.0.0.1", {}, 9, "failed", "is not for localhost, but for 10.0.0.1"),
        ("localhost", {"not_after": NOW - timedelta(days=1)}, 9, "failed", "it is valid from"),
        ("localhost", {"not_before": NOW + timedelta(days=1)}, 9, "failed", "it is valid from"),
        ("localhost", {"not_after": NOW + timedelta(days=5)}, 0, "warning", "ends in 4 days"),
        ("localhost", {"not_after": NOW + timedelta(days=30)}, 0, "ok", "TLSv1.3, verified"),
    ],
    ids=["name", "address", "expired", "not yet", "soon", "fine"],
)
def test_certificates_are_told_apart(
    server: Server,
    doctor: CommandLine,
    authority: trustme.CA,
    ca_file: str,
    names: str,
    dates: dict[str, datetime],
    code: int,
    status: str,
    words: str,
) -> None:
    with open_door(server.handle_request, secure(authority, names, **dates)) as door:
        env = {"SPECTRONCTL_CA_FILE": ca_file, "SPECTRON_MANAGEMENT_API_KEY": server.key}
        result = examine(doctor, f"https://localhost:{door.port}", **env)
    row = find(result, "tls")
    assert (result.code, row["status"]) == (code, status)
    assert words in row["detail"]
    assert "ca_file" not in (row["command"] or "")


@pytest.mark.parametrize("is_trusted", [True, False])
def test_without_the_library_a_line_says_that_certificates_are_not_read(
    is_trusted: bool,
    server: Server,
    doctor: CommandLine,
    authority: trustme.CA,
    ca_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for place in ("client.probes", "cli.commands.doctor._examination"):
        monkeypatch.setattr(f"spectronctl.{place}.can_read_certificates", lambda: False)
    env = {"SPECTRON_MANAGEMENT_API_KEY": server.key}
    env |= {"SPECTRONCTL_CA_FILE": ca_file} if is_trusted else {}
    with open_door(server.handle_request, secure(authority, "localhost")) as door:
        url = f"https://localhost:{door.port}"
        result = examine(doctor, url, **env)
        saved = examine(doctor, url, f"--save-ca {tmp_path}/ca.pem", **env)
    row = find(result, "tls")
    assert row["status"] == ("ok" if is_trusted else "failed")
    assert "package cryptography is not installed" in f"{row['detail']} {row['hint']}"
    assert (saved.code, saved.out) == (11, "")
    assert "--save-ca reads certificates with the package cryptography" in saved.error["message"]
    assert saved.error["command"] == find_install_command()


def test_http_to_a_port_of_tls(doctor: CommandLine, authority: trustme.CA) -> None:
    with open_door(page(200, "x"), secure(authority, "localhost")) as door:
        result = examine(doctor, f"http://127.0.0.1:{door.port}")
        row = first_failure(result)
    assert (result.code, row["check"]) == (9, "protocol")
    assert "speaks TLS" in row["detail"]
    assert row["command"] == f"export SPECTRONCTL_URL=https://127.0.0.1:{door.port}"


@pytest.mark.parametrize("is_secure", [True, False])
def test_a_400_to_plain_http_may_come_from_a_server_of_tls(
    is_secure: bool, doctor: CommandLine, authority: trustme.CA
) -> None:
    context = secure(authority, "localhost")
    complaint = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nto an HTTPS port"

    def behave(connection: socket.socket) -> None:
        if is_secure and connection.recv(1, socket.MSG_PEEK) == b"\x16":
            context.wrap_socket(connection, server_side=True).close()
        else:
            say(complaint)(connection)

    with listen(behave) as port:
        row = first_failure(examine(doctor, f"http://127.0.0.1:{port}"))
    assert (row["check"], "speaks TLS" in row["detail"]) == (
        ("protocol", True) if is_secure else ("health", False)
    )


def test_https_to_a_plain_port(doctor: CommandLine, server: Server) -> None:
    with open_door(server.handle_request) as door:
        doctor(f"profiles add prod --url https://127.0.0.1:{door.port}")
        result = doctor("doctor --profile prod -o json")
        row = first_failure(result)
    assert (result.code, row["check"]) == (9, "tls")
    assert "speaks plain http, not TLS" in row["detail"]
    assert row["command"] == f"spectronctl profiles set prod url http://127.0.0.1:{door.port}"


def test_https_to_a_port_of_ssh(doctor: CommandLine) -> None:
    with listen(say(b"SSH-2.0-x\r\n")) as port:
        result = examine(doctor, f"https://127.0.0.1:{port}")
    assert "it says 'SSH-2.0-x'" in first_failure(result)["detail"]


def _write(authority: trustme.CA, run: CommandLine) -> Path:
    path = run.home / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def test_tls_that_says_nothing_does_not_hang(doctor: CommandLine) -> None:
    started = time.monotonic()
    with listen(lambda connection: None) as port:
        result = examine(doctor, f"https://127.0.0.1:{port}", "--timeout 1s")
    assert (result.code, first_failure(result)["check"]) == (9, "tls")
    assert time.monotonic() - started < 4


# Proxies


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_from_the_environment_is_named_and_gone_through(
    scheme: str,
    server: Server,
    doctor: CommandLine,
    authority: trustme.CA,
    ca_file: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tls = secure(authority, "spectron.test") if scheme == "https" else None
    with (
        open_door(server.handle_request, tls) as door,
        open_proxy(door.port) as (port, seen),
    ):
        name = f"{scheme.upper()}_PROXY"
        monkeypatch.setenv(name, f"http://ada:{SENTINEL}@127.0.0.1:{port}")
        env = {"SPECTRONCTL_CA_FILE": ca_file, "SPECTRON_MANAGEMENT_API_KEY": server.key}
        result = examine(doctor, f"{scheme}://spectron.test:4711", **env)
    assert result.code == 0, result.err
    row = find(result, "proxy")
    assert row["facts"] == {"proxy": f"http://127.0.0.1:{port}", "source": name}
    assert find(result, "dns")["facts"]["host"] == "127.0.0.1"
    assert find(result, "protocol")["status"] == "ok"
    assert find(result, "management_key")["status"] == "ok"
    assert find(result, "tls")["status"] == ("ok" if tls else "warning")
    assert all(b"Proxy-Authorization: Basic" in head for head in seen)


def test_no_proxy_is_honoured_and_told(
    server: Server, doctor: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{free_address()}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with open_door(server.handle_request) as door:
        env = {"SPECTRON_MANAGEMENT_API_KEY": server.key}
        result = examine(doctor, f"http://127.0.0.1:{door.port}", **env)
    assert result.code == 0
    rule = "NO_PROXY takes 127.0.0.1 out of HTTP_PROXY (entry 127.0.0.1)"
    assert rule in find(result, "proxy")["detail"]


def test_a_proxy_that_is_not_there_is_the_one_that_is_named(doctor: CommandLine) -> None:
    address = free_address()
    result = examine(doctor, "https://spectron.test", SPECTRONCTL_PROXY=f"http://{address}")
    row = first_failure(result)
    assert (result.code, row["check"]) == (9, "tcp")
    assert f"the proxy http://{address}" in row["detail"]
    assert find(result, "proxy")["facts"]["source"] == "SPECTRONCTL_PROXY"


def test_a_proxy_that_lets_no_one_through(doctor: CommandLine) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with listen(say(refusal)) as port:
        result = examine(
            doctor, "https://spectron.test", SPECTRONCTL_PROXY=f"http://127.0.0.1:{port}"
        )
    row = first_failure(result)
    assert (result.code, row["check"]) == (9, "tcp")
    assert "407" in row["detail"]

"""Bad input is refused before anything is sent, by name, and without showing a secret."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
import truststore

from spectronctl import errors
from spectronctl.api import health
from spectronctl.client import _connection
from tests.support.fakes import KEY, Connect, Face, FakeSpectron

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def http_of(client: Face) -> Any:
    return vars(vars(client)["_client"])["_http"]


def pool_of(client: Face, url: str) -> Any:
    return http_of(client)._transport_for_url(httpx.URL(url))._pool


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (f"{KEY}\nsecond", "line break"),
        (f"{KEY}\r\n{KEY}", "line break"),
        (f"{KEY}\x00x", "control characters"),
        (f"{KEY} x", "blanks"),
        (f"{KEY}\tx", "blanks"),
        (f"{KEY}ü", "beyond ASCII"),
        ("", "empty"),
        (" \n", "empty"),
    ],
)
def test_a_key_that_no_header_can_carry_is_refused_unseen(
    connect: Connect, key: str, problem: str
) -> None:
    with pytest.raises(errors.ConfigError, match=f"^api_key: it .*{problem}") as caught:
        connect(api_key=key)
    assert KEY not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("localhost:9090", "is not an http"),
        ("ftp://host", "is not an http"),
        ("//host", "is not an http"),
        ("http:host", "is not an http"),
        ("http://", "is not an http"),
        ("http:///path", "is not an http"),
        ("", "is not an http"),
        ("http://host:65536", "is not an http"),
        ("http://host:0", "is not an http"),
        ("http://[::1", "is not an http"),
        ("http://[host", "is not an http"),
        ("http://ho st", "is not an http"),
        ("http://ho\x07st", "is not an http"),
        ("http://a..b", "is not an http"),
        ("http://" + "a" * 64, "is not an http"),
        ("http://host?token=hidden", "a query or a fragment"),
        ("http://host/#hidden", "a query or a fragment"),
        ("http://user:hidden@host", "a user or password"),
        ("http://user:hid/den@host:x", "a user or password"),
    ],
)
def test_a_base_url_that_cannot_be_used_is_named(connect: Connect, url: str, problem: str) -> None:
    with pytest.raises(errors.ConfigError, match=f"^base_url: .*{problem}") as caught:
        connect(url)
    assert "http(s)://HOST" in (caught.value.hint or "")
    assert "hid" not in caught.value.message


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_timeout_out_of_range_is_named(connect: Connect, timeout: float) -> None:
    with pytest.raises(errors.ConfigError, match=r"^timeout: "):
        connect(timeout=timeout)


def test_negative_retries_are_named(connect: Connect) -> None:
    with pytest.raises(errors.ConfigError, match=r"^retries: -1"):
        connect(retries=-1)


def test_an_unknown_auth_header_lists_the_choices(connect: Connect) -> None:
    with pytest.raises(errors.ConfigError, match=r"^auth_header: 'basic'") as caught:
        connect(auth_header="basic")
    assert caught.value.candidates == ["both", "bearer", "api-key"]


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "no such file"), ("no certificate", "no certificate in PEM")]
)
def test_a_ca_file_that_cannot_be_used_is_named(
    connect: Connect, tmp_path: Path, content: str | None, problem: str
) -> None:
    ca_file = tmp_path / "ca.pem"
    if content:
        ca_file.write_text(content)
    with pytest.raises(errors.ConfigError, match=f"^ca_file: .*ca.pem: .*{problem}"):
        connect("https://spectron.test", ca_file=str(ca_file))


@pytest.mark.parametrize(
    ("url", "options", "secure"),
    [
        ("http://spectron.test", {}, False),
        ("http://spectron.test", {"proxy": "http://proxy.test:3128"}, False),
        ("https://spectron.test", {}, True),
        ("https://spectron.test", {"proxy": "http://proxy.test:3128"}, True),
        ("http://spectron.test", {"proxy": "https://proxy.test:3128"}, True),
    ],
)
def test_certificates_are_loaded_only_where_tls_is_in_play(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    options: dict[str, str],
    secure: bool,
) -> None:
    load = Mock(wraps=_connection.trust_system)
    monkeypatch.setattr("spectronctl.client._settings.trust_system", load)
    client = connect(url, **options)
    assert load.called is secure
    assert isinstance(pool_of(client, url)._ssl_context, truststore.SSLContext) is secure


def test_plain_http_trusts_no_one() -> None:
    context = _connection.trust_no_certificate()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs() == []


@pytest.mark.parametrize(
    ("environment", "url", "proxied"),
    [
        ({"HTTP_PROXY": "http://proxy.test:3128"}, "http://spectron.test", True),
        ({"HTTPS_PROXY": "http://proxy.test:3128"}, "http://spectron.test", False),
        ({"https_proxy": "proxy.test:3128"}, "https://spectron.test", True),
        ({"ALL_PROXY": "http://proxy.test:3128"}, "https://spectron.test", True),
        (
            {"HTTP_PROXY": "http://proxy.test", "NO_PROXY": "spectron.test"},
            "http://spectron.test",
            False,
        ),
        ({"HTTP_PROXY": "http://proxy.test", "NO_PROXY": ".test"}, "http://spectron.test", False),
        ({"HTTP_PROXY": "http://proxy.test", "NO_PROXY": "*"}, "http://spectron.test", False),
        ({"HTTP_PROXY": "http://proxy.test", "NO_PROXY": "h:9090"}, "http://h:9090", False),
        ({"HTTP_PROXY": "http://proxy.test", "NO_PROXY": "h:9091"}, "http://h:9090", True),
        ({"HTTP_PROXY": "http://proxy.test", "NO_PROXY": "::1"}, "http://[::1]:9090", False),
    ],
)
def test_the_proxy_follows_the_environment(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    url: str,
    proxied: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    pool = pool_of(connect(url), url)
    assert hasattr(pool, "_proxy_url") is proxied
    if proxied:
        assert pool._proxy_url.host == b"proxy.test"


@pytest.mark.parametrize("environment", [{"HTTP_PROXY": "http://other.test"}, {"NO_PROXY": "*"}])
def test_an_explicit_proxy_wins(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    pool = pool_of(connect(proxy="http://proxy.test"), "http://spectron.test")
    assert pool._proxy_url.host == b"proxy.test"


@pytest.mark.parametrize("proxy", ["proxy.test:3128", "ftp://u:hidden@proxy", "http://u:hidden@[x"])
def test_a_proxy_that_cannot_be_used_is_named_unseen(connect: Connect, proxy: str) -> None:
    with pytest.raises(errors.ConfigError, match=r"^proxy: not a URL") as caught:
        connect(proxy=proxy)
    assert "hidden" not in str(caught.value)


def test_a_socks_proxy_says_what_is_missing(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.test")
    with pytest.raises(errors.ConfigError, match=r"^proxy: SOCKS needs .*socksio"):
        connect()


def test_no_credentials_come_from_netrc(
    connect: Connect, spectron: FakeSpectron, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine spectron.test login operator password hidden\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    spectron.on("GET", "/api/v1/health", json={"status": "ok"})
    client = connect(transport=httpx.MockTransport(spectron.answer))
    client.send(health.get_health())
    assert "Authorization" not in spectron.requests[0].headers
    assert http_of(client).trust_env is False

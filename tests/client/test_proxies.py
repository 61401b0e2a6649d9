"""The environment's proxies: what curl did with each row of a table, and what we do (client/_proxies.py)."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.api import contexts
from spectronctl.client import Client
from spectronctl.client._proxies import choose_proxy
from spectronctl.errors import ConfigError, NotFoundError
from tests.support.curl import run_curl
from tests.support.sockets import listen

SAMPLES = Path(__file__).parents[1] / "support" / "samples" / "curl_proxies.json"
TABLE = json.loads(SAMPLES.read_text())
ROWS: list[dict[str, Any]] = TABLE["rows"]
KEY = "mgmt-never-in-clear"

KEPT_FROM_PROXY = {
    *("192.0.2.1:9090", "a;192.0.2.1", "[192.0.2.1]"),
    *("[2001:db8::1]", "[2001:db8::1]:9090", "2001:db8::1/128"),
    *("2001:db8::/32", "2001:db8::/33", "2001:db8:0:0:0:0:0:1"),
    *("*.example.test", "a.example.test:9090", "example.test:9090", "b;example.test"),
    *("[2001:db8::]/32", "example.test:80", "example.test:443"),
}
"""Entries that name the server beyond doubt, and that this version of curl does not read."""


def choose(row: dict[str, Any]) -> str:
    url = httpx.URL(row["url"])
    return "proxy" if choose_proxy(url.scheme, url.host, url.port, row["env"])[0] else "direct"


def expect(row: dict[str, Any]) -> str:
    env, url = row["env"], row["url"]
    if env.keys() == {"HTTP_PROXY"}:
        return "proxy"  # curl never reads it, and everything else does: a firewall may leave no other way
    is_here = any(host in url for host in ("http://127.", "http://localhost", "http://[::1]"))
    return "direct" if is_here or env.get("no_proxy") in KEPT_FROM_PROXY else row["curl"]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['url']} {row['env']}" for row in ROWS])
def test_a_row_of_the_table(row: dict[str, Any]) -> None:
    assert choose(row) == expect(row)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_curl_sends_directly_never_goes_to_a_proxy() -> None:
    told = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    with run_curl() as curl:
        ways = [curl.goes_through_proxy(row["url"], row["env"]) for row in ROWS]
    leaks = [
        row
        for row, is_proxied in zip(ROWS, ways, strict=True)
        if not is_proxied and choose(row) == "proxy" and row["env"].keys() != {"HTTP_PROXY"}
    ]
    assert leaks == []
    if told.split()[1] == TABLE["version"]:
        assert ["proxy" if each else "direct" for each in ways] == [row["curl"] for row in ROWS]


@pytest.mark.parametrize(
    ("host", "env", "why"),
    [
        ("h.test", {}, "no proxy is set"),
        (
            "h.test",
            {"all_proxy": "p:1", "no_proxy": "a, .TEST"},
            "no_proxy takes h.test out of all_proxy (entry .TEST)",
        ),
        (
            "127.0.0.1",
            {"HTTP_PROXY": "p:1"},
            "127.0.0.1 is this machine, which HTTP_PROXY is not used for",
        ),
    ],
)
def test_the_reason_names_variable_and_entry(host: str, env: dict[str, str], why: str) -> None:
    assert choose_proxy("http", host, 9090, env) == (None, why)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.9.9.9", "127.1", "2130706433", "0x7f.1"),
        *("localhost", "LOCALHOST.", "a.localhost"),
        *("::1", "0:0::1", "::ffff:127.0.0.1", "0.0.0.0", "::"),
    ],
)
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_plain_http_to_this_machine_goes_through_no_proxy(host: str, name: str) -> None:
    assert choose_proxy("http", host, 9090, {name: "socks5://p:1"})[0] is None


@pytest.mark.parametrize(
    "host", ["127.0.0.1.example.test", "localhost.example.test", "128.0.0.1", "::2"]
)
def test_other_hosts_that_look_like_this_machine_do(host: str) -> None:
    assert choose_proxy("http", host, 9090, {"http_proxy": "p:1"}) == ("http://p:1", "http_proxy")


def refuse(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")


def test_no_key_reaches_a_proxy_on_the_way_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []
    with (
        listen(lambda connection: heads.append(connection.recv(4096))) as proxy,
        listen(refuse) as port,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        for host in ("127.0.0.1", "localhost"):
            with (
                Client(f"http://{host}:{port}", api_key=KEY, retries=0) as client,
                pytest.raises(NotFoundError),
            ):
                client.send(contexts.list_contexts())
    assert heads == []


def test_a_proxy_that_cannot_be_used_names_its_variable_and_hides_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "ftp://ada:hidden@proxy.test")
    with pytest.raises(ConfigError, match="proxy: not a URL") as caught:
        Client("https://spectron.test")
    assert "https_proxy" in (caught.value.hint or "")
    assert "hidden" not in f"{caught.value} {vars(caught.value)}"

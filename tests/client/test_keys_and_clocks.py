"""Another key over the same connections, and how far the server's clock is from ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

import httpx
import pytest

from spectronctl.api import contexts
from spectronctl.client import AsyncClient, Client
from spectronctl.errors import AuthError, ConfigError
from tests.support.fakes import KEY, URL

READ = contexts.get_context("acme")
OTHER = "sk-acme-sentinel-4712"

Responder = Callable[[httpx.Request], httpx.Response]


def connect(answer: Responder, **options: Any) -> Client:
    return Client(URL, api_key=KEY, transport=httpx.MockTransport(answer), **options)


def echo(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"id": "acme", "seen": dict(request.headers)})


def test_another_key_signs_and_the_first_goes_on_signing() -> None:
    client = connect(echo)
    other = client.with_key(OTHER)
    keys = [one.send(READ).to_dict()["seen"]["api-key"] for one in (client, other, client)]
    assert keys == [KEY, OTHER, KEY]
    assert other.send(READ).to_dict()["seen"]["authorization"] == f"Bearer {OTHER}"


def test_the_asynchronous_client_does_the_same() -> None:
    async def ask() -> list[str]:
        transport = httpx.MockTransport(echo)
        async with AsyncClient(URL, api_key=KEY, transport=transport) as client:
            both = (client, client.with_key(OTHER))
            return [(await one.send(READ)).to_dict()["seen"]["api-key"] for one in both]

    assert asyncio.run(ask()) == [KEY, OTHER]


def test_another_key_goes_into_the_same_headers() -> None:
    client = connect(echo, auth_header="api-key").with_key(OTHER)
    assert "authorization" not in client.send(READ).to_dict()["seen"]


@pytest.mark.parametrize("header", ["bearer", "api-key"])
def test_a_key_may_go_into_one_header_alone(header: Literal["bearer", "api-key"]) -> None:
    seen = connect(echo).with_key(OTHER, header).send(READ).to_dict()["seen"]
    sent = {name for name in ("authorization", "api-key") if name in seen}
    assert sent == {"authorization" if header == "bearer" else "api-key"}


def test_a_client_without_a_key_gets_one() -> None:
    client = Client(URL, transport=httpx.MockTransport(lambda _: httpx.Response(401)))
    with pytest.raises(AuthError) as caught:
        client.with_key(OTHER).send(READ)
    assert "No key was sent" not in (caught.value.hint or "")


def test_neither_key_is_ever_shown() -> None:
    told = {"message": f"{KEY} and {OTHER} are unknown"}
    client = connect(lambda _: httpx.Response(400, json=told)).with_key(OTHER)
    with pytest.raises(Exception, match="are unknown") as caught:
        client.send(READ)
    assert KEY not in str(caught.value)
    assert OTHER not in str(caught.value)


@pytest.mark.parametrize("bad", ["", " ", "a\nb", "ä", "a b"])
def test_what_is_no_key_is_refused(bad: str) -> None:
    with pytest.raises(ConfigError, match="api_key"):
        connect(echo).with_key(bad)


@pytest.mark.parametrize("seconds", [-600, -4, 4, 600])
def test_the_servers_clock_is_read_off_its_answers(seconds: int) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
        return httpx.Response(200, json={"id": "acme"}, headers={"Date": date})

    client = connect(answer)
    assert client.clock_offset == timedelta()
    client.send(READ)
    assert client.clock_offset.total_seconds() == pytest.approx(seconds, abs=1.5)


@pytest.mark.parametrize("date", [None, "", "yesterday", "now", "1 second"])
def test_without_a_date_that_differs_the_clocks_agree(date: str | None) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        value = format_datetime(datetime.now(UTC), usegmt=True) if date == "now" else date
        headers = {} if value is None else {"Date": value}
        return httpx.Response(200, json={"id": "acme"}, headers=headers)

    client = connect(answer)
    client.send(READ)
    assert client.clock_offset == timedelta()

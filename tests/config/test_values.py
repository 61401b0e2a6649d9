from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spectronctl.config import values
from spectronctl.errors import UsageError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:9090", "http://localhost:9090"),
        ("https://spectron.example/base/", "https://spectron.example/base"),
        ("http://[::1]:9090", "http://[::1]:9090"),
    ],
)
def test_a_server_url_loses_its_trailing_slash(text: str, url: str) -> None:
    assert values.parse_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:9090",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host:99999",
        "http://[::1",
        "http://host?x=1",
        "http://host#x",
        "http://ho st",
        "http://host\n",
    ],
)
def test_what_is_no_server_url_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"http://HOST:PORT"):
        values.parse_url(text)


@pytest.mark.parametrize("parse", [values.parse_url, values.parse_proxy])
def test_a_refused_url_never_repeats_its_password(parse: Callable[[str], Any]) -> None:
    with pytest.raises(UsageError) as caught:
        parse("gopher://ada:SENTINEL@host")
    assert "SENTINEL" not in str(caught.value.to_dict())


def test_a_proxy_may_hold_a_password_that_is_shown_as_stars() -> None:
    proxy = values.parse_proxy("socks5://ada:p@ss@proxy:1080")
    assert values.has_userinfo(proxy)
    assert values.hide_userinfo(proxy) == "socks5://***@proxy:1080"
    assert not values.has_userinfo("http://proxy/a@b")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://a.example", "https://A.example:443/base", True),
        ("https://a.example", "http://a.example", False),
        ("http://a.example:9090", "http://a.example:9091", False),
        ("http://a.example", "http://a.example.evil", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, is_same: bool) -> None:
    assert (values.origin(one) == values.origin(other)) is is_same


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (values.parse_bool, "maybe"),
        (values.parse_retries, "-1"),
        (values.parse_retries, "1.5"),
        (values.parse_limit, "0"),
        (values.parse_timeout, "0s"),
        (values.parse_columns, "a,,b"),
        (values.parse_text, "  "),
        (values.parse_auth_header, "basic"),
        (values.parse_color, "sometimes"),
        (values.parse_output, "xml"),
    ],
)
def test_a_value_outside_its_form_is_refused(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(UsageError, match="needed"):
        parse(text)


def test_values_are_read_as_their_types() -> None:
    assert values.parse_bool(" Yes ") is True
    assert values.parse_bool("0") is False
    assert values.parse_retries("0") == 0
    assert values.parse_limit("20") == 20
    assert values.parse_timeout("1m") == 60
    assert values.parse_columns("id, name") == ("id", "name")


def test_a_mistyped_choice_names_the_near_one() -> None:
    with pytest.raises(UsageError) as caught:
        values.parse_output("jsnl")
    assert "jsonl" in caught.value.candidates

"""Promises of ground/addresses.py: the spellings of one server are one server, and others are others."""

from __future__ import annotations

import httpx
import pytest

from spectronctl.ground.addresses import canonical_host, canonical_server

SAME = [
    [
        *(
            "http://localhost:9090",
            "HTTP://localhost:9090",
            "http://LOCALHOST:9090/",
            "http://localhost.:9090",
        ),
        *(
            "http://127.0.0.1:9090",
            "http://127.1:9090",
            "http://[::1]:9090",
            "http://[0:0::1]:9090//",
        ),
        *(
            "http://localhost:9090/api/v1",
            "http://localhost:9090/api/v1/",
            "http://localhost:09090",
        ),
        *("http://loc%61lhost:9090", "http://127.0.0.1:9090/%61pi/v1", "http://2130706433:9090"),
        *("http://[::ffff:127.0.0.1]:9090",),
    ],
    [
        "https://bücher.test",
        "https://BÜCHER.test:443/",
        "https://xn--bcher-kva.test",
        "https://bücher。test",
    ],
    ["http://a.test/x", "http://a.test:80/x/", "http://A.test./%78/api/v1"],
    ["http://a.test/x%2Fy", "http://a.test/x%2fy/"],
]
OTHERS = [
    *(
        "http://localhost:9090",
        "https://localhost:9090",
        "http://localhost:9091",
        "http://127.0.0.2:9090",
    ),
    *(
        "http://a.test",
        "http://a.test/x",
        "http://a.test/X",
        "http://a.test/x/y",
        "http://a.test/x%2Fy",
    ),
    *("https://straße.test", "https://strasse.test", "surrealkv:///a", "surrealkv:///A"),
]


@pytest.mark.parametrize("spellings", SAME, ids=[each[0] for each in SAME])
def test_one_server_has_one_name(spellings: list[str]) -> None:
    names = {url: canonical_server(url) for url in spellings}
    assert len(set(names.values())) == 1, names


def test_servers_that_are_not_the_same_stay_apart() -> None:
    assert len({canonical_server(url) for url in OTHERS}) == len(OTHERS)


@pytest.mark.parametrize("url", [*(url for each in SAME for url in each), *OTHERS])
def test_a_name_is_its_own_name(url: str) -> None:
    assert canonical_server(canonical_server(url)) == canonical_server(url)


@pytest.mark.parametrize("host", ["bücher.test", "straße.test", "日本。jp", "a.test"])
def test_a_host_is_named_as_the_client_looks_it_up(host: str) -> None:
    assert canonical_host(host) == httpx.URL(f"http://{host}").raw_host.decode()


@pytest.mark.parametrize("text", ["", "x", "http://", "http://[::1", "http://a:b", "mem://"])
def test_what_is_no_url_stays_as_it_is(text: str) -> None:
    assert canonical_server(text) == text

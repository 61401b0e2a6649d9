"""A key found by id or name, over all pages, on servers that are less strict than ours."""

from __future__ import annotations

import httpx
import pytest

from spectronctl.client import Client
from spectronctl.errors import ConflictError, NotFoundError
from spectronctl.operations.keys import find_key

PAGES = {
    None: {"keys": [{"id": "cak_1", "name": "app"}], "nextCursor": "cak_1", "hasMore": True},
    "cak_1": {"keys": [{"id": "cak_2", "name": "app"}, {"id": "app-3", "name": "batch"}]},
}


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=PAGES[request.url.params.get("cursor")])


@pytest.fixture
def client() -> Client:
    return Client("http://spectron.test", api_key="k", transport=httpx.MockTransport(answer))


def test_an_ambiguous_name_is_told_by_ids(client: Client) -> None:
    with pytest.raises(ConflictError) as caught:
        find_key(client, "acme", "app")
    assert caught.value.candidates == ["cak_1", "cak_2"]


@pytest.mark.parametrize(
    ("wanted", "found"), [("cak_2", "cak_2"), ("batch", "app-3"), ("app-3", "app-3")]
)
def test_an_id_or_a_name_on_a_later_page_is_found(client: Client, wanted: str, found: str) -> None:
    assert find_key(client, "acme", wanted).id == found


def test_an_unknown_name_is_told_the_near_ones(client: Client) -> None:
    with pytest.raises(NotFoundError) as caught:
        find_key(client, "acme", "bacth")
    assert caught.value.candidates == ["batch"]

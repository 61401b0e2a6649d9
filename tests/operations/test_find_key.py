"""A key found by id or name, over all pages, on servers that are less strict than ours."""

from __future__ import annotations

import httpx
import pytest

from spectronctl.client import Client
from spectronctl.errors import ConflictError, NotFoundError
from spectronctl.models.keys import Key
from spectronctl.operations.keys import choose_key, find_key

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


def choose(names: str, wanted: str, *, newest: bool = True) -> str:
    keys = [Key(id=f"cak_{number}", name=name) for number, name in enumerate(names.split())]
    return choose_key(keys, wanted, "acme", newest=newest).name


@pytest.mark.parametrize(
    ("names", "wanted", "found"),
    [
        ("app app.g2 app.g10 app.g9", "app", "app.g10"),
        ("app.g3", "app", "app.g3"),
        ("app app.g2", "app.g2", "app.g2"),
        ("app.g2 app.g2.g3", "app.g2", "app.g2"),
        ("app app.g2", "cak_0", "app"),
        ("app cak_0", "cak_0", "app"),
        ("app apple.g4", "app", "app"),
    ],
)
def test_a_logical_name_is_its_newest_generation(names: str, wanted: str, found: str) -> None:
    assert choose(names, wanted) == found


@pytest.mark.parametrize("wanted", ["app.g1", "app.g4"])
def test_a_stamped_name_means_exactly_that_key(wanted: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        choose("app app.g2 app.g3", wanted)
    assert "app.g3" in caught.value.candidates


def test_two_keys_of_the_newest_generation_are_ambiguous() -> None:
    with pytest.raises(ConflictError) as caught:
        choose("app app.g2 app.g2", "app")
    assert caught.value.candidates == ["cak_1", "cak_2"]


def test_generations_are_not_guessed_between_where_that_matters() -> None:
    assert choose("app.g2", "app", newest=False) == "app.g2"
    with pytest.raises(ConflictError) as caught:
        choose("app app.g2 other", "app", newest=False)
    assert caught.value.candidates == ["cak_0 (app)", "cak_1 (app.g2)"]
    assert "stamped" in str(caught.value.hint)


def test_an_id_ends_the_listing() -> None:
    asked: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answer(request)

    client = Client("http://spectron.test", api_key="k", transport=httpx.MockTransport(note))
    assert find_key(client, "acme", "cak_1").id == "cak_1"
    assert len(asked) == 1

"""Listings that many rotations share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic

import httpx
import pytest

from spectronctl.client import Client
from spectronctl.errors import UpstreamError
from spectronctl.operations.rotations import KeyDirectory, _directory


class Keys:
    """A server whose every listing is different."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            return httpx.Response(500, json={"message": "down"})
        self.asked.append(request.url.path)
        key = {"id": f"cak_{len(self.asked)}", "name": "a"}
        return httpx.Response(200, json={"keys": [key], "has_more": False})


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def directory(keys: Keys) -> KeyDirectory:
    transport = httpx.MockTransport(keys)
    return KeyDirectory(Client("http://spectron.test", api_key="k", transport=transport))


def test_many_threads_share_one_listing(keys: Keys, directory: KeyDirectory) -> None:
    together = Barrier(8)

    def ask(_: int) -> str:
        together.wait()
        return directory.list_keys("acme")[0].id

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"cak_1"}
    assert len(keys.asked) == 1


def test_each_context_has_its_own(keys: Keys, directory: KeyDirectory) -> None:
    directory.list_keys("acme")
    directory.list_keys("beta")
    assert keys.asked == ["/api/v1/contexts/acme/keys", "/api/v1/contexts/beta/keys"]


def test_a_listing_older_than_asked_for_is_renewed(keys: Keys, directory: KeyDirectory) -> None:
    directory.list_keys("acme")
    since = monotonic()
    assert directory.list_keys("acme", since=since)[0].id == "cak_2"
    assert directory.list_keys("acme", since=since)[0].id == "cak_2"
    assert directory.list_keys("acme")[0].id == "cak_2"


def test_an_old_listing_is_renewed_unasked(
    keys: Keys, directory: KeyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.list_keys("acme")
    later: Callable[[], float] = lambda: monotonic() + _directory.MAX_AGE + 1  # noqa: E731
    monkeypatch.setattr(_directory, "monotonic", later)
    assert directory.list_keys("acme")[0].id == "cak_2"


def test_a_listing_that_failed_is_not_kept(keys: Keys, directory: KeyDirectory) -> None:
    keys.is_down = True
    with pytest.raises(UpstreamError):
        directory.list_keys("acme")
    keys.is_down = False
    assert directory.list_keys("acme")[0].id == "cak_1"

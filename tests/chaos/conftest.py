"""What the tests against a hostile network share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from spectronctl.client import _policy, _polling
from spectronctl.operations import imports, jobs
from tests.support.scenes import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("chaos"))
    yield world
    world.close()
    assert world.proxy.failures == []


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_policy, "FIRST_BACKOFF", 0.02)
    monkeypatch.setattr(_policy, "random", lambda: 1.0)
    monkeypatch.setattr(_polling, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(imports, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(jobs, "CLOCK_SLACK", timedelta())  # client and server have one clock

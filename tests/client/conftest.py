"""Every test that asks for `connect` runs against both clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from spectronctl import SpectronManagement, SyncSpectronManagement
from spectronctl.client import _async, _policy, _sync
from tests.support.fakes import Admin, AsyncFace, Clock, Connect, Face, FakeSpectron, SyncFace


@pytest.fixture(params=[SyncFace, AsyncFace], ids=["sync", "async"])
def face(request: pytest.FixtureRequest) -> type[Face]:
    kind: type[Face] = request.param
    return kind


@pytest.fixture
def connect(face: type[Face]) -> Iterator[Connect]:
    """Make a client; it is closed when the test ends."""
    with ExitStack() as clients:
        yield lambda *args, **options: clients.enter_context(closing(face(*args, **options)))


@pytest.fixture
def spectron() -> Iterator[FakeSpectron]:
    fake = FakeSpectron()
    yield fake
    fake.verify()


@pytest.fixture
def client(connect: Connect, spectron: FakeSpectron, clock: Clock) -> Face:
    """A client of `spectron` whose pauses take no time."""
    return connect(transport=httpx.MockTransport(spectron.answer))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time stands still but for the pauses, each as long as its jitter allows."""
    clock = Clock()
    sleeps: dict[Any, tuple[str, Any]] = {
        _sync: ("time", SimpleNamespace(sleep=clock.sleep)),
        _async: ("asyncio", SimpleNamespace(sleep=clock.sleep_async)),
    }
    for module, (name, sleeper) in sleeps.items():
        monkeypatch.setattr(module, name, sleeper)
        monkeypatch.setattr(module, "monotonic", clock.monotonic)
    monkeypatch.setattr(_policy, "random", lambda: 1.0)
    return clock


@pytest.fixture(params=[SyncSpectronManagement, SpectronManagement], ids=["sync", "async"])
def admin(request: pytest.FixtureRequest, spectron: FakeSpectron) -> Admin:
    return Admin(request.param, spectron)

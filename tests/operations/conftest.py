"""One server for all the rotations of a module: each has a context of its own there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Server


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.stop()

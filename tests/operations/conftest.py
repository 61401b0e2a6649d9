"""One server for all the rotations of a module: each has a context of its own there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server, run_server


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    with run_server() as server:
        yield server

"""The installed command as a process of its own, and a server on a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.processes import Served, Shell, start_servers
from tests.support.proxies import Proxy
from tests.support.rotation_processes import Outside, serve_outside


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of all tests that leave alone what is not in a context of their own."""
    folder = tmp_path_factory.mktemp("shared-server")
    with start_servers(Shell(folder), folder) as serve:
        yield serve()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """A server on disk, in a process of its own; it serves all tests of a module."""
    with serve_outside(tmp_path_factory.mktemp("outside")) as outside:
        yield outside


@pytest.fixture
def proxy(outside: Outside) -> Iterator[Proxy]:
    """What may spoil the requests to that server."""
    proxy = Proxy(outside.served.url)
    yield proxy
    proxy.close()

"""
The fixture `spectron_server`, for every pytest that finds spectronctl installed.

pytest imports this at each start, whatever it tests: nothing is imported here that the fixture alone needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spectronctl.testing import SpectronServer


@pytest.fixture(scope="session")
def spectron_server() -> Iterator[SpectronServer]:
    """
    A real Spectron server in memory, on a port of the loopback, for the whole session; `create_context()` makes each
    test a context of its own, with `id`, `key` and `env`.

    Also: `url`, `management_key`, `admin` (a SyncSpectronManagement), `plant(seed)`. See `spectronctl.testing`.
    """
    from spectronctl.errors import ConfigError
    from spectronctl.testing import run_server

    with ExitStack() as stack:
        try:
            server = stack.enter_context(run_server())
        except ConfigError as exc:
            told = " ".join(filter(None, (f"{exc.message}.", exc.hint, exc.command)))
            # The way out in a line, in place of a traceback through pytest and this package.
            pytest.fail(f"spectron_server: {told}", pytrace=False)
        yield server

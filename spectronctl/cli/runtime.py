"""What a command may reach for. Everything is made on first use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

from spectronctl.cli.clients import Clients
from spectronctl.cli.run import Run

if TYPE_CHECKING:
    import httpx

    from spectronctl.client import Client
    from spectronctl.output.streams import Streams


class Runtime(Run):
    """
    A run with the clients that it sends requests with.

    `transport` replaces the network in tests.
    """

    def __init__(
        self,
        *,
        env: Mapping[str, str] = os.environ,
        streams: Streams | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(env=env, streams=streams)
        self.clients = Clients(self, transport)

    def __enter__(self) -> Runtime:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clients.close()

    def find_time(self) -> datetime:
        """The server's time where a response of this run has told it, otherwise this machine's."""
        return self.clients.find_time() or super().find_time()

    @property
    def client(self) -> Client:
        """The management plane."""
        return self.clients.management

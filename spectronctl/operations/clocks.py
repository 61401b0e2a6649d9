"""The server's time. Keys, sessions and overlaps live by it, whatever the clock of this machine says."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from spectronctl.api import health
from spectronctl.client import Client
from spectronctl.errors import SpectronctlError

FRESH_SECONDS = 60.0
"""How long a response tells the server's time: our clock may be set at any moment."""


def find_server_time(client: Client) -> datetime:
    """The server's time, asked for when it has not responded lately; our own when it does not respond."""
    if not client.has_heard_within(FRESH_SECONDS):
        with suppress(SpectronctlError):
            client.send(health.get_health())
    return client.server_time()

"""
The client of the Spectron API, synchronous and asynchronous; the only home of httpx.

Names resolve on first use, so the synchronous command line never pays for asyncio, nor `--help` for httpx.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spectronctl.client._asgi import AsgiTransport
    from spectronctl.client._async import AsyncClient
    from spectronctl.client._call import Exchange
    from spectronctl.client._events_async import AsyncEvents
    from spectronctl.client._events_sync import Events
    from spectronctl.client._management_async import SpectronManagement
    from spectronctl.client._management_sync import SyncSpectronManagement
    from spectronctl.client._polling import Polling
    from spectronctl.client._sync import Client

__all__ = [
    "Client",
    "AsyncClient",
    "SpectronManagement",
    "SyncSpectronManagement",
    "Events",
    "AsyncEvents",
    "AsgiTransport",
    "Exchange",
    "Polling",
]

_HOMES = {
    "Client": "_sync",
    "AsyncClient": "_async",
    "SpectronManagement": "_management_async",
    "SyncSpectronManagement": "_management_sync",
    "Events": "_events_sync",
    "AsyncEvents": "_events_async",
    "AsgiTransport": "_asgi",
    "Exchange": "_call",
    "Polling": "_polling",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

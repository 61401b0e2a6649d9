"""
What systemd is told of a service of `Type=notify`: that it is ready, that it stops, and that it is alive.

A datagram to the socket that NOTIFY_SOCKET names is all there is to it. Without that variable nothing is said.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

READY, STOPPING, _ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"


def notify(state: str) -> None:
    """Say it; a manager that does not listen is no reason to fail."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        # An address that begins with @ is in the abstract namespace, where it begins with a zero byte.
        channel.sendto(state.encode(), address.replace("@", "\0", 1))


@asynccontextmanager
async def stay_alive() -> AsyncIterator[None]:
    """Say twice in the time that WatchdogSec allows that the event loop turns."""
    task = asyncio.create_task(_say_alive(_find_watchdog_seconds()))
    try:
        yield
    finally:
        task.cancel()


async def _say_alive(seconds: float | None) -> None:
    # Not whether the database responds: an engine that is stuck is started anew by the server itself, and a disk that
    # is full is no reason to stop the reads.
    while seconds is not None:
        notify(_ALIVE)
        await asyncio.sleep(seconds / 2)


def _find_watchdog_seconds() -> float | None:
    text = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not text.isdecimal() or int(text) == 0 or meant != str(os.getpid()):
        return None
    return int(text) / 1_000_000

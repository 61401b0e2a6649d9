"""What a connection does that no client can be made to show."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi import FastAPI
from uvicorn.server import ServerState

from spectronctl.server.serving.listening import configure
from spectronctl.server.serving.protocol import WatchedProtocol


@pytest.mark.anyio
async def test_who_hangs_up_as_its_handshake_ends_is_counted_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = ServerState()
    protocol = WatchedProtocol(
        config=configure(FastAPI()),
        server_state=state,
        app_state={},
        tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
    )

    async def secure_and_lose(*_: Any, **__: Any) -> Mock:
        protocol.connection_lost(None)
        return Mock(is_closing=lambda: True)

    monkeypatch.setattr(asyncio.get_running_loop(), "start_tls", secure_and_lose)
    protocol.connection_made(Mock())
    assert len(state.connections) == 1
    await protocol._securing
    assert state.connections == set()

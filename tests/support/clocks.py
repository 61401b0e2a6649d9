"""Clocks that are wrong: this machine's, as before its clock was set, and the server's."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime

import httpx
import pytest


def move_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Set this machine's clock, for all of the package but the server."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + by

    for name, module in list(sys.modules.items()):
        is_ours = name.startswith("spectronctl.") and not name.startswith("spectronctl.server")
        if is_ours and getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", Moved)


@dataclass
class Dated(httpx.BaseTransport):
    """A server that tells its time, as every server on a network does; its clock may be ahead."""

    server: httpx.BaseTransport
    ahead: timedelta = timedelta()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.server.handle_request(request)
        response.headers["Date"] = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        return response

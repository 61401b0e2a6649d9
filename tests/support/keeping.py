"""Memories of context acme-prod, kept over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.server import Server

LONG_AGO = "2026-01-01T00:00:00Z"


def keep(server: Server, text: str, **fields: Any) -> None:
    """Keep a memory in context acme-prod."""
    request = httpx.Request(
        "POST",
        "http://spectron.test/api/v1/acme-prod/facts",
        headers={"API-KEY": server.key},
        json={"text": text, "infer": "none", **fields},
    )
    answer = server.handle_request(request)
    assert answer.status_code == 200, answer.read()


def keep_passing(server: Server, count: int) -> None:
    for number in range(count):
        text = f"the weather of day {number}"
        keep(server, text, memory_category="context", observed_at=LONG_AGO)

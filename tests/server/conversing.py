"""Callers of one context's data plane, and what they keep there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.rows import ContextRow

from .conftest import Connect

PLANE = "/api/v1/acme-prod"
SESSIONS = f"{PLANE}/sessions"
FACTS = f"{PLANE}/facts"
BATCH = f"{PLANE}/facts/batch"

Admit = Callable[[str, Any], Awaitable[httpx.AsyncClient]]


@pytest.fixture
def admit(operator: httpx.AsyncClient, connect: Connect, acme: str) -> Admit:
    """A client with a new key of that name and scope floor."""

    async def admit(name: str, scope_floor: Any) -> httpx.AsyncClient:
        body = {"name": name, "scope_floor": scope_floor}
        made = await operator.post(f"/api/v1/contexts/{acme}/keys", json=body)
        assert made.status_code == 201, made.text
        return connect(made.json()["secret"])

    return admit


@pytest.fixture
async def member(admit: Admit) -> httpx.AsyncClient:
    """A client whose key is confined to `org/acme`."""
    return await admit("member", {"org": "acme"})


@pytest.fixture
async def context(store: Database, acme: str) -> ContextRow:
    row = await ContextTable(store).get_context(acme)
    assert row is not None
    return row


async def open_session(client: httpx.AsyncClient, **body: Any) -> Any:
    answer = await client.post(SESSIONS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def say(
    client: httpx.AsyncClient, session_id: str | None, *texts: str, **headers: str
) -> Any:
    """Append texts of a user through a batch."""
    messages = [{"role": "user", "content": text} for text in texts]
    body = {"infer": "none", "messages": messages, "session_id": session_id}
    answer = await client.post(BATCH, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read_turns(client: httpx.AsyncClient, session_id: str, **page: int) -> Any:
    answer = await client.get(f"{SESSIONS}/{session_id}/turns", params=page)
    assert answer.status_code == 200, answer.text
    return answer.json()["turns"]


async def read_texts(client: httpx.AsyncClient, session_id: str) -> list[str]:
    return [turn["content"] for turn in await read_turns(client, session_id, limit=500)]

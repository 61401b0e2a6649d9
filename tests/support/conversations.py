"""Callers of one context's data plane, and what they keep there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

PLANE = "/api/v1/acme-prod"
SESSIONS = f"{PLANE}/sessions"
FACTS = f"{PLANE}/facts"
BATCH = f"{PLANE}/facts/batch"

Connect = Callable[..., httpx.AsyncClient]
Admit = Callable[[str, Any], Awaitable[httpx.AsyncClient]]


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

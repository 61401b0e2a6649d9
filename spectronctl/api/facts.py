"""Facts and whole conversations, written. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spectronctl.api.requests import Request, path
from spectronctl.api.sessions import Scopes
from spectronctl.models.facts import Message, StoredBatch, StoredFact


def create_fact(
    context_id: str,
    text: str,
    *,
    infer: str = "none",
    role: str | None = None,
    session_id: str | None = None,
    scopes: Scopes | None = None,
    memory_category: str | None = None,
    observed_at: str | None = None,
    idempotency_key: str | None = None,
) -> Request[StoredFact]:
    """
    Store one text, in a session that is made when none is named; 501 where `infer` is not offered.

    `memory_category` is identity, knowledge or context; `observed_at` (RFC 3339) is when it became known.
    """
    body = {
        "text": text,
        "infer": infer,
        "role": role,
        "session_id": session_id,
        "scopes": scopes,
        "memory_category": memory_category,
        "observed_at": observed_at,
    }
    request: Request[StoredFact] = Request(
        "POST", path("/{id}/facts", id=context_id), StoredFact, json=_drop_none(body)
    )
    return request.with_idempotency_key(idempotency_key)


def create_facts(
    context_id: str,
    messages: Sequence[Message],
    *,
    infer: str = "none",
    session_id: str | None = None,
    scopes: Scopes | None = None,
    idempotency_key: str | None = None,
) -> Request[StoredBatch]:
    """Append messages to a session, in their order; a session is made when none is named."""
    body = {
        "messages": list(messages),
        "infer": infer,
        "session_id": session_id,
        "scopes": scopes,
    }
    request: Request[StoredBatch] = Request(
        "POST", path("/{id}/facts/batch", id=context_id), StoredBatch, json=_drop_none(body)
    )
    return request.with_idempotency_key(idempotency_key)


def _drop_none(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}

"""Sessions made, so that a lost response neither doubles nor hides anything."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from spectronctl.api import sessions as api
from spectronctl.client import Client
from spectronctl.models.sessions import Session
from spectronctl.operations.recovery import send_until_response


def create_session(
    client: Client,
    context_id: str,
    *,
    scopes: api.Scopes | None = None,
    metadata: Any = None,
) -> Session:
    """Create a session; a lost response is asked for once more, under the key that keeps it from being made twice."""
    # A random key, unlike an import's: two sessions that are alike in everything are still meant as two.
    request = api.create_session(
        context_id, scopes=scopes, metadata=metadata, idempotency_key=f"spectronctl-{uuid4()}"
    )
    return send_until_response(client, request, attempts=2)

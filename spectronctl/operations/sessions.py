"""Sessions made and deleted, so that a lost response neither doubles nor hides anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from spectronctl.api import sessions as api
from spectronctl.client import Client
from spectronctl.errors import NotFoundError, SpectronctlError
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


def delete_sessions(
    client: Client, context_id: str, ids: Sequence[str], *, missing_ok: bool = False
) -> set[str]:
    """
    Delete sessions one after the other, and return the ids of those that were still there.

    The error of one that cannot be deleted says which were before, and which were not tried.
    """
    deleted: set[str] = set()
    for index, session_id in enumerate(ids):
        try:
            client.send(api.delete_session(context_id, session_id))
            deleted.add(session_id)
        except SpectronctlError as exc:
            if missing_ok and isinstance(exc, NotFoundError):
                continue
            _explain_stop(exc, deleted, ids[index + 1 :])
            raise
    return deleted


def _explain_stop(exc: SpectronctlError, deleted: set[str], untried: Sequence[str]) -> None:
    parts = {"Deleted": sorted(deleted), "Not tried": untried}
    told = [f"{label}: {', '.join(ids)}." for label, ids in parts.items() if ids]
    exc.hint = " ".join(filter(None, [exc.hint, *told])) or None

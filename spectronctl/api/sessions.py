"""Sessions and turns. Each function is one endpoint and sends nothing."""

from __future__ import annotations

from typing import Any

from spectronctl.api.pages import PAGE_SIZE, Page
from spectronctl.api.requests import Request, path
from spectronctl.models.sessions import Session, SessionContext, Turn

Scopes = str | list[str] | list[list[str]]
"""A selector: one path, any of several paths, or any of several clauses whose paths must all be held."""


class TurnPage(Page[Turn]):
    """Turns in the order of their `seq`, which leaves none out and names none twice."""

    def seqs(self) -> list[int]:
        return [turn["seq"] for turn in self.items]


def list_sessions(
    context_id: str,
    *,
    scope: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int = PAGE_SIZE,
) -> Request[Page[Session]]:
    """One page of at most `limit` sessions (1 to 500); 404 or 405 on servers without it. Times are RFC 3339."""
    params = {"limit": limit, "scope": scope, "since": since, "until": until}
    return Request("GET", _path(context_id), Page[Session], params=params)


def create_session(
    context_id: str,
    *,
    scopes: Scopes | None = None,
    metadata: Any = None,
    created_at: str | None = None,
    idempotency_key: str | None = None,
) -> Request[Session]:
    """
    Create a session; no scopes means the caller's own region. 403 for a scope outside of that.

    `created_at` (RFC 3339) is when it was made elsewhere: an extension that other servers pass over or refuse.
    """
    body = {"scopes": scopes, "metadata": metadata, "createdAt": created_at}
    sent = {name: value for name, value in body.items() if value is not None}
    request: Request[Session] = Request("POST", _path(context_id), Session, json=sent)
    return request.with_idempotency_key(idempotency_key)


def get_session(context_id: str, session_id: str) -> Request[Session]:
    """One session; 404 when there is none, 404 or 405 on servers without this route."""
    return Request("GET", _path(context_id, session_id), Session)


def delete_session(context_id: str, session_id: str) -> Request[None]:
    """Delete a session and all its turns."""
    return Request("DELETE", _path(context_id, session_id), None)


def list_turns(context_id: str, session_id: str, *, limit: int = PAGE_SIZE) -> Request[Page[Turn]]:
    """Turns from the oldest on, at most `limit` (500 at most) at once; a page by `offset`, without a total."""
    where = _path(context_id, session_id) + "/turns"
    return Request("GET", where, TurnPage, params={"limit": limit, "offset": 0})


def get_session_context(context_id: str, session_id: str, query: str) -> Request[SessionContext]:
    """What a session has to say to a query, as text for a model's prompt."""
    where = _path(context_id, session_id) + "/context"
    return Request("POST", where, SessionContext, json={"query": query})


def _path(context_id: str, session_id: str | None = None) -> str:
    if session_id is None:
        return path("/{context}/sessions", context=context_id)
    return path("/{context}/sessions/{id}", context=context_id, id=session_id)

"""
The one place where requests enter the audits, by the gates of their routes: a new route is covered by itself.

- What changes something and asks for more than a verb over memories (a management key, `grant:manage`, a key's own
  business) becomes an event of the control plane.
- A known key that may not do what it asked for becomes a decision among the traces of the context.

Both are written before the response is sent, also when the client is gone. Where that fails, the change stands, and
the log says that its account is missing.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spectronctl.ground.redaction import hide_keys
from spectronctl.ground.ulids import new_ulid
from spectronctl.server.access.gates import list_gates
from spectronctl.server.audit.rows import PREFIX, EventRow
from spectronctl.server.audit.table import AuditTable
from spectronctl.server.http.visits import Visit, get_visit
from spectronctl.server.traces.rows import DENIED, TraceRow, list_readable
from spectronctl.server.traces.table import TraceTable

_log = logging.getLogger(__name__)

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_SECONDS = 2.0
"""How long a response waits for its account."""
_SHOWN = 64


class Accounts:
    """Writes the account of each request that has to leave one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_settled = False

        async def settle_and_send(message: Message) -> None:
            nonlocal is_settled
            if message["type"] == "http.response.start":
                is_settled = True
                # Shielded: a server that stops gives up what still runs, and the change is done already.
                await asyncio.shield(_settle(scope, message["status"]))
            await send(message)

        try:
            await self._app(scope, receive, settle_and_send)
        except ClientDisconnect:  # before its body was whole, so that nothing was done
            raise
        except BaseException as error:
            if not is_settled:
                status = HTTPStatus.INTERNAL_SERVER_ERROR if isinstance(error, Exception) else None
                await asyncio.shield(_settle(scope, status))
            raise


async def _settle(scope: Scope, status: int | None) -> None:
    visit, route = get_visit(scope), scope.get("route")
    # Without a good key it was a stranger, of whom only the log tells: else strangers could fill the audit.
    is_stranger = not visit.is_known or status == HTTPStatus.UNAUTHORIZED
    if is_stranger or not isinstance(route, APIRoute):
        return
    if scope["method"] in _READS and status != HTTPStatus.FORBIDDEN:
        return
    gates = list_gates(route)
    database = scope["app"].state.database
    if _is_accountable(scope, gates, status):
        await _write(AuditTable(database).add_event(_make_event(scope, route, status)), visit)
    context = scope["state"].get("context")
    if status == HTTPStatus.FORBIDDEN and context is not None:
        row = _make_denial(scope, route, gates)
        await _write(TraceTable(database).add_traces(context, [row]), visit)


def _is_accountable(scope: Scope, gates: list[str], status: int | None) -> bool:
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return False
    if "operator" in gates:
        return True
    return scope["method"] not in _READS and not any(each.startswith("memory:") for each in gates)


async def _write(writing: Awaitable[None], visit: Visit) -> None:
    try:
        async with asyncio.timeout(_SECONDS):
            await writing
    except Exception as error:  # noqa: BLE001 - what was done is done, and its response is due
        name = type(error).__name__
        _log.error("request %s is missing in the audit: %s", visit.request_id, name)


def _make_event(scope: Scope, route: APIRoute, status: int | None) -> EventRow:
    visit = get_visit(scope)
    named = {name: _cut(value) for name, value in scope["path_params"].items()}
    return EventRow(
        id=f"{PREFIX}{new_ulid()}",
        action=route.name,
        operation=_name_operation(scope, route),
        context_id=named.get("context_id"),
        objects=named | visit.objects,
        key_id=visit.key_id,
        name=hide_keys(visit.principal or ""),
        address=visit.client,
        status=status,
        request_id=visit.request_id,
    )


def _make_denial(scope: Scope, route: APIRoute, gates: list[str]) -> TraceRow:
    visit, caller = get_visit(scope), scope["state"].get("caller")
    details: dict[str, Any] = {"operation": _name_operation(scope, route)}
    verbs = [gate for gate in gates if ":" in gate]
    return TraceRow(
        id=visit.trace_id,
        kind="decision",
        event=DENIED,
        principal=caller.principal_id if caller else visit.principal or "",
        delegate=caller.delegate if caller else None,
        key_id=visit.key_id,
        scopes=list_readable(caller) if caller else [],
        reason=visit.reason or "",
        details=details | ({"verb": verbs[0]} if verbs else {}),
    )


def _name_operation(scope: Scope, route: APIRoute) -> str:
    return f"{scope['method']} {route.path}"


def _cut(value: Any) -> str:
    """A name in a path, as far as it can be an id: anything may stand there, a key too."""
    text = hide_keys(str(value))[:_SHOWN]
    return text if text.isprintable() else json.dumps(text)

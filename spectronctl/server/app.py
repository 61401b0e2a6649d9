"""Build the application. A store comes in, an ASGI application comes out; nothing is global."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Match

from spectronctl import __version__
from spectronctl.models.health import IMPLEMENTATION
from spectronctl.server.access import routes as identity
from spectronctl.server.access.gates import Open
from spectronctl.server.access.uses import KeyUses
from spectronctl.server.audit import routes as audit
from spectronctl.server.audit.accounts import Accounts
from spectronctl.server.contexts import routes as contexts
from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import DatabaseError
from spectronctl.server.facts import routes as facts
from spectronctl.server.http.bodies import describe_bodies
from spectronctl.server.http.limits import MAX_SMALL_BODY_BYTES
from spectronctl.server.http.middleware import (
    BodyLimit,
    CatchAll,
    Correlation,
    Unambiguous,
    render_problem,
)
from spectronctl.server.http.paths import decode_names
from spectronctl.server.http.problems import ProblemError, from_database, invalid
from spectronctl.server.http.responses import Problem
from spectronctl.server.idempotency.once import PassingBodies
from spectronctl.server.index.embedders import Embedders
from spectronctl.server.jobs import routes as jobs
from spectronctl.server.keys import management_routes as management_keys
from spectronctl.server.keys import own_routes as own_keys
from spectronctl.server.keys import routes as keys
from spectronctl.server.ontology import routes as ontology
from spectronctl.server.principals import holders
from spectronctl.server.principals import management_routes as members
from spectronctl.server.principals import routes as principals
from spectronctl.server.recall import routes as query
from spectronctl.server.scopes import routes as scopes
from spectronctl.server.service import documentation, unserved
from spectronctl.server.service import routes as service
from spectronctl.server.sessions import routes as sessions
from spectronctl.server.traces import routes as traces
from spectronctl.server.traces.log import TraceLog
from spectronctl.server.upkeep import management_routes as lifecycle
from spectronctl.server.upkeep import routes as upkeep

MAX_BODY_SECONDS = 60.0

_ROUTES = [
    route
    for router in (
        documentation.router,
        service.router,
        contexts.router,
        keys.router,
        members.router,
        holders.router,
        management_keys.router,
        ontology.router,
        lifecycle.router,
        jobs.router,
        audit.router,
        identity.router,
        principals.router,
        scopes.router,
        own_keys.router,
        sessions.router,
        facts.router,
        query.router,
        upkeep.router,
        traces.router,
        service.management,
        unserved.router,
    )
    for route in router.routes
]
decode_names(_ROUTES)

_ABOUT = (
    "Contexts, their keys and what the keys may do. Send a key as `Authorization: Bearer KEY` or as `API-KEY: KEY`: "
    "a management key (mgmt-...) under /api/v1/contexts, a context's own key (sk-...) under /api/v1/{context_id}."
)

_GROUPS = {
    "contexts": "Create, configure and delete contexts. Takes a management key.",
    "keys": "Hand out, rotate and revoke keys, of contexts and for management. Takes a management key.",
    "principals": "Who acts in a context, and what each may do.",
    "ontology": "Which kinds of entities, attributes and relations a context knows.",
    "facts": "Keep what is said.",
    "query": "Recall what was kept.",
    "sessions": "Conversations and their turns.",
    "lifecycle": "Retention, duplicates, reindexing, and the jobs that do long work.",
    "traces": "What was asked of a context, by whom, and what it cost.",
    "audit": "What was changed of contexts, keys and grants, and by whom. Takes a management key.",
    "identity": "What a key is, and what it may do.",
    "scopes": "The tree of paths that memories are tagged with, and the erasure of all that is tagged below one.",
    "service": "The server itself: is it alive, is it ready, what does it know.",
}
"""The groups of operations, in the order in which `/docs` shows them."""

# The program that embeds the server decides where its log goes; by default nowhere.
logging.getLogger("spectronctl.server").addHandler(logging.NullHandler())


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            _complete_description(api := super().openapi())
            describe_bodies(api, self.routes)
        return super().openapi()


def create_app(
    database: Database,
    *,
    trusted: bool = False,
    max_body_bytes: int = MAX_SMALL_BODY_BYTES,
    max_body_seconds: float = MAX_BODY_SECONDS,
    allow_private_providers: bool = True,
) -> FastAPI:
    """
    The server on a store that is open, and that its opener closes.

    With `trusted`, a request without a key is the operator's: only for an application that this process keeps to
    itself. A body of more than `max_body_bytes`, or than its route says with `limit_body`, is refused with 413; one
    that takes longer than `max_body_seconds` to arrive with 408. Unless `allow_private_providers`, only providers of
    models at public addresses are asked.
    """
    app = _Application(
        title="Spectron",
        version=__version__,
        description=_ABOUT,
        openapi_tags=[{"name": name, "description": text} for name, text in _GROUPS.items()],
        # The framework's own pages load their programs from another host; those of `documentation` need none.
        docs_url=None,
        redoc_url=None,
        # A redirect would go to the scheme and host that are seen here: behind a proxy with TLS, the key would be sent
        # to an `http://`.
        redirect_slashes=False,
        telemetry={"auto_configure": False},
        routes=_ROUTES,
        middleware=[
            Middleware(Correlation),
            Middleware(CatchAll),
            Middleware(Unambiguous),
            Middleware(BodyLimit, max_bytes=max_body_bytes, max_seconds=max_body_seconds),
            Middleware(PassingBodies),
            # Innermost, where the route is known.
            Middleware(Accounts),
        ],
        exception_handlers={
            ProblemError: _handle_problem,
            DatabaseError: _handle_database_error,
            HTTPException: _handle_http_exception,
            RequestValidationError: _handle_invalid_parameter,
        },
    )
    app.state.database = database
    app.state.embedders = Embedders(database, allow_private_providers=allow_private_providers)
    app.state.traces = TraceLog(database)
    app.state.key_uses = KeyUses(database)
    app.state.hash_key = None
    app.state.trusted = trusted
    app.add_api_route(
        "/ready",
        service.get_readiness,
        tags=["service"],
        include_in_schema=False,
        dependencies=[Open],
    )
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Around the time that the application is served: what it still has to write is written at the end."""
    async with app.state.embedders, app.state.traces:
        yield


def _complete_description(api: dict[str, Any]) -> None:
    """Add what the framework cannot know: who made this, what problems look like, what takes a key (and says 401)."""
    api["info"]["x-implementation"] = IMPLEMENTATION
    api["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    api["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "api_key": {"type": "apiKey", "in": "header", "name": "API-KEY"},
    }
    for methods in api["paths"].values():
        for operation in methods.values():
            if "401" in operation["responses"]:
                operation["security"] = [{"bearer": []}, {"api_key": []}]


async def _handle_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return render_problem(request.scope, error)


async def _handle_database_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DatabaseError)
    return render_problem(request.scope, from_database(error))


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_list_methods(request))
        # The framework names only the methods of the first route that has the path, and RFC 9110 wants all of them.
        problem = ProblemError(status, "method-not-allowed", f"this path takes {allowed}")
        return render_problem(request.scope, problem, headers={"Allow": allowed})
    if status is HTTPStatus.NOT_FOUND:
        return render_problem(request.scope, ProblemError(status, "not-found", "no such path"))
    slug = status.phrase.lower().replace(" ", "-")
    return render_problem(request.scope, ProblemError(status, slug, str(error.detail)))


async def _handle_invalid_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Its place and its message only: `input` beside them is the value, which may be a secret.
    first = error.errors()[0]
    return render_problem(request.scope, invalid(f"{first['loc'][-1]}: {first['msg']}"))


def _list_methods(request: Request) -> list[str]:
    """The methods that some route on the path takes: the one that raised the 405 knows only its own."""
    return [
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]

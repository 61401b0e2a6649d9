"""Whether a server and this client go together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spectronctl.api import routes
from spectronctl.api.contexts import list_contexts
from spectronctl.api.health import get_description, get_health
from spectronctl.client import Client
from spectronctl.errors import (
    AuthError,
    ForbiddenError,
    NotAvailableError,
    NotFoundError,
    RequestError,
)
from spectronctl.models.health import IMPLEMENTATION

Verdict = Literal["compatible", "older", "newer", "unknown"]

ROUTES = tuple(route.shape for route in routes.ROUTES if route.is_used)
"""What the commands of this client ask for."""

_IS_MANAGEMENT = {route.shape: route.is_management for route in routes.ROUTES}


@dataclass(frozen=True)
class Compatibility:
    """
    The server's version, None where it names none, and how that stands to the client's.

    `missing` are the client's routes that the server's description lacks, None where it describes nothing.
    """

    version: str | None
    verdict: Verdict
    missing: list[str] | None


def check_server(client: Client, own: str) -> Compatibility:
    """
    Compare the server with a client of version `own`; no key is needed.

    Only our own server's versions say something: the first two numbers must be the same. NotAvailableError when
    there is no management plane.
    """
    # Health first: without it there is no server at all, and that is the error to tell.
    version = client.send(get_health()).version
    _check_management(client)
    description = _find_description(client)
    if description is None:
        return Compatibility(version, "unknown", None)
    info = description.get("info")
    is_ours = isinstance(info, Mapping) and info.get("x-implementation") == IMPLEMENTATION
    verdict = compare_versions(version, own) if is_ours else "unknown"
    return Compatibility(version, verdict, _find_missing(description))


def _check_management(client: Client) -> None:
    try:
        # A call that every management plane has, in place of the description, which other servers may not have.
        client.send(list_contexts(limit=1))
    except (AuthError, ForbiddenError):
        pass  # a server that asks for a key has the route
    except (NotFoundError, NotAvailableError) as exc:
        raise NotAvailableError(
            "this server has no management plane, or one that is older than spectronctl can speak to",
            status=exc.status,
            request_id=exc.request_id,
            hint="Check --url: the management plane may have an address of its own.",
        ) from None


def _find_description(client: Client) -> dict[str, Any] | None:
    try:
        return client.send(get_description())
    except RequestError as exc:
        # No response at all is a failure of the connection. Any status, even 200 with a page for people, only says that
        # no description is there.
        if exc.status is None:
            raise
        return None  # refused, missing, or a page for people


def compare_versions(version: str | None, own: str) -> Verdict:
    """How a server's version stands to a client's of the same making."""
    theirs, ours = _parse_family(version or ""), _parse_family(own)
    if theirs is None or ours is None:
        return "unknown"
    if theirs == ours:
        return "compatible"
    return "older" if theirs < ours else "newer"


def _parse_family(version: str) -> tuple[int, int] | None:
    # No more digits than a number needs: Python refuses to read one of thousands of digits, with a ValueError.
    found = re.match(r"v?([0-9]{1,9})\.([0-9]{1,9})(?![0-9])", version)
    return (int(found[1]), int(found[2])) if found else None


def _find_missing(description: Mapping[str, Any]) -> list[str]:
    """Routes that the description lacks, of the planes that it describes at all."""
    described = set(_list_routes(description))
    # A server may describe its planes in two documents. What is missing from this one as a whole says nothing.
    planes = {_IS_MANAGEMENT[route] for route in described if route in _IS_MANAGEMENT}
    return [each for each in ROUTES if each not in described and _IS_MANAGEMENT[each] in planes]


def _list_routes(description: Mapping[str, Any]) -> list[str]:
    paths = description.get("paths")
    if not isinstance(paths, Mapping):
        return []
    return [
        f"{method.upper()} {re.sub('{.*?}', '{}', path)}"
        for path, methods in paths.items()
        for method in (methods if isinstance(methods, Mapping) else ())
    ]

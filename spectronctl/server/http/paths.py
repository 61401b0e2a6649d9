"""
Where the routes begin, and how a path is read.

Each router holds its whole paths: one that is included under a prefix is built anew by the first request.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote

from starlette.convertors import StringConvertor
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

PREFIX = "/api/v1"

_SLASH = "\udc2f"
"""Stands for an encoded slash until the route is found. Half of a pair: UTF-8 cannot spell it, so no client can."""


class _Name(StringConvertor):
    """A name in a path, as its client meant it."""

    def convert(self, value: str) -> str:
        return value.replace(_SLASH, "/")


def keep_slashes(scope: Scope) -> Scope:
    """The request with the slashes that its client encoded as part of their names, where a router divides the path."""
    # A copy: the server beneath writes the path of its own into a log.
    return {**scope, "path": "/".join(name.replace("/", _SLASH) for name in _list_names(scope))}


def decode_names(routes: Iterable[BaseRoute]) -> None:
    """Make the routes give back what `keep_slashes` has put aside."""
    for route in routes:
        assert isinstance(route, Route)
        route.param_convertors = dict.fromkeys(route.param_convertors, _Name())


def format_path(scope: Scope) -> str:
    """The path for people and logs: each name encoded anew, so that it has one spelling."""
    return "/".join(quote(name, safe="") for name in _list_names(scope))


def _list_names(scope: Scope) -> list[str]:
    raw = scope["raw_path"].decode("ascii", errors="replace")
    return [unquote(name) for name in raw.split("/")]

"""What is compared of a server and this client, and how versions stand to each other."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest

import spectronctl.api
from spectronctl.api.requests import Request
from spectronctl.operations.compatibility import ROUTES, Verdict, compare_versions

PLACE = "PLACE"
MECHANISM = {"requests", "pages"}
OF_ITSELF = {"GET /api/v1/health", "GET /openapi.json"}


def list_requests() -> set[str]:
    """Every request that the modules of `spectronctl.api` describe."""
    names = [module.name for module in pkgutil.iter_modules(spectronctl.api.__path__)]
    modules = [import_module(f"spectronctl.api.{name}") for name in names if name not in MECHANISM]
    functions = [
        function
        for module in modules
        for _, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and function.__name__[0] != "_"
    ]
    return {describe(function) for function in functions}


def describe(function: Any) -> str:
    needed: dict[str, Any] = {
        name: {} if "Mapping" in parameter.annotation else PLACE
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
    }
    request: Request[Any] = function(**needed)
    return f"{request.method} {request.path.replace(PLACE, '{}')}"


def test_every_route_that_the_client_asks_for_is_compared() -> None:
    assert list_requests() - OF_ITSELF == set(ROUTES)
    assert len(ROUTES) == len(set(ROUTES))


@pytest.mark.parametrize(
    ("server", "own", "verdict"),
    [
        ("0.1.0", "0.1.0", "compatible"),
        ("0.1.9", "0.1.0", "compatible"),
        ("v0.1.0-rc.1+build", "0.1.3", "compatible"),
        ("0.1", "0.1.3", "compatible"),
        ("0.2.0", "0.1.0", "newer"),
        ("0.10.0", "0.9.0", "newer"),
        ("1.0.0", "0.9.0", "newer"),
        ("0.1.9", "0.2.0", "older"),
        ("0.9.0", "1.0.0", "older"),
        ("nightly", "0.1.0", "unknown"),
        ("", "0.1.0", "unknown"),
        (None, "0.1.0", "unknown"),
        ("1", "1.0.0", "unknown"),
    ],
)
def test_the_first_two_numbers_decide(server: str | None, own: str, verdict: Verdict) -> None:
    assert compare_versions(server, own) == verdict

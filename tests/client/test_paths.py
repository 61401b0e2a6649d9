"""Every operation of `spectronctl.api`: no name that is empty becomes a part of a path."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from spectronctl import api
from spectronctl.api.requests import Request
from spectronctl.errors import UsageError


def list_operations() -> Iterator[Callable[..., Any]]:
    for module in iter_modules(api.__path__, f"{api.__name__}."):
        for name, found in vars(import_module(module.name)).items():
            is_own = inspect.isfunction(found) and found.__module__ == module.name
            if (
                is_own
                and not name.startswith("_")
                and "Request" in str(found.__annotations__.get("return"))
            ):
                yield found


def call(operation: Callable[..., Any], **changed: str) -> Any:
    """The operation with a word of its own for every text that it requires."""
    required = {
        name: name.upper() if parameter.annotation == "str" else ()
        for name, parameter in inspect.signature(operation).parameters.items()
        if parameter.default is parameter.empty
    }
    return operation(**{**required, **changed})


OPERATIONS = {
    f"{each.__module__.rpartition('.')[2]}.{each.__name__}": each
    for each in list_operations()
    if not each.__module__.endswith(("pages", "requests"))
}
PLACES = [
    (title, name)
    for title, operation in OPERATIONS.items()
    for name in inspect.signature(operation).parameters
    if f"/{name.upper()}" in call(operation).path
]


def test_the_operations_are_found() -> None:
    assert len(OPERATIONS) > 30
    assert {name for _, name in PLACES} >= {"context_id", "key_id", "session_id", "job_id"}


@pytest.mark.parametrize(("title", "name"), PLACES)
def test_an_empty_name_is_refused_by_name(title: str, name: str) -> None:
    with pytest.raises(UsageError, match="a name is needed, not an empty one"):
        call(OPERATIONS[title], **{name: ""})


@pytest.mark.parametrize("title", OPERATIONS)
def test_no_path_has_an_empty_segment(title: str) -> None:
    request = call(OPERATIONS[title])
    assert isinstance(request, Request)
    assert all(request.path.removeprefix("/").split("/"))

"""The tree of failures that errors.py draws is the one that it defines."""

from __future__ import annotations

import inspect
import re

from spectronctl import errors
from spectronctl.errors import SpectronctlError

_LINE = re.compile(r"^[ │]*(?:[├└]─ )?(?P<name>\w+Error) +(?P<kind>[a-z_]+) +(?P<exit_code>\d+)")


def test_every_failure_is_drawn_with_its_kind_and_exit_code() -> None:
    found = filter(None, map(_LINE.match, (errors.__doc__ or "").splitlines()))
    drawn = {(match["name"], match["kind"], int(match["exit_code"])) for match in found}
    defined = {
        (name, each.kind, each.exit_code)
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, SpectronctlError)
    }
    assert drawn == defined


def test_a_failure_is_drawn_below_what_it_derives_from() -> None:
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := _LINE.match(line):
            depth = match.start("name") // 4 - 1
            path[depth:] = [match["name"]]
            if depth:
                assert getattr(errors, match["name"]).__base__ is getattr(errors, path[depth - 1])

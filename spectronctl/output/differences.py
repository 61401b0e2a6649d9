"""What changed between two configurations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spectronctl.ground.text import escape
from spectronctl.output.documents import to_json

WRITE_ONLY = "providers"
"""Every value below this field is a secret."""


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """
    A nested object as dotted paths and leaves; an empty object is a leaf, and so is a list.

    A name with a dot of its own stands in quotes: `models."a.b"`, and so does one with `=`, `"` or a backslash.
    """
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            flat |= {f"{_quote(name)}.{rest}": leaf for rest, leaf in flatten(value).items()}
        else:
            flat[_quote(name)] = value
    return flat


def _quote(name: str) -> str:
    """As `--set` reads it: what would separate, escape or end a name there stands in quotes."""
    is_plain = name and not set(name) & set('."=\\')
    return name if is_plain else json.dumps(name, ensure_ascii=False)


def show_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Lines such as `- config.token_limit: 1000000` and `+ config.token_limit: 2000000`; none if equal."""
    old, new = flatten(before), flatten(after)
    lines = []
    for path in dict.fromkeys([*old, *new]):
        if path in old and path in new and _is_same(old[path], new[path]):
            continue
        lines += [_show_leaf("-", path, old), _show_leaf("+", path, new)]
    return [line for line in lines if line]


def _is_same(one: Any, other: Any) -> bool:
    """As JSON sees it, where 1, 1.0 and true differ."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _show_leaf(sign: str, path: str, flat: Mapping[str, Any]) -> str:
    if path not in flat:
        return ""
    value = flat[path]
    # None is shown: that a secret is taken away is no secret.
    is_secret = value is not None and WRITE_ONLY in path.split(".")
    return f"{sign} {escape(path)}: {'(secret)' if is_secret else escape(to_json(value))}"

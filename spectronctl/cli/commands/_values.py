"""Values of fields, as they are typed."""

from __future__ import annotations

import json
from typing import Any


def parse_value(text: str) -> Any:
    """A number, true, null or other JSON as what it says; anything else as the text that it is."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # not JSON, a number with too many digits, or too deep
        return text


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def nest(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """`("a", "b"), 1` as `{"a": {"b": 1}}`."""
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict)
    return value

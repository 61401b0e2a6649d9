"""JSON on its way into the database and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from spectronctl.server.database.errors import UnstorableError

MAX_JSON_BYTES = 64 * 1024
"""Free JSON (`metadata`, `config`), encoded in UTF-8 without blanks."""
MAX_JSON_VALUES = 5_000
"""Names and values of free JSON."""
MAX_JSON_DEPTH = 64
"""Levels of free JSON; the engine refuses a request nested about 90 deep."""

_LARGEST = 2**63 - 1


def to_stored(value: Any, field: str) -> Any:
    """The same JSON, as SurrealDB keeps it; UnstorableError for what it cannot keep unchanged, or is too much."""
    # The size comes first: each value below a long name costs a copy of that name.
    if _measure(value, field) > MAX_JSON_BYTES:
        raise UnstorableError(f"{field}: must be at most {MAX_JSON_BYTES} bytes of JSON")
    stored = _convert(value, field, 0)
    if _count_values(value) > MAX_JSON_VALUES:
        raise UnstorableError(f"{field}: must be at most {MAX_JSON_VALUES} names and values")
    return stored


def _measure(value: Any, field: str) -> int:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise UnstorableError(f"{field}: nested deeper than {MAX_JSON_DEPTH} levels") from None
    return len(text.encode(errors="surrogatepass"))


def _count_values(value: Any) -> int:
    """Every name, and every value at any depth."""
    if isinstance(value, Mapping):
        return 1 + len(value) + sum(map(_count_values, value.values()))
    return 1 + sum(map(_count_values, value)) if isinstance(value, list | tuple) else 1


def _convert(value: Any, field: str, depth: int) -> Any:
    if depth > MAX_JSON_DEPTH:
        raise UnstorableError(f"{field}: nested deeper than {MAX_JSON_DEPTH} levels")
    match value:
        case None:
            return _null()
        case str():
            return check_text(value, field)
        case bool():
            return value
        case int() | float():
            return _check_number(value, field)
        case Mapping():
            return {
                check_text(name, f"a name in {field}"): _convert(each, f"{field}.{name}", depth + 1)
                for name, each in value.items()
            }
        case list() | tuple():
            return [_convert(each, f"{field}[{at}]", depth + 1) for at, each in enumerate(value)]
        case _:
            raise TypeError(f"{field}: {type(value).__name__} is not JSON")


def check_value(value: Any, field: str) -> Any:
    """The JSON itself; UnstorableError naming `field` for what a store cannot keep unchanged."""
    to_stored(value, field)
    return value


def from_stored(value: Any) -> Any:
    """What `to_stored` was given."""
    # The SDK has one object for NULL, so that identity is enough; it is not Python's None, which stands for NONE, a
    # field that is not there.
    if value is _null():
        return None
    if isinstance(value, dict):
        return {name: from_stored(each) for name, each in value.items()}
    if isinstance(value, list):
        return [from_stored(each) for each in value]
    return value


def check_text(text: str, field: str) -> str:
    """The text itself; UnstorableError for half of a surrogate pair, which JSON can hold and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnstorableError(f"{field}: not valid Unicode text") from error
    return text


def _check_number(value: float, field: str) -> float:
    # The engine's integers have 64 bits, and JSON's have no bound.
    if isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST:
        raise UnstorableError(f"{field}: larger than a 64-bit integer")
    if not math.isfinite(value):
        raise UnstorableError(f"{field}: not a finite number")
    return value


def _null() -> Any:
    # NULL, not NONE: a list keeps its nulls only as NULL.
    from surrealdb import Null

    return Null

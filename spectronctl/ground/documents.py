"""JSON and TOML that people or other programs wrote, read strictly: what is ambiguous is refused, and where is said."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BREAK = "\n"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LONG_NAME = re.compile(r"""^[ \t\[]*(?:[\w'"-]+[ \t]*\.[ \t]*){500}""", re.MULTILINE)
TOO_DEEP = "nested too deeply"


class DocumentError(ValueError):
    """What is wrong, and where as `line 3, column 5` when that is known: follows the name of a file in a message."""

    def __init__(self, problem: str, where: str | None = None) -> None:
        super().__init__(f", {where}: {problem}" if where else f": {problem}")
        self.problem = problem
        self.where = where


class AmbiguousError(DocumentError):
    """Well-formed, but not taken: a name twice, or nested without end."""


def decode_document(data: bytes) -> str:
    """UTF-8, with or without the mark that editors of Windows put first; DocumentError."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        if data.startswith(_UTF_16):
            raise DocumentError("not UTF-8 but UTF-16: save it as UTF-8") from None
        line = data[: exc.start].count(b"\n") + 1
        raise DocumentError("not UTF-8", f"line {line}") from None


def parse_json(text: str) -> Any:
    """What JSON says; DocumentError, also for names that stand twice and for NaN, which Python would take."""
    try:
        # The pairs and not the finished object: of a name that stands twice, Python keeps the last value without a
        # word.
        return json.loads(text, object_pairs_hook=_collect, parse_constant=_refuse_constant)
    # All three are a ValueError, so the order counts: ours comes out of the hooks and passes as it is.
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        raise DocumentError(f"not JSON: {exc.msg}", where) from None
    except DocumentError:
        raise
    except ValueError:  # Python reads at most 4300 digits
        raise DocumentError("not JSON: a number has too many digits") from None
    except RecursionError:
        raise AmbiguousError(TOO_DEEP) from None


def _collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise AmbiguousError(f"an object has the name {json.dumps(name)} twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    raise DocumentError(f"not JSON: it knows no {name}")


def parse_toml(text: str) -> dict[str, Any]:
    """What TOML says; DocumentError."""
    import tomllib

    # Python takes a time that grows with the square of these: minutes for a name of 50,000 parts.
    if _LONG_NAME.search(text):
        raise AmbiguousError(TOO_DEEP)
    try:
        return tomllib.loads(text)
    except ValueError as exc:
        # The place is in the text only, as `… (at line 1, column 5)`: Python has attributes for it from 3.14 on.
        problem, _, place = str(exc).removesuffix(")").partition(" (at ")
        if place == "end of document":
            place = f"line {text.count(_BREAK) + 1}, column {len(text.rpartition(_BREAK)[2]) + 1}"
        raise DocumentError(f"not TOML: {problem}", place) from None
    except RecursionError:
        raise AmbiguousError(TOO_DEEP) from None


def find_foreign(value: Any, path: str = "") -> str | None:
    """
    The first field of a document that JSON has no value for, such as a date, as `labels.day: …`; None for none.

    TOML and YAML have dates and infinities, and YAML names that are no text.
    """
    if isinstance(value, Mapping):
        return next(filter(None, _find_below(value, path)), None)
    if isinstance(value, (list, tuple)):
        below = (find_foreign(part, f"{path}[{at}]") for at, part in enumerate(value))
        return next(filter(None, below), None)
    if value is None or isinstance(value, (str, bool, int)):
        return None
    if isinstance(value, float) and math.isfinite(value):
        return None
    return f"{path}: JSON has no value for {value}; write it as text, in quotes"


def _find_below(value: Mapping[Any, Any], path: str) -> Iterator[str | None]:
    for name, part in value.items():
        if not isinstance(name, str):
            yield f"{path or 'the document'}: the name {name} is no text; write it in quotes"
        yield find_foreign(part, f"{path}.{name}" if path else str(name))

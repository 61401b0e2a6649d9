"""Names and values of fields, as they are typed."""

from __future__ import annotations

import re
from typing import Any

from spectronctl.errors import UsageError
from spectronctl.ground.documents import AmbiguousError, DocumentError, parse_json

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_PLAIN = re.compile(r"(?:\\[.=\\]|[^.=])+")
_ESCAPED = re.compile(r"\\([.=\\])")
DOTS_INSIDE = (
    """Put a name with dots in quotes, labels."app.example/name", or write \\. for each of them."""
)


def parse_value(text: str, option: str) -> Any:
    """
    A number, true, null or other JSON as what it says; anything else as the text that it is.

    UsageError for JSON that is ambiguous: the server would get one of two meanings, and the user the other.
    """
    try:
        return parse_json(text)
    # Before DocumentError, which it is one of: a name that is there twice is no text that happens to begin with a
    # brace.
    except AmbiguousError as exc:
        raise UsageError(f"{option}{exc}") from None
    except DocumentError:
        return text


def split_path(text: str, option: str) -> tuple[tuple[str, ...], str | None]:
    """
    `a.b=VALUE` as its names and the value, None without an equals sign; UsageError.

    A name in quotes is a JSON string; in a plain one, `\\.` is a dot that does not separate.
    """
    names: list[str] = []
    at = 0
    while True:
        name, at = _read_name(text, at, option)
        names.append(name)
        if at == len(text):
            return tuple(names), None
        if text[at] == "=":
            return tuple(names), text[at + 1 :]
        at += 1


def _read_name(text: str, start: int, option: str) -> tuple[str, int]:
    """A name and where it ends: at a dot, an equals sign or the end."""
    quoted, plain = _QUOTED.match(text, start), _PLAIN.match(text, start)
    found = quoted or plain
    # A quote that is never closed would else be part of a plain name.
    if found is None or (quoted is None and text.startswith('"', start)):
        raise _refuse_path(text, option)
    if text[found.end() : found.end() + 1] not in {".", "=", ""}:
        raise _refuse_path(text, option)
    try:
        name = parse_json(found[0]) if quoted else _ESCAPED.sub(r"\1", found[0])
    except DocumentError:
        raise _refuse_path(text, option) from None
    return name, found.end()


def _refuse_path(text: str, option: str) -> UsageError:
    shown = text.partition("=")[0]  # the value may be a secret
    return UsageError(
        f"{option} {shown!r}: a dotted path is needed, such as models.response", hint=DOTS_INSIDE
    )


def nest(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """`("a", "b"), 1` as `{"a": {"b": 1}}`."""
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict)
    return value

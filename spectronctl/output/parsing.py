"""JSON, TOML and YAML from users: read strictly, and refused with file, line and column."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from spectronctl.errors import UsageError
from spectronctl.ground import documents
from spectronctl.ground.documents import TOO_DEEP, DocumentError, decode_document, find_foreign

if TYPE_CHECKING:
    import yaml

_SUFFIXES = {".json": "JSON", ".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}


def parse_document(data: bytes, name: str) -> Any:
    """
    What a file holds, by the suffix of its name; without one that is known, JSON or else YAML.

    UsageError says where the text breaks the format, or where an object has a name twice.
    """
    form = _SUFFIXES.get(PurePath(name).suffix.lower())
    return _parse(data, name, _PARSERS[form] if form else _parse_any)


def parse_json_document(data: bytes, name: str) -> Any:
    """The same, for what is sent as JSON: a date or another value that JSON does not have is refused by its field."""
    document = parse_document(data, name)
    if foreign := find_foreign(document):
        raise UsageError(f"{name}: {foreign}")
    return document


def parse_json(data: bytes, name: str) -> Any:
    """What JSON says, whatever the name's suffix; UsageError as for any document."""
    return _parse(data, name, documents.parse_json)


def parse_json_text(text: str, option: str) -> Any:
    """JSON that was typed; UsageError begins with the option."""
    try:
        return documents.parse_json(text)
    except DocumentError as exc:
        raise UsageError(f"{option}{exc}") from None


def _parse(data: bytes, name: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(decode_document(data))
    except DocumentError as exc:
        raise UsageError(f"{name}{exc}") from None
    except RecursionError:
        raise UsageError(f"{name}: {TOO_DEEP}") from None


def _parse_any(text: str) -> Any:
    """YAML includes JSON, but explains broken JSON badly: what begins like JSON is told of as JSON."""
    try:
        return documents.parse_json(text)
    except DocumentError as exc:
        # Python deletes `exc` at the end of its block.
        as_json = exc
    try:
        return _parse_yaml(text)
    except DocumentError:
        if text.lstrip().startswith(("{", "[", '"')):
            raise as_json from None
        raise


def _parse_yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, _strict_loader())  # noqa: S506 - a safe loader, made strict
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else None
        raise DocumentError(f"not YAML: {exc.problem or exc.context}", where) from None
    # A control character, say. It is no MarkedYAMLError: it knows a position in the text, and no line.
    except yaml.reader.ReaderError as exc:
        line = text[: exc.position].count("\n") + 1
        raise DocumentError(f"not YAML: {exc.reason}", f"line {line}") from None
    except (ValueError, yaml.YAMLError) as exc:  # no such day, or too many digits
        raise DocumentError(f"not YAML: {str(exc).splitlines()[0]}") from None


@cache
def _strict_loader() -> type[yaml.SafeLoader]:
    """The loader of Python, not of C: a text nested without end is an error there, not a crash."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: set[tuple[str, str]] = set()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                # Keys that are lists or objects are refused by the base class, as they cannot be hashed.
                if not isinstance(key, yaml.ScalarNode):
                    continue
                # With the tag, as `1` and `"1"` are two names, of which `find_foreign` refuses the first with a better
                # message.
                if (key.tag, key.value) in seen:
                    problem = f"an object has the name {json.dumps(key.value)} twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add((key.tag, key.value))
            # PyYAML itself takes the last of equal names without a word.
            return super().construct_mapping(node, deep)

    return Loader


_PARSERS: dict[str, Callable[[str], Any]] = {
    "JSON": documents.parse_json,
    "TOML": documents.parse_toml,
    "YAML": _parse_yaml,
}

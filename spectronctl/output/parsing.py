"""JSON, TOML and YAML from users: read strictly, and refused with file, line and column."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from spectronctl.errors import UsageError

if TYPE_CHECKING:
    import yaml

_BREAK = "\n"
_SUFFIXES = {".json": "JSON", ".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}


class _SyntaxError(ValueError):
    """What is wrong, and where as `line 3, column 5` when that is known."""

    def __init__(self, problem: str, where: str | None = None) -> None:
        super().__init__(f", {where}: {problem}" if where else f": {problem}")


def parse_document(data: bytes, name: str) -> Any:
    """
    What a file holds, by the suffix of its name; without one that is known, JSON or else YAML.

    UsageError says where the text breaks the format, or where an object has a name twice.
    """
    form = _SUFFIXES.get(PurePath(name).suffix.lower())
    return _parse(data, name, _PARSERS[form] if form else _parse_any)


def parse_json(data: bytes, name: str) -> Any:
    """The same of JSON, whatever the name's suffix."""
    return _parse(data, name, _parse_json)


def _parse(data: bytes, name: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        line = data[: exc.start].count(b"\n") + 1
        raise UsageError(f"{name}, line {line}: not UTF-8") from None
    except _SyntaxError as exc:
        raise UsageError(f"{name}{exc}") from None
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply") from None


def _parse_any(text: str) -> Any:
    """YAML includes JSON, but explains broken JSON badly: what begins like JSON is told of as JSON."""
    try:
        return _parse_json(text)
    except _SyntaxError as exc:
        as_json = exc
    try:
        return _parse_yaml(text)
    except _SyntaxError:
        if text.lstrip().startswith(("{", "[", '"')):
            raise as_json from None
        raise


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_collect, parse_constant=_refuse_constant)
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        raise _SyntaxError(f"not JSON: {exc.msg}", where) from None
    except _SyntaxError:
        raise
    except ValueError:
        raise _SyntaxError("not JSON: a number has too many digits") from None


def _collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _SyntaxError(f"an object has the name {json.dumps(name)} twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    raise _SyntaxError(f"not JSON: it knows no {name}")


def _parse_toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except ValueError as exc:
        problem, _, place = str(exc).removesuffix(")").partition(" (at ")
        if place == "end of document":
            place = f"line {text.count(_BREAK) + 1}, column {len(text.rpartition(_BREAK)[2]) + 1}"
        raise _SyntaxError(f"not TOML: {problem}", place) from None


def _parse_yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, _strict_loader())  # noqa: S506 - a safe loader, made strict
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else None
        raise _SyntaxError(f"not YAML: {exc.problem or exc.context}", where) from None
    except yaml.reader.ReaderError as exc:
        line = text[: exc.position].count("\n") + 1
        raise _SyntaxError(f"not YAML: {exc.reason}", f"line {line}") from None
    except (ValueError, yaml.YAMLError) as exc:  # no such day, or too many digits
        raise _SyntaxError(f"not YAML: {str(exc).splitlines()[0]}") from None


@cache
def _strict_loader() -> type[yaml.SafeLoader]:
    """The loader of Python, not of C: a text nested without end is an error there, not a crash."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: set[tuple[str, str]] = set()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if (key.tag, key.value) in seen:
                    problem = f"an object has the name {json.dumps(key.value)} twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add((key.tag, key.value))
            return super().construct_mapping(node, deep)

    return Loader


_PARSERS: dict[str, Callable[[str], Any]] = {
    "JSON": _parse_json,
    "TOML": _parse_toml,
    "YAML": _parse_yaml,
}

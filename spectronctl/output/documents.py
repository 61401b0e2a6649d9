"""JSON, YAML and CSV: the formats that other programs read. The same text whatever the terminal."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

from spectronctl.ground.text import escape_in_json

if TYPE_CHECKING:
    import yaml

_NEVER_FOLD = 2**31 - 1  # a C int, for libyaml


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON in readable Unicode, compact unless indented; what JSON has no number for becomes null."""
    try:
        text = _make_encoder(indent).encode(value)
    except ValueError:
        # Only here: few results hold one, and to look through each would cost as much as to write it.
        return to_json(_drop_non_numbers(value), indent=indent)
    return escape_in_json(text)


@cache
def _make_encoder(indent: int | None) -> json.JSONEncoder:
    separators = (",", ":") if indent is None else None
    return json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )


def _drop_non_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _drop_non_numbers(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_drop_non_numbers(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def format_json_list(items: Iterable[Any]) -> Iterator[str]:
    """One JSON array, an item at a time, in the bytes that the whole list would give."""
    before = "[\n"
    for item in items:
        yield before + _indent(to_json(item, indent=2))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _indent(text: str) -> str:
    # Inside a string JSON has no line ends, only `\n` as an escape: none of them is touched.
    return "  " + text.replace("\n", "\n  ")


def format_json_lines(items: Iterable[Any]) -> Iterator[str]:
    """A line of JSON per item."""
    for item in items:
        yield to_json(item) + "\n"


def to_yaml(value: Any) -> str:
    """A YAML document, in the order of the fields."""
    import yaml

    try:
        return _dump_yaml(value, _fast_dumper())
    except UnicodeEncodeError:
        # libyaml cannot spell a lone surrogate, nor PyYAML a lone U+0085 unless all is spelt.
        return _dump_yaml(value, _plain_dumper(yaml.SafeDumper), allow_unicode=False)


def format_yaml_list(items: Iterable[Any]) -> Iterator[str]:
    """A YAML list, an item at a time."""
    empty = True
    for item in items:
        # Lists of one item, one after another, are the list of all in YAML's block style.
        yield to_yaml([item])
        empty = False
    if empty:
        yield "[]\n"


def _dump_yaml(value: Any, dumper: Any, *, allow_unicode: bool = True) -> str:
    import yaml

    text: str = yaml.dump(
        value, Dumper=dumper, allow_unicode=allow_unicode, sort_keys=False, width=_NEVER_FOLD
    )
    return text.removesuffix("...\n")  # the end marker after a lone scalar


def _fast_dumper() -> Any:
    import yaml

    # libyaml's is about six times faster, and missing where PyYAML was built without it.
    return _plain_dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper))


@cache
def _plain_dumper(base: type[yaml.SafeDumper]) -> Any:
    class Dumper(base):  # type: ignore[misc, valid-type]
        # Else an object that stands twice in a result becomes `&id001` and `*id001`, which few readers of YAML expect.
        def ignore_aliases(self, data: Any) -> bool:
            return True

    # Numbers to YAML 1.2, though not to PyYAML: text such as "1e3" must be quoted.
    Dumper.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+"),
        list("-+.0123456789"),
    )
    return Dumper


def format_csv(header: Sequence[str] | None, rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """
    CSV as in RFC 4180, but with the line ends of Unix, so that `cut` and `read` see no stray return.

    What is missing is empty, text stands as it is, anything else as compact JSON.
    """
    if header is not None:
        yield _format_csv_row(header)
    for row in rows:
        yield _format_csv_row(
            ["" if v is None else v if isinstance(v, str) else to_json(v) for v in row]
        )


def _format_csv_row(cells: Sequence[str]) -> str:
    line = StringIO()
    # Only with this terminator does the writer of Python 3.11 quote both kinds of line break.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n") + "\n"

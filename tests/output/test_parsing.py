"""Promises of output/parsing.py: what is read, and what is said of what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from spectronctl.errors import UsageError
from spectronctl.output.parsing import parse_document


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"names": ["x", "é"]}'),
        ("a.JSON", '\ufeff{"names": ["x", "é"]}'),
        ("a.toml", 'names = ["x", "é"]'),
        ("a.yaml", "names: [x, é]"),
        ("a.yml", "# a comment\nnames:\n- x\n- é\n"),
        ("stdin", '{"names": ["x", "é"]}'),
        ("a.txt", "names: [x, é]"),
        ("stdin", "{names: [x, é]}"),
    ],
)
def test_each_format_is_read_by_its_suffix(name: str, text: str) -> None:
    assert parse_document(text.encode(), name) == {"names": ["x", "é"]}


BROKEN = [
    ("a.json", b"", "a.json, line 1, column 1: not JSON: Expecting value"),
    ("a.json", b'{\n "a": [1,]\n}', "a.json, line 2, column "),
    ("a.json", b"a: 1", "a.json, line 1, column 1: not JSON"),
    ("a.json", b'{"a": NaN}', "not JSON: it knows no NaN"),
    ("a.json", b'{"a": ' + b"1" * 5000 + b"}", "a number has too many digits"),
    ("a.json", b'{"a": {"b": 1, "b": 2}}', 'an object has the name "b" twice'),
    ("a.json", b"[" * 100_000, "nested too deeply"),
    ("a.toml", b"a = \nb = 1", "a.toml, line 1, column 5: not TOML: Invalid value"),
    ("a.toml", b"a = 1\na = 2", "a.toml, line 2, column 6: not TOML: Cannot overwrite a value"),
    ("a.yaml", b"a: [1\nb: 2", "a.yaml, line 2, column "),
    (
        "a.yaml",
        b"a: 1\na: 2",
        'a.yaml, line 2, column 1: not YAML: an object has the name "a" twice',
    ),
    ("a.yaml", b"a:\n  b: 1\n  'b': 2", 'line 3, column 3: not YAML: an object has the name "b"'),
    (
        "a.yaml",
        b"a: 1\n---\nb: 2",
        "a.yaml, line 2, column 1: not YAML: but found another document",
    ),
    ("a.yaml", b"a: \x01", "a.yaml, line 1: not YAML: special characters are not allowed"),
    ("a.yaml", b"a: 2024-13-45", "a.yaml: not YAML: month must be in 1..12"),
    ("a.yaml", b"a: *gone", "undefined alias"),
    ("a.yaml", b"? [a, {b: c}]\n: 1", "unhashable"),
    ("a.yaml", b"a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
    ("a.yaml", b"\t- a", "cannot start any token"),
    ("a.yaml", b"[" * 100_000, "nested too deeply"),
    ("a.yaml", b"a: 1\nb: \xff", "a.yaml, line 2: not UTF-8"),
    ("stdin", b'{\n\t"a": 1,,\n}', "stdin, line 2, column 9: not JSON"),
    ("stdin", b'{"a": 1, "a": 2}', 'stdin: an object has the name "a" twice'),
    ("stdin", b"a: [1\nb: 2", "stdin, line 2, column "),
    ("stdin", b"a: 1\na: 2", "not YAML"),
]


@pytest.mark.parametrize(("name", "data", "says"), BROKEN, ids=range(len(BROKEN)))
def test_what_cannot_be_read_is_told_where(name: str, data: bytes, says: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_document(data, name)
    assert says in refusal.value.message
    assert refusal.value.message.startswith(name)
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("base: &b {x: 1}\nmore: {<<: *b, x: 2}", {"base": {"x": 1}, "more": {"x": 2}}),
        ("1: a\n'1': b", {1: "a", "1": "b"}),
        ("", None),
        ("# nothing\n", None),
    ],
)
def test_what_yaml_allows_is_no_error(text: str, found: Any) -> None:
    assert parse_document(text.encode(), "a.yaml") == found

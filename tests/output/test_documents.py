"""Promises of output/documents.py: what goes in comes out again."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spectronctl.output.documents import (
    format_csv,
    format_json_lines,
    format_json_list,
    format_yaml_list,
    to_json,
    to_yaml,
)

ANY_TEXT = st.text(st.characters(), max_size=20)  # lone surrogates and controls among them
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(ANY_TEXT, VALUES, max_size=4), max_size=4)


def count_pairs(value: Any) -> Any:
    """The value with surrogate pairs joined, as every JSON reader joins them."""
    return json.loads(json.dumps(value))


@given(ROWS)
def test_json_round_trips_any_rows_and_is_written_in_the_bytes_of_the_whole(
    rows: list[dict[str, Any]],
) -> None:
    text = "".join(format_json_list(rows))
    assert json.loads(text.encode()) == count_pairs(rows)
    assert text == to_json(rows, indent=2) + "\n"


@given(ROWS)
def test_json_lines_are_one_line_for_every_kind_of_reader(rows: list[dict[str, Any]]) -> None:
    lines = "".join(format_json_lines(rows)).splitlines()
    assert [json.loads(line.encode()) for line in lines] == count_pairs(rows)


def test_json_keeps_readable_text_and_escapes_what_moves_a_terminal() -> None:
    assert to_json("東京 é") == '"東京 é"'
    assert to_json("\x1b\x9b\x7f\ud800\u2028") == '"\\u001b\\u009b\\u007f\\ud800\\u2028"'


def test_what_is_no_number_in_json_is_null() -> None:
    assert to_json({"a": [float("nan"), 1.5], "b": float("-inf")}) == '{"a":[null,1.5],"b":null}'


@given(ROWS)
@example([{"\x85": None, "\ud800": None}])
@settings(deadline=None)
def test_yaml_round_trips_any_rows(rows: list[dict[str, Any]]) -> None:
    text = "".join(format_yaml_list(rows))
    assert yaml.safe_load(text.encode()) == rows


@pytest.mark.parametrize("text", ["1e3", "12e5", "0o17", "no", "2026-01-15", "~", "1_000", ""])
def test_yaml_quotes_text_that_any_version_reads_as_something_else(text: str) -> None:
    assert to_yaml({"id": text}) == f"id: '{text}'\n"


def test_yaml_repeats_an_object_rather_than_referring_to_it() -> None:
    shared = {"org": "acme"}
    assert to_yaml([shared, shared]) == "- org: acme\n- org: acme\n"


def test_a_long_text_in_yaml_stays_on_its_line() -> None:
    assert to_yaml({"a": "word " * 100 + "end"}).count("\n") == 1


@given(st.lists(ANY_TEXT, min_size=1, max_size=4), st.data())
def test_csv_round_trips_any_rows(header: list[str], data: st.DataObject) -> None:
    row = st.lists(ANY_TEXT, min_size=len(header), max_size=len(header))
    rows = data.draw(st.lists(row, max_size=4))
    text = "".join(format_csv(header, rows))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [header, *rows]


@given(VALUES.filter(lambda value: value is not None and not isinstance(value, str)))
def test_csv_holds_everything_but_text_as_json(value: Any) -> None:
    text = "".join(format_csv(None, [["x", value]]))
    [[_, cell]] = csv.reader(io.StringIO(text, newline=""))
    assert json.loads(cell) == count_pairs(value)


def test_csv_ends_its_lines_as_unix_does_and_leaves_the_missing_empty() -> None:
    assert (
        "".join(format_csv(["id", "limit"], [["a", None], ["b,c", 1]])) == 'id,limit\na,\n"b,c",1\n'
    )

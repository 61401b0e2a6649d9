"""Promises of `Output.show_any`: values of unknown shape, in every format."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from spectronctl.errors import UsageError
from spectronctl.output import Output
from spectronctl.output.views import ANYTHING
from tests.support.streams import Capture

OBJECT = {"id": "a", "config": {"n": 1}, "tags": ["x", "y"]}
LIST = [{"id": "a", "n": 1}, {"id": "b", "m": None}]
MIXED = [{"id": "a"}, 1, None, [2]]
SHAPES: list[Any] = [OBJECT, LIST, MIXED, [], {}, ["x", "y"], "one\ntwo", 5, True, [[1], [2]]]


def answer(format: str, found: Any, **options: Any) -> str:
    capture = Capture()
    output = Output(format, capture.streams, **options)
    output.check(ANYTHING)
    output.show_any(found)
    output.finish()
    return capture.stdout


@pytest.mark.parametrize("found", SHAPES, ids=str)
def test_programs_get_it_whole(found: Any) -> None:
    assert json.loads(answer("json", found)) == found
    assert yaml.safe_load(answer("yaml", found)) == found
    lines = [json.loads(line) for line in answer("jsonl", found).splitlines()]
    assert lines == (found if isinstance(found, list) else [found])


@pytest.mark.parametrize("found", [shape for shape in SHAPES if isinstance(shape, list)], ids=str)
@pytest.mark.parametrize("format", ["json", "jsonl", "yaml", "table", "csv", "name"])
@pytest.mark.parametrize("query", [None, "[0]", "length(@)"])
def test_an_iterator_is_the_list_of_its_items(format: str, query: str | None, found: Any) -> None:
    streamed = answer(format, iter(found), query=query)
    assert streamed == answer(format, found, query=query)


@pytest.mark.parametrize(
    ("found", "table", "csv"),
    [
        (
            OBJECT,
            "id        a\nconfig.n  1\ntags      x,y\n",
            'id,config,tags\na,"{""n"":1}","[""x"",""y""]"\n',
        ),
        (LIST, "ID  N  M\na   1  -\nb   -  -\n", "id,n,m\na,1,\nb,,\n"),
        (["x", "y"], "x\ny\n", "x\ny\n"),
        ("one\x1b\ntwo", "one\\x1b\ntwo\n", '"one\x1b\ntwo"\n'),
        (5, "5\n", "5\n"),
        ([], "", ""),
    ],
    ids=str,
)
def test_people_get_what_can_be_read(found: Any, table: str, csv: str) -> None:
    assert answer("table", found) == table
    assert answer("csv", found) == csv


@pytest.mark.parametrize("format", ["table", "wide", "name"])
def test_what_no_table_holds_is_json_that_turns_no_direction(format: str) -> None:
    found = [["\u202egnp.exe"], {"\u2066": "\u200f"}]
    shown = answer(format, found)
    assert json.loads(shown) == found
    assert shown.isascii()


def test_one_object_that_a_query_finds_is_a_row_of_csv() -> None:
    assert answer("csv", {"one": OBJECT}, query="one.config") == "n\n1\n"


@pytest.mark.parametrize("format", ["table", "csv", "json"])
@pytest.mark.parametrize("options", [{"columns": "id"}, {"sort": "id"}])
def test_it_cannot_be_shaped_before_it_is_there(format: str, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="known only once it is there"):
        answer(format, OBJECT, **options)

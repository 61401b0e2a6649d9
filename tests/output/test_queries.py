"""Promises of output/queries.py."""

from __future__ import annotations

from typing import Any

import pytest

from spectronctl.errors import UsageError
from spectronctl.output.queries import parse_query


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a[", "'a[' ends too early"),
        ("a b", "'b' at position 3 of 'a b' is not expected there"),
        ("[].#", "'#' at position 4"),
        ("", "it is empty"),
        ("nope(@)", "there is no function nope()"),
        ("[?lenth(id) > `1`]", "there is no function lenth()"),
        ("[*].{a: length(id, id)}", "length() is given 2 arguments, not 1"),
        ("merge()", "merge() is given 0 arguments, not at least 1"),
        ("[&id]", "& stands only before an argument"),
    ],
)
def test_what_is_wrong_before_an_answer_is_said_before_it(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(text)
    assert says in caught.value.message


def test_a_misspelt_function_names_the_near_ones() -> None:
    with pytest.raises(UsageError) as caught:
        parse_query("lenth(@)")
    assert caught.value.candidates == ["length"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[].id", ["b", "a"]),
        ("sort_by(@, &id)[0].id", "a"),
        ("length(@)", 2),
        ("[1:].id", ["a"]),
        ("nothing", None),
        ("merge([0], {x: `1`}).x", 1),
    ],
)
def test_an_expression_finds_what_it_says(text: str, found: Any) -> None:
    assert parse_query(text).run([{"id": "b"}, {"id": "a"}]) == found


@pytest.mark.parametrize(
    "text",
    ["sum([].id)", "[::0]", 'contains(`"ab"`, `1`)', "ceil(to_number('inf'))", "[].sum(id)"],
)
def test_an_expression_that_does_not_fit_is_a_usage_error_without_the_value(text: str) -> None:
    with pytest.raises(UsageError, match="--query does not fit the result") as caught:
        parse_query(text).run([{"id": "sk-secret"}])
    assert "sk-secret" not in str(caught.value.to_dict())

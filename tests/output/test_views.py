"""Promises of output/views.py."""

from __future__ import annotations

from typing import Any

import pytest

from spectronctl.errors import UsageError
from spectronctl.output.views import Column, View, check_sort, select_columns
from tests.support.streams import ACME, CONTEXTS


def test_a_column_reads_a_nested_field_and_misses_quietly() -> None:
    assert Column("limit", "config.token_limit").read(ACME) == 1000000
    assert Column("limit", "config.token_limit.deeper").read(ACME) is None
    assert Column("region").read(ACME) is None


def test_columns_come_in_the_order_they_are_named_from_all_there_are() -> None:
    assert [c.name for c in select_columns(CONTEXTS, "models, ID")] == ["models", "id"]


def test_an_unknown_column_lists_the_near_ones_and_all_of_them() -> None:
    with pytest.raises(UsageError) as caught:
        select_columns(CONTEXTS, "id,namespce")
    assert "--columns: there is no column 'namespce'" in caught.value.message
    assert caught.value.candidates == ["namespace"]
    assert caught.value.hint == (
        "The columns are id, namespace, token_limit, created, models, providers."
    )


@pytest.mark.parametrize("name", ["", "-", "size", "--created"])
def test_an_unknown_order_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--sort: there is no column"):
        check_sort(CONTEXTS, name)


VIEW = View((Column("id"), Column("when", kind="time"), Column("size")))


def order(name: str, values: list[Any]) -> list[Any]:
    field = name.removeprefix("-")
    arranged = check_sort(VIEW, name).arrange({"id": i, field: v} for i, v in enumerate(values))
    return [item[field] for item in arranged]


def test_numbers_sort_as_numbers_and_the_missing_come_last_both_ways() -> None:
    assert order("size", [10, None, 9, 1.5]) == [1.5, 9, 10, None]
    assert order("-size", [10, None, 9, 1.5]) == [10, 9, 1.5, None]


def test_times_sort_by_moment_not_by_letter() -> None:
    early, late = "2026-01-15T10:00:00Z", "2026-01-15T10:00:00.5Z"
    elsewhere = "2026-01-15T12:00:01+02:00"
    assert order("when", [elsewhere, late, early]) == [early, late, elsewhere]


def test_mixed_values_sort_without_failing_and_text_ignores_case() -> None:
    assert order("size", ["b", {"x": 1}, "A", 3]) == [3, "A", "b", {"x": 1}]
    assert order("when", ["never", "2026-01-15T10:00:00Z"]) == ["2026-01-15T10:00:00Z", "never"]


def test_equals_keep_the_order_of_the_server() -> None:
    items = [{"id": i, "size": 1} for i in range(5)]
    assert check_sort(VIEW, "-size").arrange(items) == items

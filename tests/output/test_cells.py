"""Promises of output/cells.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spectronctl.output.cells import format_age, format_value, measure

NOW = datetime(2026, 5, 12, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        ({}, "-"),
        (0, "0"),
        (False, "false"),
        (1.5, "1.5"),
        (["openai", "x"], "openai,x"),
        ([1, True, None], "1,true,null"),
        ({"org": "acme"}, '{"org":"acme"}'),
        ([["org/acme"]], '[["org/acme"]]'),
    ],
)
def test_a_value_is_one_readable_cell(value: Any, shown: str) -> None:
    assert format_value(value) == shown


@pytest.mark.parametrize(
    ("text", "cells"), [("abc", 3), ("東京", 4), ("é", 1), ("e\u0301", 1), ("ﾊﾝ", 2)]
)
def test_wide_characters_take_two_cells_and_accents_none(text: str, cells: int) -> None:
    assert measure(text) == cells


@pytest.mark.parametrize(
    ("distance", "shown"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=-1), "1 second ago"),
        (timedelta(minutes=-3), "3 minutes ago"),
        (timedelta(minutes=-119), "1 hour ago"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=-45), "1 month ago"),
        (timedelta(days=800), "in 2 years"),
    ],
)
def test_a_time_is_told_from_now(distance: timedelta, shown: str) -> None:
    moment = (NOW + distance).isoformat().replace("+00:00", "Z")
    assert format_age(moment, NOW) == shown


@pytest.mark.parametrize("value", ["soon", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_shown_as_it_is(value: str) -> None:
    assert format_age(value, NOW) == value


def test_a_time_without_a_zone_is_utc_and_no_time_is_missing() -> None:
    assert format_age("2026-05-12T09:00:00", NOW) == "1 hour ago"
    assert format_age(None, NOW) == "-"

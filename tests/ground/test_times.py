"""Moments and lengths of time, read and written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.ground.times import (
    duration_in_seconds,
    format_duration,
    format_time,
    parse_strict_time,
    parse_time,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-05-01T12:00:00Z", "2026-05-01t12:00:00.000z", "2026-05-01 14:00:00+02:00"],
)
def test_a_moment_is_read_in_every_spelling_of_rfc_3339(text: str) -> None:
    assert parse_time(text) == parse_strict_time(text) == NOON


@pytest.mark.parametrize("text", ["2026-05-01T12:00:00", "2026-05-01T12:00", "20260501T12Z"])
def test_what_is_looser_than_rfc_3339_is_read_only_where_that_will_do(text: str) -> None:
    assert parse_time(text) == NOON
    assert parse_strict_time(text) is None


@pytest.mark.parametrize(
    "value", ["", "noon", "2026-02-30T00:00:00Z", "٢026-05-01T12:00:00Z", None, 1]
)
def test_anything_else_is_no_moment(value: Any) -> None:
    assert parse_time(value) is None
    assert parse_strict_time(value) is None


def test_a_moment_is_written_in_utc() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=2)))
    assert format_time(there) == "2026-05-01T12:00:00Z"
    assert format_time(there, "milliseconds") == "2026-05-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.5, "500ms"), (30, "30s"), (90, "1m30s"), (5400, "1h30m"), (1_209_600, "2w")],
)
def test_a_duration_is_written_short(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=10**13).map(lambda milliseconds: milliseconds / 1000))
def test_what_is_written_is_read_back(seconds: float) -> None:
    assert duration_in_seconds(format_duration(seconds)) == seconds


@given(st.text())
def test_any_text_is_a_length_of_time_or_none(text: str) -> None:
    seconds = duration_in_seconds(text)
    assert seconds is None or seconds >= 0

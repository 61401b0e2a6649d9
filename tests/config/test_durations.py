from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.config.values import parse_duration
from spectronctl.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("5m", 300),
        ("24h", 86_400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("1m500ms", 60.5),
        (" 5m ", 300),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "-5m",
        "5 m",
        "30m1h",
        "1h1h",
        "5y",
        "1e3",
        "m",
        ".5s",
        "٣s",
        "9" * 400 + "d",
    ],
)
def test_what_is_no_duration_is_named_with_the_form(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert repr(text) in caught.value.message
    assert "1h30m" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["90", "0", "0.25", " 7 ", "9" * 400])
def test_a_number_without_a_unit_is_refused_with_the_units(text: str) -> None:
    with pytest.raises(UsageError, match="needs a unit") as caught:
        parse_duration(text)
    assert caught.value.candidates == [text.strip() + unit for unit in ("s", "m", "h", "d")]


@given(st.text())
def test_any_text_is_a_duration_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert parse_duration(text) >= 0

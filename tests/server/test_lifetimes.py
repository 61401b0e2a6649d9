from __future__ import annotations

from typing import Any

import pytest

from spectronctl.server.upkeep.lifetimes import parse_lifetime, parse_lifetimes

HOUR, DAY = 3_600, 86_400
CENTURY = 36_525 * DAY


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("30m", 1_800), ("12h", 12 * HOUR), ("7d", 7 * DAY), ("36525d", CENTURY)],
)
def test_a_lifetime_is_a_duration(text: str, seconds: float) -> None:
    assert parse_lifetime(text) == seconds


@pytest.mark.parametrize(
    "value", [None, "", "soon", "-7d", "0s", "999ms", "36525d1s", 7, 7.5, True, ["7d"]]
)
def test_what_is_no_lifetime_is_none(value: Any) -> None:
    assert parse_lifetime(value) is None


@pytest.mark.parametrize(
    ("config", "lifetimes"),
    [
        ({}, {"context": 7 * DAY}),
        ({"memory_ttl": None, "retention_days": None}, {"context": 7 * DAY}),
        ({"retention_days": 90}, {"context": 90 * DAY}),
        ({"retention_days": 2**62}, {"context": CENTURY}),
        ({"memory_ttl": {"context": "12h"}, "retention_days": 90}, {"context": 12 * HOUR}),
        ({"memory_ttl": {"context": None}, "retention_days": 90}, {"context": 90 * DAY}),
        (
            {"memory_ttl": {"identity": "52w", "knowledge": "30d"}},
            {"identity": 364 * DAY, "knowledge": 30 * DAY, "context": 7 * DAY},
        ),
    ],
)
def test_the_category_comes_before_the_context_and_the_default(
    config: dict[str, Any], lifetimes: dict[str, float]
) -> None:
    assert parse_lifetimes(config) == lifetimes

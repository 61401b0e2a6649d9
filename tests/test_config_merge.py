"""What a patch does to a config."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.models.contexts import merge_config

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=10,
)
CONFIGS = st.dictionaries(st.text(max_size=2), JSON, max_size=4)


@pytest.mark.parametrize(
    ("current", "patch", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": None, "z": 3}}, {"a": {"x": 1, "z": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [1]}, {"a": [None, {"b": None}]}, {"a": [None, {"b": None}]}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"x": 1, "y": None}}, {"a": {"x": 1}}),
        ({}, {"a": None, "b": {"c": None}}, {}),
        ({"a": {"x": 1}}, {"a": {}}, {"a": {"x": 1}}),
    ],
)
def test_objects_merge_null_clears_and_the_rest_replaces(
    current: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any]
) -> None:
    assert merge_config(current, patch) == merged


@given(CONFIGS, CONFIGS)
def test_a_patch_applied_twice_is_a_patch_applied_once(
    current: dict[str, Any], patch: dict[str, Any]
) -> None:
    once = merge_config(current, patch)
    assert merge_config(once, patch) == once


def test_neither_side_is_changed() -> None:
    current, patch = {"a": {"x": 1}}, {"a": {"y": 2}}
    merge_config(current, patch)
    assert (current, patch) == ({"a": {"x": 1}}, {"a": {"y": 2}})

"""Promises of output/differences.py."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spectronctl.output.differences import flatten, show_difference

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=5), TREES, max_size=4)


def count_leaves(value: Any) -> int:
    if isinstance(value, dict) and value:
        return sum(map(count_leaves, value.values()))
    return 1


def test_nested_objects_become_dotted_paths() -> None:
    config = {"token_limit": 5, "models": {"extraction": "o/m", "a.b": "x"}, "empty": {}, "l": [1]}
    assert flatten(config) == {
        "token_limit": 5,
        "models.extraction": "o/m",
        'models."a.b"': "x",
        "empty": {},
        "l": [1],
    }


@given(OBJECTS)
def test_no_two_leaves_share_a_path(config: dict[str, Any]) -> None:
    assert len(flatten(config)) == sum(map(count_leaves, config.values()))


def test_a_change_is_a_line_before_and_a_line_after() -> None:
    before = {"config": {"token_limit": 1000000, "retention_days": 30, "same": 1}}
    after = {"config": {"token_limit": 2000000, "same": 1, "models": {"response": "o/m"}}}
    assert show_difference(before, after) == [
        "- config.token_limit: 1000000",
        "+ config.token_limit: 2000000",
        "- config.retention_days: 30",
        '+ config.models.response: "o/m"',
    ]


def test_equals_give_no_line_and_json_decides_what_is_equal() -> None:
    assert show_difference({"a": [{"x": 1, "y": 2}]}, {"a": [{"y": 2, "x": 1}]}) == []
    assert show_difference({"a": 1}, {"a": True}) == ["- a: 1", "+ a: true"]
    assert show_difference({"a": 1}, {"a": "1"}) == ["- a: 1", '+ a: "1"']


def test_a_provider_key_is_never_shown() -> None:
    before: dict[str, Any] = {"config": {"providers": {"openai": None}}}
    after = {"config": {"providers": {"openai": "sk-sentinel", "a.b": "sk-sentinel"}}}
    assert show_difference(before, after) == [
        "- config.providers.openai: null",
        "+ config.providers.openai: (secret)",
        '+ config.providers."a.b": (secret)',
    ]


def test_a_hostile_name_or_value_stays_on_its_line() -> None:
    assert show_difference({}, {"a\n- b": "\x1b[2J\u202e"}) == ['+ a\\n- b: "\\u001b[2J\\u202e"']

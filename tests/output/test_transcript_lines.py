"""Lines of JSON made the fast way are those that every other command prints."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spectronctl.output.documents import to_json
from spectronctl.output.transcripts import format_transcript

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
)


@given(ANY_TEXT, VALUES)
def test_a_line_is_the_json_of_its_turn(content: str, extra: Any) -> None:
    turn = {"seq": 1, "role": "user", "content": content, "created_at": "", "extra": extra}
    assert "".join(format_transcript("jsonl", {"id": "s"}, [turn])) == to_json(turn) + "\n"


def test_what_is_no_number_in_json_is_null() -> None:
    turn = {"seq": 1, "role": "user", "content": "", "mood": float("nan")}
    assert '"mood":null' in "".join(format_transcript("jsonl", {"id": "s"}, [turn]))

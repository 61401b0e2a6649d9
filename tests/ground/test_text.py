"""Promises of ground/text.py."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.ground.text import clean, escape, shorten


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("[red]x[/] \\ :smile:", "[red]x[/] \\ :smile:"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x9b31m\u202egnp", "\\x9b31m\\u202egnp"),
        ("\ud800 \u2028", "\\ud800 \\u2028"),
        ("family 👩\u200d👧", "family 👩\u200d👧"),
    ],
)
def test_what_a_terminal_would_act_on_is_spelt_out(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(st.characters()))
def test_escaped_text_is_one_line_that_encodes_and_holds_no_control(text: str) -> None:
    shown = escape(text)
    shown.encode()
    assert shown.splitlines() in ([], [shown])
    assert not any(unicodedata.category(character) == "Cc" for character in shown)


def test_cleaned_text_is_one_line_without_what_cannot_be_printed() -> None:
    assert clean(" a\n\tb\x1b[31m \u202ec ") == "a b[31m c"


@pytest.mark.parametrize(
    ("text", "shown"), [("four", "four"), ("fives", "fiv…"), ("ab cd", "ab…"), ("", "")]
)
def test_what_is_cut_off_is_marked(text: str, shown: str) -> None:
    assert shorten(text, 4) == shown

"""Promises of output/tables.py."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from spectronctl.ground.text import escape
from spectronctl.output.tables import draw, lay_out

WORD = st.text(st.characters(exclude_categories=["Z", "C", "M"]), min_size=1, max_size=40)
HEAD = ["ID", "WHAT", "WHERE"]


def drawn(rows: list[list[str]], width: int, *, color: bool = False) -> list[str]:
    return "".join(draw(rows, width=width, color=color, head=HEAD, whole=0)).splitlines()


@given(st.lists(st.lists(st.text(max_size=60).map(escape), min_size=3, max_size=3), min_size=1))
def test_a_plain_table_keeps_every_cell_whole(rows: list[list[str]]) -> None:
    lines = "".join(lay_out(rows)).split("\n")
    assert len(lines) == len(rows) + 1
    for row, line in zip(rows, lines, strict=False):
        assert all(cell.rstrip() in line for cell in row)


def test_a_plain_table_aligns_wide_characters_two_blanks_apart() -> None:
    assert list(lay_out([["ID", "NAME", "X"], ["a", "東京", "1"], ["bcd", "x", "2"]])) == [
        "ID   NAME  X\n",
        "a    東京  1\n",
        "bcd  x     2\n",
    ]


def test_no_rows_are_no_lines() -> None:
    assert list(lay_out([])) == []


@given(
    st.lists(st.lists(WORD, min_size=3, max_size=3), min_size=1, max_size=3), st.integers(1, 140)
)
@settings(deadline=None)
def test_a_drawn_table_loses_no_character_at_any_width(rows: list[list[str]], width: int) -> None:
    lines = drawn(rows, width)
    assert sorted("".join(lines).replace(" ", "")) == sorted("".join(map("".join, [HEAD, *rows])))


@given(
    st.lists(st.lists(WORD, min_size=3, max_size=3), min_size=1, max_size=3), st.integers(24, 140)
)
@settings(deadline=None)
def test_a_drawn_table_fits_the_terminal(rows: list[list[str]], width: int) -> None:
    assert all(cell_len(line) <= width for line in drawn(rows, width))


def test_an_id_stays_in_one_piece_while_other_columns_can_make_room() -> None:
    name = "cak_01HF7YAT00EXAMPLE000000000"
    lines = drawn([[name, "words " * 20, "x" * 60]], 60)
    assert any(name in line for line in lines)


def test_markup_and_emoji_codes_are_not_interpreted() -> None:
    hostile = ["[red]x[/]", "[/nope]", ":smile:\\[b]"]
    assert drawn([hostile], 80)[1].split() == hostile


@pytest.mark.parametrize("color", [True, False])
def test_only_colour_adds_escape_sequences(color: bool) -> None:
    text = "\n".join(drawn([["a", "b", "c"]], 80, color=color))
    assert ("\x1b" in text) is color
    assert re.sub(r"\x1b\[\d*m", "", text).split() == [*HEAD, "a", "b", "c"]


def test_the_environment_of_the_process_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn([["a" * 50, "b", "c"]], 60, color=True)
    for name, value in {
        "COLUMNS": "20",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "FORCE_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert drawn([["a" * 50, "b", "c"]], 60, color=True) == before


def test_a_table_of_very_many_rows_does_not_keep_a_person_waiting() -> None:
    rows = [[f"cak_{n}", "words " * 20, "x"] for n in range(20_000)]
    started = time.process_time()
    assert "".join(draw(rows, width=60, color=True, head=HEAD, whole=0)) == "".join(
        lay_out([HEAD, *rows])
    )
    assert time.process_time() - started < 5

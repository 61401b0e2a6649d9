"""Promises of output/tables.py."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from spectronctl.ground.text import escape
from spectronctl.output.tables import Drawing, Track, draw, lay_out

WORD = st.text(st.characters(exclude_categories=["Z", "C", "M"]), min_size=1, max_size=40)
SENTENCE = st.lists(WORD.filter(lambda word: cell_len(word) <= 40), max_size=8).map(" ".join)
ROWS = st.lists(st.tuples(WORD, WORD, SENTENCE, WORD), min_size=1, max_size=3)
ID = "cak_01HF7YAT00EXAMPLE000000000"


def make(rows: Sequence[tuple[str, ...]]) -> list[Track]:
    """An id, what may be cut, a sentence, and what is only left out."""
    ids, texts, sentences, last = zip(*rows, strict=True)
    return [
        Track("ID", ids, stays=True),
        Track("WHAT", texts, room="cut"),
        Track("WHY", sentences, room="wrapped"),
        Track("WHERE", last),
    ]


def see(drawing: Drawing) -> list[str]:
    return [line.removesuffix("\n") for line in drawing.lines]


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


@given(ROWS, st.integers(1, 140))
@settings(deadline=None)
def test_no_id_and_no_header_is_ever_broken(rows: list[tuple[str, ...]], width: int) -> None:
    drawing = draw(make(rows), width=width, color=False)
    head, text = see(drawing)[0].split(), "\n".join(see(drawing))
    assert {*head, *drawing.left_out, "WHY"} == {"ID", "WHAT", "WHY", "WHERE"}
    for row in rows:
        assert row[0] in text
        assert all(word in text for word in row[2].split())
        assert "WHERE" in drawing.left_out or row[3] in text


@given(ROWS, st.integers(1, 140))
@settings(deadline=None)
def test_a_table_fits_its_terminal_unless_an_id_or_a_word_does_not(
    rows: list[tuple[str, ...]], width: int
) -> None:
    words = [word for row in rows for word in row[2].split(" ")]
    must = max(2, *(cell_len(row[0]) for row in rows), *(2 + cell_len(word) for word in words))
    lines = see(draw(make(rows), width=width, color=False))
    assert max(map(cell_len, lines)) <= max(width, must)


@given(ROWS)
@settings(deadline=None)
def test_without_a_width_every_row_is_one_whole_line(rows: list[tuple[str, ...]]) -> None:
    drawing = draw(make(rows), width=None, color=False)
    head = ("ID", "WHAT", "WHY", "WHERE")
    assert drawing == Drawing(list(lay_out([head, *rows])), [])


def test_columns_give_way_from_the_last_one() -> None:
    rows = [(ID, "one two three four five", "a sentence that takes its time", "w" * 12)]
    assert see(draw(make(rows), width=95, color=False))[1] == (
        f"{ID}  one two three four five  a sentence that takes     wwwwwwwwwwww"
    )
    assert see(draw(make(rows), width=80, color=False)) == [
        "ID                              WHAT          WHY                   WHERE",
        f"{ID}  one two thr…  a sentence that       wwwwwwwwwwww",
        f"{' ' * 46}takes its time",
    ]
    narrow = draw(make(rows), width=65, color=False)
    assert see(narrow) == [
        "ID                              WHAT                 WHERE",
        f"{ID}  one two three four…  wwwwwwwwwwww",
        "  a sentence that takes its time",
    ]
    assert narrow.left_out == []
    assert draw(make(rows), width=50, color=False).left_out == ["WHERE"]
    assert draw(make(rows), width=20, color=False).left_out == ["WHAT", "WHERE"]


def test_what_is_cut_shows_that_it_is() -> None:
    tracks = [Track("ID", ["東京" * 3, "x"], room="cut"), Track("NAME", ["n", "n"], stays=True)]
    assert see(draw(tracks, width=18, color=False)) == [
        "ID            NAME",
        "東京東京東京  n",
        "x             n",
    ]
    wide = [Track("ID", ["東京" * 9], room="cut"), Track("NAME", ["n"], stays=True)]
    assert see(draw(wide, width=18, color=False))[1] == "東京東京東…   n"


def test_markup_and_emoji_codes_are_not_interpreted() -> None:
    hostile = ("[red]x[/]", "[/nope]", ":smile:\\[b]", "x")
    assert see(draw(make([hostile]), width=80, color=False))[1].split() == list(hostile)


@pytest.mark.parametrize("color", [True, False])
def test_only_colour_adds_escape_sequences(color: bool) -> None:
    tracks = [Track("ID", ["a", "b"]), Track("STATUS", ["failed", "odd"], colored=True)]
    lines = see(draw(tracks, width=80, color=color))
    assert any("\x1b" in line for line in lines) is color
    plain = [re.sub(r"\x1b\[\d*m", "", line) for line in lines]
    assert plain == ["ID  STATUS", "a   failed", "b   odd"]
    assert ("\x1b[31mfailed\x1b[0m" in lines[1]) is color


@pytest.mark.parametrize("emoji", ["👍🏽", "1️⃣", "❤️", "👨‍👩‍👧", "می‌خواهم"])
def test_emoji_and_joiners_shift_no_column(emoji: str) -> None:
    lines = list(lay_out([[emoji, "x"], ["y", "x"]]))
    assert {cell_len(line.partition("x")[0]) for line in lines} == {cell_len(emoji) + 2}


def test_a_table_of_very_many_rows_does_not_keep_a_person_waiting() -> None:
    rows = [(f"cak_{n}", "words " * 20, "x", "y") for n in range(20_000)]
    started = time.process_time()
    assert len(draw(make(rows), width=60, color=True).lines) == len(rows) + 1
    assert time.process_time() - started < 5

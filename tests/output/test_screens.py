"""What a person's terminal gets is spelt out in every format; what a pipe gets is verbatim."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import yaml

from spectronctl.ground.text import escape, has_unprintable
from spectronctl.ground.vocabulary import OUTPUT_FORMATS
from spectronctl.output import Output
from spectronctl.output.cells import measure
from spectronctl.output.transcripts import FORMATS, format_transcript
from spectronctl.output.views import Column, View
from tests.support.streams import Capture, Terminal

NAMES = View(columns=(Column("name"), Column("note")), name="name")
HIDDEN = {
    "escape": "\x1b[31mred",
    "C1": "\x9b2J",
    "override": "a\u202egpj",
    "isolate": "a\u2066b",
    "zero width": "app\u200bagent",
    "joiner in Latin": "app\u200dagent",
    "word joiner": "app\u2060agent",
    "mark": "\ufeffapp",
    "soft hyphen": "app\xadagent",
    "tags": "app\U000e0041\U000e0042",
    "selectors": "a\ufe01\U000e0101",
    "filler": "app\u3164",
}
SEEN = [
    "می\u200cرود",
    "👩\u200d👧",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "葛\U000e0100城",
    "क\u094d\u200dष",
]


def hides(text: str) -> bool:
    return any(c in text for word in HIDDEN.values() for c in word if not c.isprintable())


@pytest.mark.parametrize("word", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("format", OUTPUT_FORMATS)
def test_a_terminal_gets_nothing_that_it_would_act_on_or_hide(format: str, word: str) -> None:
    for env in ({}, {"CI": "1"}):
        with Terminal({"NO_COLOR": "1", **env}, width=200) as terminal:
            out = Output(format, terminal.streams)
            out.rows([{"name": word, "note": "x"}], NAMES)
            out.show_any({word: word})
            out.note(word)
        assert not hides(terminal.shown.replace("\n", ""))
        assert not any(c in terminal.shown for c in word if ord(c) > 0xFDFF)


@pytest.mark.parametrize("word", HIDDEN.values(), ids=HIDDEN)
def test_json_on_a_terminal_means_the_same(word: str) -> None:
    with Terminal(width=200) as terminal:
        Output("json", terminal.streams).show({"name": word}, NAMES)
    assert json.loads(terminal.shown) == {"name": word}


@pytest.mark.parametrize("word", [*HIDDEN.values(), *SEEN])
def test_a_pipe_gets_what_there_is(word: str) -> None:
    item: dict[str, Any] = {"name": word, "note": "x"}
    shown = {}
    for form in ("csv", "json", "yaml", "jsonl"):
        capture = Capture()
        Output(form, capture.streams).rows([item], NAMES)
        shown[form] = capture.out.read_bytes().decode()
    assert list(csv.DictReader(io.StringIO(shown["csv"], newline=""))) == [item]
    assert json.loads(shown["json"]) == [item] == yaml.safe_load(shown["yaml"])
    assert json.loads(shown["jsonl"]) == item


def test_names_are_piped_as_they_are() -> None:
    capture = Capture()
    Output("name", capture.streams).rows([{"name": "app\u200bagent"}], NAMES)
    assert capture.stdout == "app\u200bagent\n"


@pytest.mark.parametrize("word", SEEN)
def test_what_a_script_is_written_with_stays(word: str) -> None:
    assert escape(word) == word
    assert not has_unprintable(word) or "\U000e0100" in word


@pytest.mark.parametrize("word", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("format", FORMATS)
def test_a_transcript_hides_nothing_on_a_terminal(format: str, word: str) -> None:
    turn = {"seq": 0, "role": "user", "content": word, "created_at": "2026-01-01T00:00:00Z"}
    with Terminal({"NO_COLOR": "1"}, width=200) as terminal:
        out = Output("table", terminal.streams)
        pieces = format_transcript(format, {"id": word}, [turn], terminal=out.terminal)
        out.text(pieces, format=format)
        follow = format_transcript(format, {"id": word}, [turn], terminal=out.terminal)
        out.follow(follow, format=format)
    assert not hides(terminal.shown.replace("\n", ""))


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("❤\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("👍🏽", 2),
        ("👩\u200d👩\u200d👧", 2),
        ("می\u200cرود", 5),
    ],
)
def test_a_picture_of_several_characters_takes_two_cells(text: str, width: int) -> None:
    assert measure(text) == width
    assert measure(f"a{text}b") == width + 2


@pytest.mark.parametrize(
    ("cell", "is_noted"),
    [
        ("=1+1", True),
        ("@SUM(A1)", True),
        ("-cmd", True),
        ("+1-2", True),
        ("\t=1", True),
        ("-5", False),
        ("a=b", False),
    ],
)
def test_a_cell_that_a_spreadsheet_would_calculate_is_noted_and_left(
    cell: str, is_noted: bool
) -> None:
    capture = Capture()
    Output("csv", capture.streams).rows([{"name": cell, "note": 1}], NAMES)
    assert capture.stdout == f"name,note\n{cell},1\n"
    assert ("a spreadsheet would calculate it" in capture.stderr) == is_noted

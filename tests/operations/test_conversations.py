"""Files of conversations: what is read, and where a broken one is said to be broken."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from spectronctl.errors import UsageError
from spectronctl.models.facts import Message
from spectronctl.operations.conversations import parse_conversation

TURN = {
    "id": "turn:1",
    "session": "session:1",
    "role": "user",
    "content": "hello\nthere",
    "seq": 1,
    "created_at": "2026-05-01T12:30:00Z",
}
READ = {"role": "user", "content": "hello\nthere", "ts": "2026-05-01T12:30:00Z"}


def read(text: str) -> list[Message]:
    return list(parse_conversation(io.StringIO(text), "talk").messages)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TURN),
        json.dumps(TURN | {"turns": []}),
        "\n\n" + json.dumps(TURN) + "\n\n",
        json.dumps([TURN]),
        json.dumps([TURN], indent=2),
        json.dumps({"session": {"id": "session:1"}, "turns": [TURN]}),
        json.dumps({"session": {"id": "session:1"}, "turns": [TURN]}, indent=2),
        json.dumps({"role": "user", "content": "hello\nthere", "ts": READ["ts"]}),
        json.dumps(TURN).replace("created_at", "createdAt"),
    ],
)
def test_every_shape_is_read_as_the_same_message(text: str) -> None:
    assert read(text) == [READ]


def test_a_message_without_a_time_stays_without() -> None:
    assert read('{"role": "tool", "content": ""}') == [{"role": "tool", "content": ""}]


def test_lines_are_read_as_they_are_wanted() -> None:
    taken: list[int] = []

    def lines() -> Any:
        for number in range(100):
            taken.append(number)
            yield json.dumps(TURN) + "\n"

    messages = parse_conversation(lines(), "talk").messages
    next(messages)
    assert len(taken) <= 2


@pytest.mark.parametrize("text", ["", "\n \n", "[]", '{"turns": []}'])
def test_a_file_without_turns_has_no_message(text: str) -> None:
    assert read(text) == []


GOOD = json.dumps(TURN) + "\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD + '{"role": "user", "conte', "talk, line 2: not JSON: .* at column 18"),
        ("\n" + GOOD + "\n{}", "talk, line 4: role: None is not one of user, assistant"),
        (GOOD + '{"role": "robot", "content": ""}', "talk, line 2: role: 'robot' is not one of"),
        (GOOD + '{"role": "user"}', "talk, line 2: content: a string is needed"),
        (GOOD + '{"role": "user", "content": 3}', "talk, line 2: content: a string is needed"),
        (
            GOOD + r'{"role": "user", "content": "\ud800"}',
            r"line 2: content: U\+D800 is not a character on its own",
        ),
        (GOOD + '{"role": "user", "content": "", "ts": "now"}', "talk, line 2: ts: 'now' is no"),
        (GOOD + '{"role": "user", "content": "", "ts": 3}', "talk, line 2: ts: 3 is no"),
        (
            GOOD + '{"role": "user", "content": "", "ts": "2026-05-01T12:30:00"}',
            "talk, line 2: ts: .* is not a time with a time zone",
        ),
        (GOOD + "3", "talk, line 2: not an object"),
        (GOOD + "9" * 5000, "talk, line 2: not JSON: a number has too many digits"),
        ("[" * 100_000, "talk: nested too deeply"),
        ('{"a":' * 100_000, "talk, line 1: nested too deeply"),
        (json.dumps([TURN, {"role": "user"}]), "talk, turn 2: content: a string is needed"),
        (json.dumps({"turns": 3}), "talk: an array of turns is missing"),
        ('{\n  "turns": [\n    {,', "talk: not JSON: .* at line 3, column"),
        ("hello", "talk, line 1: not JSON: Expecting value at column 1"),
    ],
)
def test_a_broken_file_is_told_by_its_place(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read(text)


def test_what_comes_before_a_broken_line_is_handed_out() -> None:
    messages = parse_conversation(io.StringIO(GOOD * 2 + "{"), "talk").messages
    assert [next(messages), next(messages)] == [READ, READ]
    with pytest.raises(UsageError, match="line 3"):
        next(messages)

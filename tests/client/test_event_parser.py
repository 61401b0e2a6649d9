"""The grammar of server-sent events, wherever the network cuts them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.client import _event_parser
from spectronctl.client._call import UnreadableError
from spectronctl.client._event_parser import EventParser
from spectronctl.models.events import Event


def parse(*pieces: bytes) -> list[Event]:
    parser = EventParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + list(parser.finish())


GRAMMAR = {
    "data": (b"data: a\n\n", [Event("a")]),
    "no blank before it": (b"data:a\n\n", [Event("a")]),
    "one blank is taken away": (b"data:  a \n\n", [Event(" a ")]),
    "lines of data": (b"data: {\ndata: }\n\n", [Event("{\n}")]),
    "empty data": (b"data\n\ndata:\n\n", [Event(""), Event("")]),
    "a name": (b"event: memory\ndata: a\n\ndata: b\n\n", [Event("a", "memory"), Event("b")]),
    "a bare done": (b"event: done\n\n", [Event("", "done")]),
    "an id stays": (b"id: 7\ndata: a\n\ndata: b\n\n", [Event("a", id="7"), Event("b", id="7")]),
    "an id with a NUL": (b"id: 7\0\ndata: a\n\n", [Event("a")]),
    "an id alone": (b"id: 7\n\ndata: a\n\n", [Event("a", id="7")]),
    "comments": (b": keep-alive\n\n:\ndata: a\n: x\ndata: b\n\n", [Event("a\nb")]),
    "unknown fields": (b"retry: 5\nfoo: bar\nbaz\ndata: a\n\n", [Event("a")]),
    "CRLF": (b"event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", [Event("a", "x"), Event("b")]),
    "CR": (b"data: a\rdata: b\r\rdata: c\r\r", [Event("a\nb"), Event("c")]),
    "mixed": (b"data: a\r\n\ndata: b\n\r\n", [Event("a"), Event("b")]),
    "BOM": (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
    "a second BOM": (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [Event("a")]),
    "no blank line at the end": (b"data: a\n\ndata: b\n", [Event("a"), Event("b")]),
    "no end of line at the end": (b"data: a\n\ndata: b", [Event("a"), Event("b")]),
    "blank lines": (b"\n\n\ndata: a\n\n\n\n", [Event("a")]),
    "text": ("data: ä\u2028\x85x\n\n".encode(), [Event("ä\u2028\x85x")]),
    "no text": (b"data: \xff\n\n", [Event("\ufffd")]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("stream", "events"), GRAMMAR.values(), ids=GRAMMAR)
def test_the_grammar(stream: bytes, events: list[Event]) -> None:
    assert parse(stream) == events
    assert parse(*(stream[at : at + 1] for at in range(len(stream)))) == events


@given(st.sampled_from(list(GRAMMAR.values())), st.lists(st.integers(0, 60)))
def test_a_stream_may_be_cut_anywhere(case: tuple[bytes, list[Event]], cuts: list[int]) -> None:
    stream, events = case
    places = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(places)]
    assert parse(*pieces) == events


def test_an_event_is_there_with_the_first_byte_that_ends_it() -> None:
    parser = EventParser()
    assert list(parser.feed(b"data: a\r\n\r")) == [Event("a")]
    assert list(parser.feed(b"\ndata: b\n")) == []
    assert list(parser.feed(b"\n")) == [Event("b")]


@pytest.mark.parametrize(
    ("piece", "times", "says"),
    [(b"x" * 1000, 2000, "a line of"), (b"data: " + b"x" * 900 + b"\n", 20_000, "an event of")],
)
def test_what_never_ends_is_given_up(piece: bytes, times: int, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        parse(*[piece] * times)


def test_the_limit_of_a_line_holds_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_event_parser, "MAX_LINE", 10)
    assert parse(b"data: 1234\n\n") == [Event("1234")]
    with pytest.raises(UnreadableError):
        parse(b"data: 12345\n\n")


@pytest.mark.parametrize(
    ("event", "is_last"),
    [
        (Event("[DONE]"), True),
        (Event('{"done": true, "delta": "x"}'), True),
        (Event("{}", "done"), True),
        (Event("{}", "error"), True),
        (Event('{"done": false}'), False),
        (Event('{"delta": "\\"done\\": true"}'), False),
        (Event('["done", true]'), False),
        (Event('"done"'), False),
    ],
)
def test_every_way_to_say_that_it_is_over(event: Event, is_last: bool) -> None:
    assert event.is_last is is_last


def test_data_is_read_as_json_where_it_is_some() -> None:
    values = [Event(data).value for data in ('{"a": [1]}', "plain", "", "[" * 100_000)]
    assert values == [{"a": [1]}, "plain", "", "[" * 100_000]

"""Promises of output/transcripts: what each format looks like, and what no content can do to it."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import tracemalloc
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from itertools import islice
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from spectronctl.errors import UsageError
from spectronctl.ground.text import escape
from spectronctl.operations.conversations import parse_conversation
from spectronctl.output.cells import measure
from spectronctl.output.documents import format_csv, format_json_lines, to_json
from spectronctl.output.rendering import Terminal
from spectronctl.output.transcripts import FORMATS, format_transcript

SESSION: dict[str, Any] = {"id": "session:01HX", "metadata": {"title": "Tea & <rain>"}}
ANY_TEXT = st.text(st.characters(), max_size=30)
PARTS = ["```", "~~~~", "`", "<script>", "<!--", "</p>", "</article>", "[a]:/b", "|", "--|--", "x"]
MARKS = ["-", ">", "1.", "#9", "##", "\\", " ", "  ", "   ", "\t", "\n", "\n\n"]
HOSTILE = st.text(
    st.sampled_from("`~<>\\[]|:&;\"'#-=*_1.) \t\n\r/!?ab\u200f\u05d0\x1b"), max_size=40
) | st.lists(st.sampled_from(PARTS + MARKS), max_size=16).map("".join)


def make_turn(content: str, seq: int = 1, role: str = "user", **more: Any) -> dict[str, Any]:
    return {
        "id": f"turn:{seq}",
        "session": "session:01HX",
        "seq": seq,
        "role": role,
        "content": content,
        "created_at": "2026-05-01T14:30:05.25+02:00",
        **more,
    }


TALK = [make_turn("What is new?\n\n  Tell me."), make_turn("Rain.", 2, "assistant", mood="grey")]


def write(format: str, *contents: str, terminal: Terminal | None = None, **session: Any) -> str:
    turns = [make_turn(content, seq) for seq, content in enumerate(contents, 1)]
    return "".join(format_transcript(format, {**SESSION, **session}, turns, terminal=terminal))


# What each format looks like


def test_plain_text_has_a_line_per_turn_and_what_was_said_indented_below() -> None:
    assert "".join(format_transcript("text", SESSION, TALK)) == (
        "#1 user 2026-05-01T12:30:05.250000Z\n"
        "  What is new?\n"
        "\n"
        "    Tell me.\n"
        "\n"
        "#2 assistant 2026-05-01T12:30:05.250000Z\n"
        "  Rain.\n"
    )


def test_markdown_has_a_heading_per_turn_and_what_was_said_quoted_below() -> None:
    assert "".join(format_transcript("markdown", SESSION, TALK)) == (
        "# Session session:01HX\n"
        "\n"
        "## 1 · user · 2026-05-01T12:30:05.250000Z\n"
        "\n"
        "> What is new?\n"
        ">\n"
        ">   Tell me.\n"
        "\n"
        "## 2 · assistant · 2026-05-01T12:30:05.250000Z\n"
        "\n"
        "> Rain.\n"
    )


def test_json_is_the_document_that_is_written_elsewhere() -> None:
    text = "".join(format_transcript("json", SESSION, TALK))
    assert text == to_json({"session": SESSION, "turns": TALK}, indent=2) + "\n"


def test_json_without_turns_is_a_document_too() -> None:
    assert json.loads(write("json")) == {"session": SESSION, "turns": []}


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_what_was_exported_can_be_imported(format: str) -> None:
    text = "".join(format_transcript(format, SESSION, TALK))
    messages = list(parse_conversation(io.StringIO(text), "export").messages)
    assert [(m["role"], m["content"]) for m in messages] == [
        (t["role"], t["content"]) for t in TALK
    ]


def test_json_lines_are_the_turns_as_they_came() -> None:
    assert "".join(format_transcript("jsonl", SESSION, TALK)) == "".join(format_json_lines(TALK))
    assert '"mood":"grey"' in "".join(format_transcript("jsonl", SESSION, TALK))


def test_csv_has_four_columns_and_leaves_formulas_alone() -> None:
    assert write("csv", '=1+1, "so"', "-1") == (
        "seq,role,created_at,content\n"
        '1,user,2026-05-01T14:30:05.25+02:00,"=1+1, ""so"""\n'
        "2,user,2026-05-01T14:30:05.25+02:00,-1\n"
    )


@given(ANY_TEXT, ANY_TEXT)
def test_a_row_of_csv_is_written_as_elsewhere(role: str, content: str) -> None:
    turn = make_turn(content, role=role, created_at=None)
    row = "".join(format_transcript("csv", SESSION, [turn])).split("\n", 1)[1]
    assert row == "".join(format_csv(None, [["1", role, None, content]]))


def test_the_page_says_whose_session_it_is_and_who_said_what() -> None:
    page = "".join(format_transcript("html", SESSION, TALK))
    assert "<title>Session session:01HX</title>" in page
    assert '<dt>metadata.title</dt><dd lang="" dir="auto">Tea &amp; &lt;rain&gt;</dd>' in page
    assert '<article class="turn assistant" id="turn-2">' in page
    assert "<h2>assistant</h2>" in page
    assert '<a class="place" href="#turn-2">#2</a>' in page
    assert '<time datetime="2026-05-01T12:30:05.250000Z">2026-05-01 12:30:05 UTC</time>' in page


def test_the_page_shows_code_between_fences_as_code_and_an_open_fence_to_the_end() -> None:
    page = write("html", "Look:\n```python\nif a < b:\n    pass\n```\nDone.\n~~~\n```\nleft open")
    code = re.findall(r'<pre dir="ltr"><code>(.*?)</code></pre>', page, re.DOTALL)
    assert code == ["if a &lt; b:\n    pass\n", "```\nleft open\n"]
    assert '<p dir="auto">Look:</p>' in page
    assert '<p dir="auto">Done.</p>' in page


@pytest.mark.parametrize("format", FORMATS)
def test_an_unknown_role_and_a_time_that_is_none_are_shown_as_they_are(format: str) -> None:
    turn = make_turn("hm", role="critic", created_at="soon")
    text = "".join(format_transcript(format, SESSION, [turn]))
    assert "critic" in text
    assert "soon" in text or format == "html"


def test_a_time_at_the_end_of_the_calendar_is_shown_as_it_is() -> None:
    turn = make_turn("hm", created_at="0001-01-01T00:00:00+10:00")
    assert "0001-01-01T00:00:00+10:00" in "".join(format_transcript("text", SESSION, [turn]))


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="no transcript format 'pdf'") as refusal:
        format_transcript("pdf", SESSION, [])
    assert tuple(refusal.value.candidates) == FORMATS


# A terminal


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_a_terminal_shows_roles_in_colour_local_times_and_wrapped_text() -> None:
    lines = write("text", "one two three four five", terminal=Terminal(width=20, color=True))
    assert lines == (
        "\x1b[1;36muser\x1b[0m  \x1b[2m2026-05-01 21:30  #1\x1b[0m\n  one two three four\n  five\n"
    )


@pytest.mark.usefixtures("in_tokyo")
def test_a_terminal_without_colour_gets_none() -> None:
    shown = write("text", "hi", terminal=Terminal(width=80, color=False))
    assert shown == "user  2026-05-01 21:30  #1\n  hi\n"


@given(ANY_TEXT | st.text("ab 東\t\n", max_size=80), st.integers(20, 50))
def test_no_line_is_wider_than_the_terminal_and_nothing_but_blanks_is_lost(
    content: str, width: int
) -> None:
    shown = write("text", content, terminal=Terminal(width, color=False))
    body = shown.split("\n", 1)[1]
    assert all(measure(line) <= width for line in body.split("\n"))
    plain = write("text", content).split("\n", 1)[1]
    spelled = re.sub(r"[^\t\n]+", lambda line: escape(line[0]), plain)  # what only a screen hides
    assert re.sub(r"[ \t\n]", "", body) == re.sub(r"[ \t\n]", "", spelled)


def test_wrapping_keeps_the_blank_lines_and_the_indentation_of_code() -> None:
    shown = write("text", "a\n\n    b\n" + " " * 40 + "\nc", terminal=Terminal(20, color=False))
    assert shown.split("\n", 1)[1] == "  a\n\n      b\n\n  c\n"


@pytest.mark.parametrize("terminal", [None, Terminal(80, color=True)])
def test_text_acts_on_no_terminal(terminal: Terminal | None) -> None:
    shown = write("text", "a\x1b[2Jb\x9b\u202ec\rd\te\r\nf", terminal=terminal)
    body = shown.split("\n", 1)[1]
    assert "\x1b" not in body
    assert body.split("\n")[0].expandtabs(4).split() == ["a\\x1b[2Jb\\x9b\\u202ec\\rd", "e"]
    assert body.split("\n")[1] == "  f"


# What no content can do


@given(st.lists(ANY_TEXT | HOSTILE, max_size=4))
def test_any_content_comes_out_of_json_json_lines_and_csv_as_it_went_in(
    contents: list[str],
) -> None:
    joined = json.loads(json.dumps(contents))  # halves of a character side by side become one
    assert [t["content"] for t in json.loads(write("json", *contents).encode())["turns"]] == joined
    lines = write("jsonl", *contents).encode().splitlines()
    assert [json.loads(line)["content"] for line in lines] == joined
    rows = csv.reader(io.StringIO(write("csv", *contents), newline=""))
    assert [row[3] for row in rows] == ["content", *contents]


@given(st.lists(ANY_TEXT | HOSTILE, max_size=4))
def test_in_text_only_a_turn_begins_at_the_margin(contents: list[str]) -> None:
    openings = [line for line in write("text", *contents).split("\n") if line[:1].strip()]
    assert openings == [
        f"#{seq} user 2026-05-01T12:30:05.250000Z" for seq in range(1, len(contents) + 1)
    ]


@given(st.lists(ANY_TEXT | HOSTILE, min_size=1, max_size=3))
@example([" ```\n```\n<script>"])
@example(["- a\n     ```\n  ```\n  <script>\n  ```"])
@example(["- a\n  ```\n<script>\n  ```"])
@example(["- ```\n  ```\n  <!--\n  ```"])
@example(["a ` b\nc ` <b> `"])
@example(["a | b\n--|--\nx ` y | <i> `"])
@example(["\\`<script>`"])
@example(["\\\\<script>"])
@example(["[a`]: b`\n\n[x]: /y\n[^1]: z", "[x] [a`] [^1]"])
@example(["```\n\t```\n<b>"])
@example(["````\n```\n<b>\n    ````\n<i>\n````\n<u>"])
@settings(max_examples=600, deadline=None)
def test_markdown_is_one_heading_and_one_quotation_per_turn_and_no_html(
    contents: list[str],
) -> None:
    environment: dict[str, Any] = {}
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(write("markdown", *contents), environment)
    outer = [token.type for token in tokens if token.level == 0 and token.nesting >= 0]
    assert outer == ["heading_open"] + ["heading_open", "blockquote_open"] * len(contents)
    assert environment.get("references", {}) == {}
    every = [*tokens, *(child for token in tokens for child in token.children or [])]
    assert {token.type for token in every}.isdisjoint({"html_block", "html_inline"})


@pytest.mark.parametrize(
    "content",
    [
        "Use `<b>` and ``a`<i>``.",
        "```html\n<b>\n\n[a]: /b\n```",
        "1. So:\n   ```\n   <b>\n\n   ```\n2. `<i>`",
        "# Title\n\n- a < b\n- *c*\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "~~~~\n```\n<b>\n~~~~\n`<b>`",
        "open ` tick\n\n`<b>`",
    ],
)
def test_markdown_that_stays_in_its_place_is_quoted_as_it_is(content: str) -> None:
    quoted = write("markdown", content).split("\n\n", 2)[2].rstrip("\n")
    assert (
        "\n".join(line.removeprefix(">").removeprefix(" ") for line in quoted.split("\n"))
        == content
    )


def test_html_in_markdown_is_shown_as_what_was_typed() -> None:
    markdown = write("markdown", 'a <b onclick="x">c</b> \\<i> [k]: /v')
    rendered = MarkdownIt("commonmark", {"html": True}).render(markdown)
    assert "<p>a &lt;b onclick=&quot;x&quot;&gt;c&lt;/b&gt; &lt;i&gt; [k]: /v</p>" in rendered


@pytest.mark.parametrize(
    "content", ["\\" * 200_000, "`" * 200_000, "` `` " * 50_000, "`a` " * 50_000, " ```\n" * 50_000]
)
def test_markdown_takes_no_more_than_its_time(content: str) -> None:
    started = time.process_time()
    write("markdown", content)
    assert time.process_time() - started < 5


class Outline(HTMLParser):
    """The elements of a page, as a browser would find them, and the text within each turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self._inside = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "div":
            self.texts.append("")
        self._inside += tag in {"p", "pre"}

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag in {"p", "pre"}

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data


@given(ANY_TEXT | HOSTILE, ANY_TEXT | HOSTILE)
def test_no_content_and_no_session_adds_an_element_to_the_page(content: str, other: str) -> None:
    quiet = Outline(write("html", "hm", metadata={"a": "b"}))
    loud = Outline(write("html", content, metadata={other or "a": other}, id=other))
    marks = {"p", "pre", "code"}
    assert [t for t in loud.tags if t not in marks] == [t for t in quiet.tags if t not in marks]
    assert loud.attributes <= quiet.attributes


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="`~"), max_size=30)
)
def test_the_page_shows_what_was_said_character_for_character(content: str) -> None:
    [text] = Outline(write("html", content)).texts
    assert text == (content if content.strip() else "")


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = write("html", "<script>alert(1)</script>", "![x](https://tracker.test/x.png)")
    tags = set(Outline(page).tags)
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    assert Outline(page).attributes.isdisjoint({"src", "style", "onclick", "onload", "action"})
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "url(" not in page
    assert "@import" not in page


# Length


@pytest.mark.parametrize("format", FORMATS)
def test_a_transcript_is_written_turn_by_turn(format: str) -> None:
    taken = []

    def say() -> Iterator[dict[str, Any]]:
        for seq in range(1, 100):
            taken.append(seq)
            yield make_turn("hm", seq)

    pieces = list(islice(format_transcript(format, SESSION, say()), 3))
    assert taken == [1, 2]
    assert "2" in pieces[2]


@pytest.mark.parametrize("format", FORMATS)
def test_a_long_transcript_takes_no_more_memory_than_a_short_one(format: str) -> None:
    turns = (make_turn("hm " * 50, seq) for seq in range(3000))
    pieces = format_transcript(format, SESSION, turns)
    next(pieces)
    tracemalloc.start()
    try:
        for _ in pieces:
            pass
        assert tracemalloc.get_traced_memory()[1] < 300_000
    finally:
        tracemalloc.stop()

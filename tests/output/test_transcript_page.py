"""Promises of the page of a transcript, kept in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spectronctl.output.transcripts import format_transcript
from tests.support.browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

PHONE = 360

CONTENTS = {
    1: "w" * 3000,
    2: "שלום, מה חדש?\nplain words",
    3: "Run:\n```sh\nspectronctl " + "--long-option " * 40 + "\nnext\n```\nThen rest.",
    4: "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">",
    5: "مرحبا " * 60,
    6: "https://example.test/" + "a/" * 500,
    7: "plain words",
}


def write_page(path: Path, count: int = len(CONTENTS)) -> Path:
    session = {"id": "session:" + "0" * 200, "metadata": {"x" * 300: "y" * 300}, "created_at": None}
    roles = ("user", "assistant", "system", "tool")
    turns: list[dict[str, Any]] = [
        {
            "seq": seq,
            "role": roles[seq % 4],
            "content": CONTENTS.get(seq, "hm"),
            "created_at": "2026-05-01T12:30:00Z",
        }
        for seq in range(1, count + 1)
    ]
    path.write_text("".join(format_transcript("html", session, turns)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page") / "talk.html")


@pytest.fixture
def phone(browser: Browser, page: Path) -> Browser:
    browser.open(page, width=PHONE)
    return browser


def test_a_phone_shows_the_page_at_its_own_width_and_nothing_overflows(phone: Browser) -> None:
    assert phone.ask("innerWidth") == PHONE
    assert phone.ask("document.documentElement.scrollWidth") <= PHONE
    wide = (
        "[...document.querySelectorAll('body *')]"
        ".filter(e => !e.closest('pre') && e.getBoundingClientRect().right > innerWidth)"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert phone.ask(wide) == []
    assert phone.ask("document.querySelector('#turn-1 p').clientHeight") > 1000


def test_long_lines_of_code_scroll_within_their_own_box(phone: Browser) -> None:
    code = "document.querySelector('#turn-3 pre')"
    assert phone.ask(f"{code}.scrollWidth > 2 * {code}.clientWidth")
    assert phone.ask(f"{code}.clientWidth") < PHONE
    assert phone.ask(f"getComputedStyle({code}).overflowX") == "auto"


def test_code_is_shown_in_a_fixed_pitch_with_its_lines(phone: Browser) -> None:
    code = "document.querySelector('#turn-3 pre code')"
    assert "monospace" in phone.ask(f"getComputedStyle({code}).fontFamily")
    assert phone.ask(f"getComputedStyle({code}).whiteSpace") == "pre"
    assert phone.ask(f"{code}.textContent.trimEnd().split('\\n').length") == 2
    assert phone.ask(measure("#turn-3 pre code", "next")) == phone.ask(
        measure("#turn-3 pre code", "spec")
    )


def measure(selector: str, word: str, side: str = "width") -> str:
    """An expression for the box of a word in an element."""
    return (
        f"(() => {{ const text = document.querySelector({selector!r}).firstChild;"
        f" const start = text.data.indexOf({word!r}); const range = document.createRange();"
        f" range.setStart(text, start); range.setEnd(text, start + {len(word)});"
        f" return Math.round(range.getBoundingClientRect().{side}) }})()"
    )


def test_every_line_runs_in_the_direction_of_its_own_letters(phone: Browser) -> None:
    box = "document.querySelector('#turn-2 p').getBoundingClientRect()"
    assert phone.ask("getComputedStyle(document.querySelector('#turn-2 p')).direction") == "rtl"
    assert phone.ask(measure("#turn-2 p", "שלום", "right")) == phone.ask(f"Math.round({box}.right)")
    assert phone.ask(measure("#turn-2 p", "plain", "left")) == phone.ask(f"Math.round({box}.left)")
    assert phone.ask("getComputedStyle(document.querySelector('#turn-5 p')).direction") == "rtl"
    assert phone.ask("getComputedStyle(document.querySelector('#turn-7 p')).direction") == "ltr"


def test_a_script_in_a_turn_is_shown_and_does_not_run(phone: Browser) -> None:
    assert phone.ask("document.querySelector('#turn-4 p').innerText") == CONTENTS[4]
    assert phone.ask("document.title").startswith("Session session:0")
    assert phone.ask("document.querySelectorAll('script, img').length") == 0


def test_what_gets_into_the_page_after_all_is_neither_run_nor_loaded(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    """The policy holds by itself: here the page is broken on purpose."""
    broken = tmp_path / "broken.html"
    inside = "<script>document.title = 'taken'</script><style>h1 { color: red }</style></main>"
    broken.write_text(page.read_text().replace("</main>", inside))
    browser.open(broken, width=PHONE)
    assert browser.ask("document.title").startswith("Session session:0")
    assert browser.ask("getComputedStyle(document.querySelector('h1')).color") == "rgb(28, 30, 33)"
    assert browser.ask("document.querySelectorAll('script').length") == 1


@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 24, 27)")]
)
def test_the_page_is_dark_where_the_reader_wants_it_and_can_be_read(
    browser: Browser, page: Path, scheme: str, paper: str
) -> None:
    browser.open(page, width=PHONE, scheme=scheme)
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == paper
    for element in ("p", "time", ".place", ".user h2", ".assistant h2", ".system h2", ".tool h2"):
        color = browser.ask(f"getComputedStyle(document.querySelector('{element}')).color")
        assert contrast(color, paper) >= 4.5, element


def contrast(one: str, other: str) -> float:
    """How far two colours are apart, from 1 to 21, as WCAG 2 has it: 4.5 is enough for text."""
    dark, light = sorted(map(find_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def find_luminance(color: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_link_leads_to_its_turn(phone: Browser) -> None:
    phone.ask("document.querySelector('#turn-7 .place').click()")
    assert phone.ask("location.hash") == "#turn-7"
    assert phone.ask("document.querySelector(':target').id") == "turn-7"


def test_a_wide_screen_keeps_lines_short(browser: Browser, page: Path) -> None:
    browser.open(page, width=1600)
    assert browser.ask("document.querySelector('#turn-1 p').clientWidth") < 760


def test_the_page_prints_on_as_many_sheets_as_it_needs_and_loses_no_code(
    browser: Browser, tmp_path: Path
) -> None:
    browser.open(write_page(tmp_path / "long.html", count=200), width=PHONE)
    printed = browser.print_page()
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 5
    browser.send("Emulation.setEmulatedMedia", media="print")
    code = "document.querySelector('#turn-3 pre')"
    assert browser.ask(f"{code}.scrollWidth <= {code}.clientWidth")
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.send("Emulation.setEmulatedMedia", media="")

"""Lists that would never end, or lead nowhere: an error, never a loop."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.client import _walk, _window
from tests.support.commandline import CommandLine, Result

LISTS = {"contexts list": "contexts", "keys list": "keys", "lifecycle jobs list": "jobs"}

Page = dict[str, Any]


def ask(home: Path, line: str, pages: Iterator[Page]) -> Result:
    plural = LISTS[line]
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, json={plural: [], **next(pages)}, request=request)
    )
    env = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-key", "SPECTRON_CONTEXT_ID": "acme-prod"}
    return CommandLine(home, transport, env)(f"{line} -o json")


def number_cursors() -> Iterator[Page]:
    return ({"next_cursor": str(number), "has_more": True} for number in itertools.count())


ENDLESS: dict[str, tuple[Iterator[Page], str]] = {
    "the same again": (itertools.repeat({"next_cursor": "a", "has_more": True}), "same cursor"),
    "two in turn": (
        itertools.cycle([{"next_cursor": one, "has_more": True} for one in "ab"]),
        "same cursor",
    ),
    "a round of fifty": (
        itertools.cycle([{"next_cursor": str(n), "has_more": True} for n in range(50)]),
        "same cursor",
    ),
    "always another": (number_cursors(), "empty pages in a row"),
    "the empty one": (itertools.repeat({"next_cursor": "", "has_more": True}), "no cursor"),
    "none": (itertools.repeat({"next_cursor": None, "has_more": True}), "no cursor"),
    "one of 10 MB": (
        itertools.repeat({"next_cursor": "a" * 10_000_000, "has_more": True}),
        "a cursor of 10000000 characters",
    ),
    "one that is a number": (itertools.repeat({"next_cursor": 7, "has_more": True}), "next_cursor"),
    "more that is no bool": (itertools.repeat({"next_cursor": "a", "has_more": "x"}), "has_more"),
}


@pytest.mark.sampled
@pytest.mark.parametrize("cursor", ENDLESS)
@pytest.mark.parametrize("line", LISTS)
def test_a_list_that_never_ends(line: str, cursor: str, tmp_path: Path) -> None:
    pages, problem = ENDLESS[cursor]
    asked = 0

    def count() -> Iterator[Page]:
        nonlocal asked
        for page in pages:
            asked += 1
            yield page

    result = ask(tmp_path, line, count())
    assert (result.code, result.out, result.error["kind"]) == (9, "", "upstream")
    assert problem in result.error["message"]
    assert len(result.error["message"]) < 700
    assert asked <= 102


KEYS = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-key", "SPECTRON_CONTEXT_ID": "acme-prod"}
ONE = "session:01JZZZZZZZZZZZZZZZZZZZZZZZ"


def hand_out_for_ever(request: httpx.Request) -> httpx.Response:
    """Full pages and a new cursor, whatever is asked for."""
    number = next(NUMBERS)
    plural = request.url.path.rpartition("/")[2]
    if "offset" in request.url.params:
        first, size = int(request.url.params["offset"]), int(request.url.params["limit"])
        turns = [make_turn(seq) for seq in range(first + 1, first + 1 + size)]
        return httpx.Response(200, json={"turns": turns}, request=request)
    if plural.startswith("session:"):
        session = {"id": plural, "created_at": "2026-01-01T00:00:00Z", "scopes": []}
        return httpx.Response(200, json=session, request=request)
    item = {"id": f"{plural}-{number}", "name": "x", "status": "running", "kind": "reindex"}
    page = {plural: [item], "next_cursor": str(number), "has_more": True}
    return httpx.Response(200, json=page, request=request)


NUMBERS = itertools.count()


def make_turn(seq: int) -> dict[str, Any]:
    shared = {"session": ONE, "role": "user", "content": "x", "created_at": "2026-01-01T00:00:00Z"}
    return {"id": f"turn:{seq}", "seq": seq, **shared}


@pytest.mark.parametrize(
    "line",
    [
        *LISTS,
        "sessions list",
        "sessions transcript --all --output-dir . --format json",
        f"sessions transcript {ONE} --format json",
    ],
)
def test_a_list_of_ever_new_pages_ends_in_an_error(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_walk, "MAX_PAGES", 30)
    monkeypatch.setattr(_window, "MAX_PAGES", 30)
    monkeypatch.chdir(tmp_path)
    run = CommandLine(tmp_path, httpx.MockTransport(hand_out_for_ever), KEYS)
    result = run(line)
    assert result.code == 9, result.err
    assert "hands out more than 30 pages, so the list may never end" in result.err
    assert not list(tmp_path.glob("*.json"))


def test_a_cursor_is_sent_as_it_is_and_changes_no_address(tmp_path: Path) -> None:
    cursor = "a/../b?c=d&limit=1#e%2f\x1b[2J\n\u202e é"
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        more = len(seen) == 1
        page: Page = {"contexts": [], "next_cursor": cursor if more else None, "has_more": more}
        return httpx.Response(200, json=page, request=request)

    run = CommandLine(
        tmp_path, httpx.MockTransport(answer), {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-key"}
    )
    assert run("contexts list -o json").code == 0
    assert seen[1].url.path == seen[0].url.path
    assert dict(seen[1].url.params) == {"limit": "500", "cursor": cursor}


def test_pages_that_are_empty_for_a_while_are_no_end(tmp_path: Path) -> None:
    gap = itertools.islice(number_cursors(), 90)
    last: Page = {"contexts": [{"id": "a"}], "next_cursor": None, "has_more": False}
    result = ask(tmp_path, "contexts list", itertools.chain(gap, [last]))
    assert [item["id"] for item in result.json] == ["a"]


def test_a_session_with_a_turn_at_every_place_is_an_error(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        turn = {"id": "turn:1", "seq": 0, "session": "session:1", "role": "user", "content": "a"}
        turn["created_at"] = "2026-01-01T00:00:00Z"
        bodies = {
            "turns": {"turns": [turn]},
            "sessions": {"sessions": [{"id": "session:1"}], "has_more": False},
        }
        body = bodies.get(request.url.path.rpartition("/")[2], {"id": "session:1"})
        return httpx.Response(200, json=body, request=request)

    env = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-key", "SPECTRON_CONTEXT_ID": "acme-prod"}
    result = CommandLine(tmp_path, httpx.MockTransport(answer), env)(
        "sessions get session:1 -o json"
    )
    assert (result.code, result.error["kind"]) == (9, "upstream")
    assert "a turn at every place" in result.error["message"]
    assert len(asked) < 100

"""`spectronctl keys list` and `orphans`: which keys, in which columns, and how much is asked for them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.commandline import CommandLine, Result
from tests.support.server import Server

ORPHAN_COLUMNS = "NAME ID REASON LAST_USED_AT CREATED_AT"
COLUMNS = "NAME ID STATUS LAST_USED_AT CREATED_AT LOGICAL"


def names(result: Result) -> list[str]:
    assert result.code == 0, result.err
    return [key["name"] for key in result.json]


@pytest.fixture
def keys(acme: CommandLine) -> CommandLine:
    """Four keys, of which `app.g2` has been used."""
    acme("keys create app --scope-floor org=acme")
    secret = acme("keys create app.g2 --scope-floor org=acme").out
    acme("keys create boss --principal supervisor --expires-in 10d")
    acme("keys create batch --expires-in 30d")
    assert acme("whoami --api-key-file -", stdin=secret).code == 0
    return acme


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", ["app", "app.g2", "boss", "batch"]),
        ("--older-than 1h", []),
        ("--older-than 0s", ["app", "app.g2", "boss", "batch"]),
        ("--unused-for 1d", []),
        ("--expiring 14d", ["boss"]),
        ("--expiring 60d", ["boss", "batch"]),
        ("--principal supervisor", ["boss"]),
        ("--principal management", []),
        ("--match 'b*'", ["boss", "batch"]),
        ("--match app", ["app", "app.g2"]),
        ("--match 'b*' --principal agent", ["batch"]),
    ],
)
def test_a_list_can_be_narrowed(keys: CommandLine, options: str, found: list[str]) -> None:
    assert names(keys(f"keys list {options} -o json")) == found


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--older-than soon", "--older-than: 'soon' is not a duration"),
        ("--unused-for -5d", "--unused-for"),
        ("--expiring x", "--expiring"),
        ("--principal boss", "'boss'"),
    ],
)
def test_a_filter_that_cannot_be_is_named_before_anything_is_sent(
    acme: CommandLine, server: Server, options: str, says: str
) -> None:
    server.asked()
    result = acme(f"keys list {options}")
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert says in result.err


def test_the_table_shows_the_logical_name_beside_the_stamped_one(keys: CommandLine) -> None:
    table = keys("keys list").out.splitlines()
    assert table[0].split() == COLUMNS.split()
    assert (table[2].split()[0], table[2].split()[-1]) == ("app.g2", "app")
    assert '{"org":"acme"}' in keys("keys list -o wide").out.splitlines()[2]

    assert keys("keys list --columns logical,name --match app --no-header").out.split() == (
        ["app", "app", "app", "app.g2"]
    )
    rows = csv.DictReader(io.StringIO(keys("keys list -o csv --sort -logical").out))
    assert [row["logical"] for row in rows] == ["boss", "batch", "app", "app"]


def test_the_logical_name_is_shown_only_where_it_differs(keys: CommandLine) -> None:
    table = keys("keys list --match 'b*'").out.splitlines()
    assert table[0].split() == COLUMNS.split()[:-1]
    assert "LOGICAL" in keys("keys list --match 'b*' -o wide").out.splitlines()[0]


@pytest.mark.parametrize("name", ["created_at", "age", "AGE"])
def test_a_column_is_found_by_what_is_seen_above_it(keys: CommandLine, name: str) -> None:
    for option in (f"--columns {name}", f"--sort {name}"):
        assert keys(f"keys list {option}").code == 0


def test_json_is_what_the_server_said(keys: CommandLine) -> None:
    assert all("logical" not in key for key in keys("keys list -o json").json)


def test_ages_are_relative_on_a_terminal(keys: CommandLine) -> None:
    columns = "created_at,last_used_at,expires_at"
    line = f"keys list --match boss --no-header --columns {columns}"
    assert re.search(r"(now|\d+s) +- +in (9|10)d", keys(line, terminal=True).out)
    plain = {"NO_COLOR": "1"}
    head = keys(f"keys list --columns {columns}", terminal=True, env=plain).out.splitlines()[0]
    assert head.split() == ["AGE", "LAST_USED", "EXPIRES"]
    assert re.search(r"\dT[\d:.]+Z  -  .*\dT[\d:.]+Z", keys(line).out)


class Pages:
    """A server with a page for each text of names."""

    def __init__(self, *pages: str) -> None:
        self.pages = [page.split() for page in pages]
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        number = int(request.url.params.get("cursor", 0))
        more = number + 1 < len(self.pages)
        keys: list[dict[str, Any]] = [{"id": f"cak_{n}", "name": n} for n in self.pages[number]]
        return httpx.Response(
            200,
            json={
                "keys": keys,
                "next_cursor": str(number + 1) if more else None,
                "has_more": more,
            },
        )


@pytest.mark.parametrize(
    ("pages", "limit", "found", "asked", "note"),
    [
        (["x a1 x", "x", "a2 a3", "a4"], 2, ["a1", "a2"], 3, "There are more"),
        (["a1 a2 x", "a3"], 2, ["a1", "a2"], 1, "There may be more"),
        (["a1 x", "a2 x"], 2, ["a1", "a2"], 2, None),
        (["a1 x", "x"], 2, ["a1"], 2, None),
        (["x", "x"], None, [], 2, None),
    ],
)
def test_a_limit_counts_what_passes_the_filter(
    tmp_path: Path, pages: list[str], limit: int | None, found: list[str], asked: int, note: str
) -> None:
    server = Pages(*pages)
    run = CommandLine(tmp_path, httpx.MockTransport(server))
    options = f"--limit {limit}" if limit else ""
    result = run(f"keys list --match 'a*' {options} -o json --api-key k -c acme", env={"CI": "1"})
    assert (names(result), server.asked) == (found, asked)
    assert (note in result.err) if note else (result.err == "")


def test_orphans_are_listed_with_their_reason(keys: CommandLine) -> None:
    orphans = keys("keys orphans -o json").json
    assert [(key["name"], key["reason"]) for key in orphans] == [("app", "superseded")]
    assert set(orphans[0]) == {*keys("keys list -o json").json[0], "reason"}

    orphans = keys("keys orphans --grace 0s -o json").json
    assert {key["name"]: key["reason"] for key in orphans} == {
        "app": "superseded",
        "boss": "never used",
        "batch": "never used",
    }
    head = keys("keys orphans").out.splitlines()[0]
    assert head.split() == ORPHAN_COLUMNS.split()


def test_orphans_can_be_limited(keys: CommandLine) -> None:
    result = keys("keys orphans --grace 0s --limit 2 -o name")
    assert result.out.split() == ["app", "boss"]
    assert "There are more: --limit 2" in result.err
    assert "more" not in keys("keys orphans --grace 0s --limit 3").err


def test_a_grace_that_is_no_duration_is_refused(acme: CommandLine, server: Server) -> None:
    server.asked()
    result = acme("keys orphans --grace long")
    assert (result.code, server.asked()) == (2, [])
    assert "--grace" in result.err

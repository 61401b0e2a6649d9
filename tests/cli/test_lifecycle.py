"""`spectronctl lifecycle decay`, `expire` and `fsck`: one context or many, and servers that know less."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.commandline import CommandLine

DECAY = {"affected": 3, "expired_memories": 1, "pruned_cache_entries": 2}
REPORT: dict[str, Any] = {
    "duplicates": [{"entityA": "entity:1", "entityB": "entity:2", "similarity": 0.987}],
    "contradictions": [{"entity": "entity:3", "key": "city", "values": ["Bonn", "Köln"]}],
    "injection": [{"rowId": "chunk:4", "kind": "override", "snippet": "ignore all"}],
    "unscopedContent": [{"table": "chunk", "count": 2, "sampleIds": ["chunk:5", "chunk:6"]}],
    "brokenReferences": [{"rowId": "turn:7", "field": "session", "target": "session:8"}],
    "total": 6,
}
EMPTY: dict[str, Any] = {name: [] for name in REPORT if name != "total"} | {"total": 0}

Responder = Callable[[httpx.Request], httpx.Response]
Connect = Callable[..., CommandLine]


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    """A command line in context acme, on a server that answers every path by its end, or with 404."""

    def connect(**answers: Any) -> CommandLine:
        def answer(request: httpx.Request) -> httpx.Response:
            found = answers.get(f"{request.method}_{request.url.path.rpartition('/')[2]}")
            if callable(found):
                return found(request)  # type: ignore[no-any-return]
            if found is None:
                return httpx.Response(404, json={"detail": "no such path"})
            return httpx.Response(200, json=found)

        env = {
            "SPECTRON_URL": "http://spectron.test",
            "SPECTRON_MANAGEMENT_API_KEY": "mgmt-1",
            "SPECTRON_CONTEXT_ID": "acme",
            "SPECTRONCTL_RETRIES": "0",
        }
        return CommandLine(tmp_path, httpx.MockTransport(answer), env)

    return connect


def test_decay_says_what_is_gone(connect: Connect) -> None:
    result = connect(POST_decay=DECAY)("lifecycle decay --yes")
    assert (result.code, result.err) == (0, "Expired 1 memory, pruned 2 cache entries.\n")
    assert result.out.split() == [
        *("affected", "3"),
        *("expired_memories", "1"),
        *("pruned_cache_entries", "2"),
    ]
    assert connect(POST_decay=DECAY)("lifecycle decay --yes -o json").json == DECAY


def test_decay_of_a_server_that_says_less(connect: Connect) -> None:
    result = connect(POST_decay={"affected": 3})("lifecycle decay --yes -o json")
    assert (result.json, result.err) == ({"affected": 3}, "3 affected.\n")


def test_expire_says_what_is_gone(connect: Connect) -> None:
    result = connect(POST_expire={"affected": 3})("lifecycle expire --yes")
    assert (result.code, result.out, result.err) == (0, "3\n", "Expired 3 memories.\n")


def test_a_dry_run_asks_and_changes_nothing(connect: Connect) -> None:
    run = connect(GET_expire={"affected": 1})
    result = run("lifecycle expire --api-key mgmt-2 --dry-run -o json", env={"CI": "1"})
    assert (result.code, result.json) == (0, {"affected": 1})
    assert result.err == "1 memory would expire; nothing was expired.\n"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_that_cannot_tell_beforehand_expires_nothing(
    connect: Connect, status: int
) -> None:
    expired: list[httpx.Request] = []

    def expire(request: httpx.Request) -> httpx.Response:
        expired.append(request)
        return httpx.Response(200, json={"affected": 3})

    run = connect(
        GET_expire=lambda request: httpx.Response(status, json={"detail": "no"}),
        POST_expire=expire,
    )
    result = run("lifecycle expire --dry-run -o json")
    assert (result.code, result.error["kind"], expired) == (9, "not_available", [])
    assert "nothing was expired" in result.error["message"]


def test_findings_are_rows_for_people_and_the_report_for_programs(connect: Connect) -> None:
    run = connect(POST_fsck=REPORT)
    assert run("lifecycle fsck --no-header").out.splitlines() == [
        "duplicates         entity:1  like entity:2, by 0.99",
        "contradictions     entity:3  city is Bonn and Köln",
        "injection          chunk:4   override: ignore all",
        "unscoped_content   chunk     2 rows, such as chunk:5, chunk:6",
        "broken_references  turn:7    session leads to session:8",
    ]
    report = run("lifecycle fsck -o json").json
    assert report["duplicates"][0] == {
        "entity_a": "entity:1",
        "entity_b": "entity:2",
        "similarity": 0.987,
    }
    assert report["total"] == 6
    assert run("lifecycle fsck -o csv").out.splitlines()[0] == "check,subject,detail"
    assert run("lifecycle fsck -o name").out.split()[0] == "entity:1"


def test_no_findings_are_said(connect: Connect) -> None:
    result = connect(POST_fsck=EMPTY)("lifecycle fsck --exit-code")
    assert (result.code, result.err) == (0, "No findings.\n")


@pytest.mark.parametrize("shape", ["table", "json"])
def test_findings_have_an_exit_code_where_that_is_wanted(connect: Connect, shape: str) -> None:
    run = connect(POST_fsck=REPORT)
    assert run(f"lifecycle fsck -o {shape}").code == 0
    found = run(f"lifecycle fsck --exit-code -o {shape}")
    assert (found.code, bool(found.out)) == (20, True)
    assert run(f"lifecycle fsck acme beta --exit-code -o {shape}").code == 20


def test_what_to_look_for_is_sent(connect: Connect) -> None:
    sent: list[Any] = []

    def check(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json=EMPTY)

    run = connect(POST_fsck=check)
    run("lifecycle fsck")
    run("lifecycle fsck --check duplicates --duplicate-threshold 0.9 --max-results 5")
    assert sent == [{}, {"check": "duplicates", "duplicateThreshold": 0.9, "maxResults": 5}]


@pytest.mark.parametrize(
    "line",
    [
        "lifecycle fsck --duplicate-threshold 1.1",
        "lifecycle fsck --max-results 0",
        "lifecycle decay acme --all-contexts",
        "lifecycle expire --all-contexts -c acme",
        "lifecycle fsck acme -c beta",
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    connect: Connect, line: str
) -> None:
    result = connect()(f"{line} -o json")
    assert (result.code, result.error["kind"]) == (2, "usage")


def test_an_argument_wins_over_the_environment_and_may_repeat_the_option(connect: Connect) -> None:
    paths: list[str] = []

    def decay(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(200, json=DECAY)

    run = connect(POST_decay=decay)
    run("lifecycle decay --yes beta")
    run("lifecycle decay --yes beta -c beta")
    run("lifecycle decay --yes beta beta")
    assert paths == ["/api/v1/contexts/beta/lifecycle/decay"] * 3


def fail_for_beta(answer: Any) -> Responder:
    def respond(request: httpx.Request) -> httpx.Response:
        if "/beta/" in request.url.path:
            return httpx.Response(403, json={"detail": "not yours"})
        return httpx.Response(200, json=answer)

    return respond


@pytest.mark.parametrize(
    ("line", "answer", "shown"),
    [
        ("decay", DECAY, DECAY),
        ("expire", {"affected": 3}, {"affected": 3}),
        ("fsck --check duplicates", EMPTY, None),
    ],
)
def test_every_context_has_a_row_and_the_failed_ones_a_command(
    connect: Connect, line: str, answer: Any, shown: Any
) -> None:
    verb = line.split()[0]
    agreed = "" if verb == "fsck" else " --yes"
    listed = {"contexts": [{"id": "acme"}, {"id": "beta"}], "has_more": False}
    run = connect(**{f"POST_{verb}": fail_for_beta(answer), "GET_contexts": listed})
    result = run(f"lifecycle {line} --all-contexts --parallel 2 -o json{agreed}")
    assert result.code == 1
    acme, beta = result.json
    assert acme["context"] == "acme"
    assert shown is None or acme == {"context": "acme", **shown}
    assert beta.keys() == {"context", "error"}
    error = json.loads(result.err.splitlines()[-1])
    assert error["message"] == "1 of 2 contexts failed"
    assert f"try: spectronctl lifecycle {line} beta" in error["hint"]

    table = run(f"lifecycle {line} acme beta{agreed}").out.splitlines()
    assert [row.split()[0] for row in table] == ["CONTEXT", "acme", "beta"]
    assert "not yours" in table[2]


def test_progress_is_told_by_context(connect: Connect) -> None:
    result = connect(POST_decay=DECAY)("lifecycle decay --yes acme beta")
    assert result.code == 0
    assert "contexts: 2 of 2: " in result.err
    assert "acme: Expired 1 memory, pruned 2 cache entries." in result.err


def test_an_interrupt_says_how_many_are_done(connect: Connect) -> None:
    def decay(request: httpx.Request) -> httpx.Response:
        if "/beta/" in request.url.path:
            raise KeyboardInterrupt
        return httpx.Response(200, json=DECAY)

    result = connect(POST_decay=decay)("lifecycle decay --yes acme beta gamma --parallel 1")
    assert (result.code, result.out) == (130, "")
    assert re.search(r"interrupted; done in [12] of 3 contexts", result.err)


def test_each_context_is_asked_with_its_own_key_and_the_key_is_warned_of_once(
    connect: Connect,
) -> None:
    keys: list[str] = []

    def expire(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["API-KEY"])
        return httpx.Response(200, json={"affected": 0})

    run = connect(POST_expire=expire)
    (run.home / "acme.key").write_text("sk-acme-1")
    run("profiles add prod --url http://spectron.test")
    run(f"profiles set prod context_keys.acme.api_key_file {run.home}/acme.key")
    line = "lifecycle expire --yes acme beta gamma --profile prod"
    assert run(line).code == 0
    assert sorted(keys) == ["mgmt-1", "mgmt-1", "sk-acme-1"]

    typed = run(f"{line} --api-key mgmt-3")
    assert keys[3:] == ["mgmt-3"] * 3
    assert typed.err.count("--api-key can be seen") == 1

"""`spectronctl traces` and `spectronctl audit`, on the real server and on a server that changes while it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.api import traces as api
from spectronctl.client import Client
from spectronctl.models.traces import AuditRow
from spectronctl.operations.audits import follow_audit, read_audit
from tests.support.commandline import CommandLine

QUERY = 'api POST /{context}/query --yes --data \'{"query": "tea"}\' -o json'


def ask(acme: CommandLine) -> str:
    """The id of the trace that a query left."""
    trace_id: str = acme(QUERY).json["trace"]["traceId"]
    return trace_id


def test_a_trace_is_listed_and_shown(acme: CommandLine) -> None:
    first, second = ask(acme), ask(acme)
    assert acme("traces list -o name").out.split() == [second, first]
    assert acme("traces list --limit 1 -o name").out.split() == [second]
    shown = acme(f"traces get {first.removeprefix('trace:')} -o json").json
    assert (shown["id"], shown["query_text"]) == (first, "tea")
    assert shown["retrievals"][0]["mode"] == "hybrid"
    assert first in acme(f"traces get {first}").out
    assert acme("traces list --scope org/acme -o name").out == ""
    assert acme("traces list --since 1h -o json").json[0]["id"] == second


def test_a_trace_that_is_not_there_is_5(acme: CommandLine) -> None:
    assert acme("traces get trace:01JZZZZZZZZZZZZZZZZZZZZZZZ").code == 5


def test_statistics_count_the_queries(acme: CommandLine) -> None:
    ask(acme)
    stats = acme("traces stats -o json").json
    assert (stats["total_queries"], stats["window_hours"]) == (1, 24)
    assert acme("traces stats --hours 2 -o json").json["window_hours"] == 2
    assert "queries" in acme("traces stats").out.lower()
    refused = acme("traces stats --hours 2 --since 1h")
    assert (refused.code, "--hours and --since" in refused.err) == (2, True)


def test_the_audit_of_a_context(acme: CommandLine) -> None:
    traces = [ask(acme) for _ in range(3)]
    rows = acme("audit list -o json").json
    assert [row["trace_id"] for row in rows] == traces[::-1]
    assert acme("audit list --kind decision -o json").json == []
    assert len(acme("audit list --principal operator -o json").json) == 3
    assert acme("audit list --key no-such -o json").json == []
    limited = acme("audit list --limit 2 -o name")
    assert limited.out.split() == traces[:0:-1]
    assert "There may be more" in limited.err
    assert acme("audit tail --last 2").out.count("retrieval") == 2
    tail = [json.loads(line) for line in acme("audit tail -o jsonl").out.splitlines()]
    assert [row["trace_id"] for row in tail] == traces


def test_the_audit_of_the_management_plane(run: CommandLine) -> None:
    for name in ("acme-prod", "beta"):
        run(f"contexts create {name} --namespace acme --database {name}")
    run("contexts delete beta --yes")
    events = run("audit list --management -o json").json
    assert [event["action"] for event in events] == [
        "delete_context",
        "create_context",
        "create_context",
    ]
    assert len(run("audit list --management -c beta -o name").out.split()) == 2
    assert len(run("audit list --management --action delete_context -o name").out.split()) == 1
    assert run("audit list --management --key no-such -o json").json == []
    table = run("audit list --management -o wide").out
    assert "DELETE /api/v1/contexts/{context_id}" in table
    lines = run("audit tail --management").out.splitlines()
    assert "delete_context" in lines[-1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("audit list --management --kind decision", "--kind and --principal"),
        ("audit list --management --principal x", "--kind and --principal"),
        ("audit list --action delete_key", "--management"),
        ("audit list --since 1d --until 2d", "nothing fits"),
        ("audit tail --last 0", "--last"),
        ("audit tail --columns id", "--columns"),
        ("traces list --since x", "--since"),
    ],
)
def test_what_cannot_be_meant_is_refused(line: str, message: str, unanswered: CommandLine) -> None:
    refused = unanswered(line)
    assert (refused.code, message in refused.err) == (2, True), refused.err


def test_a_server_without_an_audit_is_9(tmp_path: Path) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404, json={"message": "no"}))
    env = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-1", "SPECTRON_CONTEXT_ID": "acme-prod"}
    line = CommandLine(tmp_path, transport, env)
    for command in ("audit list", "audit list --management", "traces list", "traces stats"):
        assert line(command).code == 9


class Audit:
    """A server whose audit grows: rows by their times, also late ones."""

    def __init__(self) -> None:
        self.rows: list[tuple[datetime, str]] = []
        self.start = datetime(2026, 5, 1, 12, tzinfo=UTC)
        self.failures = 0

    def add(self, seconds: float, name: str) -> None:
        self.rows.append((self.start + timedelta(seconds=seconds), name))

    def respond(self, request: httpx.Request) -> httpx.Response:
        if self.failures:
            self.failures -= 1
            return httpx.Response(503, json={"message": "away"})
        params = request.url.params
        bounds = [params.get(name) for name in ("since", "until")]
        since, until = (datetime.fromisoformat(each) if each else None for each in bounds)
        rows = [
            {"traceId": name, "kind": "retrieval", "createdAt": moment.isoformat()}
            for moment, name in sorted(self.rows, reverse=True)
            if (since is None or moment >= since) and (until is None or moment <= until)
        ]
        return httpx.Response(200, json={"rows": rows[: int(params["limit"])]})


@pytest.fixture
def audit() -> Audit:
    return Audit()


@pytest.fixture
def client(audit: Audit) -> Iterator[Client]:
    transport = httpx.MockTransport(audit.respond)
    with Client(
        "http://spectron.test", api_key="sk-acme-k", transport=transport, retries=0
    ) as client:
        yield client


class StopError(Exception):
    """The end of a follower."""


def follow(
    client: Client,
    steps: Sequence[Callable[[], object]],
    *,
    last: int = 10,
    since: str | None = None,
) -> tuple[list[str], list[Any]]:
    """What a follower shows, while a step is made before each of its looks; and the failures that it told."""
    left, failures = iter([lambda: None, *steps]), list[Any]()

    def wait(_: float) -> None:
        step = next(left, None)
        if step is None:
            raise StopError
        step()

    shown: list[str] = []
    request = api.list_audit("acme", since=since)
    rows = follow_audit(client, request, last=last, wait=wait, on_failure=failures.append)
    with suppress(StopError):
        shown.extend(row.key for row in rows)
    return shown, failures


def test_a_follower_shows_each_row_once(client: Client, audit: Audit) -> None:
    for number in range(5):
        audit.add(number, f"old-{number}")

    def at(seconds: float) -> datetime:
        return audit.start + timedelta(seconds=seconds)

    steps = [
        lambda: audit.add(6, "new-1"),
        lambda: None,
        lambda: audit.rows.extend((at(7), name) for name in ("new-2", "new-3")),
        # Written late, by another server.
        lambda: audit.add(5.5, "late"),
        lambda: audit.add(30, "new-4"),
    ]
    shown, failures = follow(client, steps, last=2)
    assert shown == ["old-3", "old-4", "new-1", "new-2", "new-3", "late", "new-4"]
    assert failures == []


def test_a_follower_of_an_empty_audit_shows_the_first_row(client: Client, audit: Audit) -> None:
    shown, _ = follow(client, [lambda: audit.add(0, "first"), lambda: audit.add(1, "second")])
    assert shown == ["first", "second"]


def test_a_follower_misses_nothing_of_a_flood(client: Client, audit: Audit) -> None:
    def flood() -> None:
        for number in range(1_250):
            audit.add(1 + number // 100, f"{number:04}")

    audit.add(0, "before")
    shown, _ = follow(client, [flood, lambda: None])
    assert shown == ["before", *(f"{number:04}" for number in range(1_250))]


def test_a_follower_begins_at_a_moment(client: Client, audit: Audit) -> None:
    for number in range(5):
        audit.add(number, f"{number}")
    since = (audit.start + timedelta(seconds=2)).isoformat()
    shown, _ = follow(client, [lambda: audit.add(6, "new")], last=1, since=since)
    assert shown == ["2", "3", "4", "new"]


def test_a_follower_waits_for_a_server_that_is_away(client: Client, audit: Audit) -> None:
    audit.add(0, "old")

    def fail() -> None:
        audit.failures = 2
        audit.add(1, "new")

    shown, failures = follow(client, [fail, lambda: None, lambda: None])
    assert shown == ["old", "new"]
    assert len(failures) == 1


def test_a_list_goes_back_over_many_pages(client: Client, audit: Audit) -> None:
    for number in range(1_100):
        audit.add(number // 3, f"{number:04}")
    rows: list[AuditRow] = list(read_audit(client, api.list_audit("acme")))
    assert [row.key for row in rows] == [f"{number:04}" for number in reversed(range(1_100))]
    few = read_audit(client, api.list_audit("acme"), limit=7)
    assert [row.key for row in few] == [f"{number:04}" for number in range(1_099, 1_092, -1)]

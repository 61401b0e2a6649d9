"""Traces and the audit of a context: what is kept, who sees it, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.ground.ulids import new_ulid_at
from spectronctl.server.access.scopes import WHOLE, Region
from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import FullError
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.traces import log as logging_traces
from spectronctl.server.traces.retention import list_retentions, prune_all_traces
from spectronctl.server.traces.rows import TraceRow
from spectronctl.server.traces.table import TraceTable, Wanted, bound_id
from tests.support.conversations import FACTS, PLANE, Admit

pytestmark = pytest.mark.anyio

TRACES, AUDIT = f"{PLANE}/traces", f"{PLANE}/audit"


async def ask(client: httpx.AsyncClient, query: str = "tea", **fields: Any) -> str:
    """The id of the trace that a query left."""
    answer = await client.post(f"{PLANE}/query", json={"query": query, **fields})
    assert answer.status_code == 200, answer.text
    trace_id: str = answer.json()["trace"]["traceId"]
    assert answer.headers["X-Trace-Id"] == trace_id
    return trace_id


async def keep(client: httpx.AsyncClient, text: str, **fields: Any) -> Any:
    answer = await client.post(FACTS, json={"infer": "none", "text": text, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read(client: httpx.AsyncClient, path: str = TRACES, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_ids(client: httpx.AsyncClient, **params: Any) -> list[str]:
    return [each["id"] for each in (await read(client, **params))["traces"]]


async def list_rows(client: httpx.AsyncClient, **params: Any) -> list[Any]:
    rows: list[Any] = (await read(client, AUDIT, **params))["rows"]
    return rows


def make_row(trace_id: str, **fields: Any) -> TraceRow:
    fields = {"kind": "retrieval", "principal": "x", "key_id": None, "scopes": [], **fields}
    return TraceRow(id=trace_id, **fields)


async def test_the_trace_that_a_query_names_is_there(
    operator: httpx.AsyncClient, acme: str
) -> None:
    kept = await keep(operator, "Bo prefers green tea")
    trace_id = await ask(operator, "green tea")
    for name in (trace_id, trace_id.removeprefix("trace:")):
        found = await read(operator, f"{TRACES}/{name}")
        assert found["id"] == trace_id
        assert found["queryText"] == "green tea"
        assert (found["resolutionTier"], found["cached"]) == ("hybrid", False)
        assert found["tierReason"] == "mode hybrid"
        (retrieval,) = found["retrievals"]
        assert retrieval["retrievedIds"] == [kept["chunkId"]]
        assert retrieval["returned"][0] == {
            "id": kept["chunkId"],
            "table": "memory_chunk",
            "rank": 1,
            "score": retrieval["scores"][0],
        }
        assert "green" not in str(retrieval)


async def test_traces_are_listed_the_newest_first(operator: httpx.AsyncClient, acme: str) -> None:
    ids = [await ask(operator, f"query {number}") for number in range(3)]
    assert await list_ids(operator) == ids[::-1]
    assert await list_ids(operator, limit=2) == ids[:0:-1]
    assert await list_ids(operator, limit=0) == []
    assert await list_ids(operator, limit=100_000) == ids[::-1]


async def test_a_list_begins_at_a_moment(operator: httpx.AsyncClient, acme: str) -> None:
    first, second = await ask(operator), await ask(operator)
    created = {each["id"]: each["createdAt"] for each in (await read(operator))["traces"]}
    assert second in await list_ids(operator, since=created[second])
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert await list_ids(operator, since=later.isoformat()) == []
    assert first in await list_ids(operator, since=created[first])


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        (TRACES, {"since": "yesterday"}, "since"),
        (TRACES, {"limit": "-1"}, "limit"),
        (TRACES, {"limit": "many"}, "limit"),
        (TRACES, {"scope[org]": "a b"}, "scope[org]"),
        (TRACES, {"scope": "*"}, "scope"),
        (f"{TRACES}/stats", {"windowHours": "0"}, "windowHours"),
        (AUDIT, {"kind": "other"}, "kind"),
        (AUDIT, {"until": "x"}, "until"),
    ],
)
async def test_parameters_that_cannot_be_meant_are_named(
    path: str, params: dict[str, str], field: str, operator: httpx.AsyncClient, acme: str
) -> None:
    answer = await operator.get(path, params=params)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{field}:")


@pytest.mark.parametrize("name", ["trace:x", "x", "trace:01ARZ3NDEKTSV4RRFFQ69G5FAV", "a%2Fb"])
async def test_a_trace_that_is_not_there_is_404(
    name: str, operator: httpx.AsyncClient, acme: str
) -> None:
    assert (await operator.get(f"{TRACES}/{name}")).status_code == 404


async def test_a_key_sees_the_traces_of_those_who_could_read_no_more(
    operator: httpx.AsyncClient, admit: Admit
) -> None:
    clients = {
        "whole": operator,
        "org": await admit("org", {"org": "acme"}),
        "team": await admit("team", "org/acme/team/a"),
        "other": await admit("other", "org/other"),
    }
    ids = {name: await ask(client) for name, client in clients.items()}
    seen = {name: set(await list_ids(client)) for name, client in clients.items()}
    assert seen["whole"] == set(ids.values())
    assert seen["org"] == {ids["org"], ids["team"]}
    assert seen["team"] == {ids["team"]}
    assert seen["other"] == {ids["other"]}
    for name, client in clients.items():
        for trace_id in ids.values():
            status = 200 if trace_id in seen[name] else 404
            assert (await client.get(f"{TRACES}/{trace_id}")).status_code == status
        assert {row["traceId"] for row in await list_rows(client)} == seen[name]
        stats = await read(client, f"{TRACES}/stats")
        assert stats["totalQueries"] == len(seen[name])


async def test_a_scope_narrows_the_list(operator: httpx.AsyncClient, admit: Admit) -> None:
    org = await ask(await admit("org", {"org": "acme"}))
    other = await ask(await admit("other", "org/other"))
    for params in ({"scope[org]": "acme"}, {"scope": "/org/acme/"}, {"scope[]": "org/acme"}):
        assert await list_ids(operator, **params) == [org]
    assert await list_ids(operator, scope="org") == [other, org]
    assert await list_ids(operator, **{"scope[org]": "acme", "scope": "org/other"}) == []
    stats = await read(operator, f"{TRACES}/stats", **{"scope[org]": "acme"})
    assert stats["totalQueries"] == 1


async def test_statistics_have_every_number(operator: httpx.AsyncClient, acme: str) -> None:
    empty = await read(operator, f"{TRACES}/stats")
    assert empty["windowHours"] == 24
    assert empty["tierCounts"] == {"direct": 0, "hybrid": 0, "fullContext": 0}
    await keep(operator, "Bo prefers green tea")
    await ask(operator, "green tea")
    await ask(operator, "green tea", mode="bm25")
    stats = await read(operator, f"{TRACES}/stats", windowHours=1)
    assert stats.keys() == empty.keys()
    assert stats["windowHours"] == 1
    assert (stats["totalQueries"], stats["tierCounts"]["hybrid"]) == (2, 2)
    assert stats["retrieval"] == {"traces": 2, "avgCandidateSet": 1.0, "maxCandidateSet": 1}
    assert stats["contradiction"] == {
        "reconciliations": 0,
        "contradictions": 0,
        "contradictionRate": 0.0,
    }
    assert stats["supersession"].keys() == {
        "supersessionEvents",
        "entitiesChurned",
        "churnPerEntity",
    }
    since = datetime.now(UTC) - timedelta(minutes=90)
    assert (await read(operator, f"{TRACES}/stats", since=since.isoformat()))["windowHours"] == 2


async def test_old_traces_are_outside_of_the_window(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    old = f"trace:{new_ulid_at(datetime.now(UTC) - timedelta(hours=30))}"
    await TraceTable(store).add_traces(context, [make_row(old)])
    stats = f"{TRACES}/stats"
    assert (await read(operator, stats))["totalQueries"] == 0
    assert (await read(operator, stats, windowHours=31))["totalQueries"] == 1


async def test_the_audit_is_filtered_by_whom_and_when(
    operator: httpx.AsyncClient, agent: dict[str, Any], connect: Any
) -> None:
    client = connect(agent["secret"])
    mine, theirs = await ask(client), await ask(operator)
    (row,) = await list_rows(operator, key=agent["id"])
    assert row["traceId"] == mine
    assert (row["kind"], row["cost"], row["keyId"]) == ("retrieval", 0, agent["id"])
    assert await list_rows(operator, principal=agent["id"]) == [row]
    assert await list_rows(operator, principal=row["principal"]) == [row]
    bare = row["principal"].removeprefix("principal:")
    assert await list_rows(operator, key=bare) == [row]
    assert await list_rows(operator, key=bare, kind="response") == []
    assert await list_rows(operator, since=row["createdAt"], until=row["createdAt"], limit=1)
    assert {each["traceId"] for each in await list_rows(operator)} == {mine, theirs}
    assert await list_rows(operator, kind="decision") == []
    assert await list_rows(operator, principal="no-such") == []


async def test_a_denial_stands_in_the_audit_and_is_no_query(
    operator: httpx.AsyncClient, agent: dict[str, Any], connect: Any
) -> None:
    client = connect(agent["secret"])
    answer = await client.post(f"{PLANE}/lifecycle/expire")
    assert answer.status_code == 403
    (row,) = await list_rows(operator, kind="decision")
    assert row["traceId"] == answer.headers["X-Trace-Id"]
    assert row["keyId"] == agent["id"]
    assert (row["event"], row["verb"], row["outcome"]) == (
        "authz.denied",
        "memory:forget",
        "missing verb memory:forget",
    )
    assert row["operation"] == "POST /api/v1/{context_id}/lifecycle/expire"
    assert await list_ids(operator) == []
    assert (await read(operator, f"{TRACES}/stats"))["totalQueries"] == 0
    assert (await read(operator, f"{TRACES}/{row['traceId']}"))["kind"] == "decision"


async def test_a_write_outside_of_the_region_is_a_denial_without_its_content(
    operator: httpx.AsyncClient, member: httpx.AsyncClient
) -> None:
    body = {"text": "sentinel-1", "infer": "none", "scopes": "org/sentinel-2"}
    assert (await member.post(FACTS, json=body)).status_code == 403
    (row,) = await list_rows(operator)
    assert row["outcome"] == "outside of the region for memory:write"
    assert "sentinel" not in str(row)


async def test_a_response_names_the_retrievals_that_fed_it(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    now = datetime.now(UTC)
    parent, one, two = (f"trace:{new_ulid_at(now)}" for _ in range(3))
    details = {"response": "Tea.", "source": "chat"}
    rows = [
        make_row(parent, kind="response", query="What?", details=details),
        make_row(one, parent=parent),
        make_row(two, parent=parent, scopes=[["org/acme"]]),
    ]
    await TraceTable(store).add_traces(context, rows)
    answer = await read(operator, f"{TRACES}/{parent}")
    assert answer["parent"]["id"] == parent
    assert answer["parent"]["responseText"] == "Tea."
    assert {each["id"] for each in answer["retrievals"]} == {one, two}
    fed = await read(operator, f"{TRACES}/{one}")
    assert (fed["parent"]["id"], fed["retrievals"][0]["id"]) == (parent, one)
    assert set(await list_ids(operator)) == {one, two}


async def test_what_a_neighbour_asked_is_not_shown_through_a_link(
    member: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    now = datetime.now(UTC)
    parent, mine, hidden = (f"trace:{new_ulid_at(now)}" for _ in range(3))
    rows = [
        make_row(parent, kind="response", query="secret"),
        make_row(mine, parent=parent, scopes=[["org/acme"]]),
        make_row(hidden, parent=parent),
    ]
    await TraceTable(store).add_traces(context, rows)
    found = await read(member, f"{TRACES}/{mine}")
    assert "parent" not in found
    assert [each["id"] for each in found["retrievals"]] == [mine]


async def test_a_session_context_leaves_a_trace_that_goes_blank_with_its_session(
    operator: httpx.AsyncClient, acme: str
) -> None:
    kept = await keep(operator, "Bo prefers green tea")
    session = f"{PLANE}/sessions/{kept['sessionId']}"
    answer = await operator.post(f"{session}/context", json={"query": "sentinel tea"})
    trace = f"{TRACES}/{answer.headers['X-Trace-Id']}"
    assert (await read(operator, trace))["queryText"] == "sentinel tea"
    assert (await operator.delete(session)).status_code == 204
    assert (await read(operator, trace))["queryText"] == ""


async def test_a_query_is_answered_when_no_trace_can_be_written(
    operator: httpx.AsyncClient, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise FullError("full")

    monkeypatch.setattr(TraceTable, "add_traces", refuse)
    await ask(operator)
    assert await list_ids(operator) == []


async def test_traces_that_come_too_fast_are_counted_and_dropped(
    app: FastAPI,
    operator: httpx.AsyncClient,
    acme: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(logging_traces, "MAX_WAITING", 0)
    await ask(operator)
    assert await list_ids(operator) == []
    assert "1 traces were lost" in caplog.text


async def test_leaving_the_log_writes_what_is_left(store: Database, context: ContextRow) -> None:
    now = datetime.now(UTC)
    ids = {f"trace:{new_ulid_at(now)}" for _ in range(1_001)}
    async with logging_traces.TraceLog(store) as log:
        for trace_id in ids:
            log.keep(context, make_row(trace_id))
    rows = await TraceTable(store).list_traces(context, WHOLE, Wanted(limit=2_000))
    assert {row.id for row in rows} == ids


async def test_traces_are_pruned_by_their_kind(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    kinds = ("decision", "retrieval", "response")
    now = datetime.now(UTC)
    rows = [
        make_row(f"trace:{new_ulid_at(now - timedelta(days=days))}", kind=kind)
        for days in (0, 5, 40, 100)
        for kind in kinds
    ]
    await TraceTable(store).add_traces(context, rows)
    await prune_all_traces(store)

    async def count() -> dict[str, int]:
        return {kind: len(await list_rows(operator, kind=kind)) for kind in kinds}

    assert await count() == {"decision": 3, "retrieval": 2, "response": 3}
    config = {"trace_retention": {"retrieval_days": 1, "response_days": 39}}
    changed = await operator.patch(f"/api/v1/contexts/{context.id}", json={"config": config})
    assert changed.status_code == 200, changed.text
    await prune_all_traces(store)
    assert await count() == {"decision": 3, "retrieval": 1, "response": 2}


@pytest.mark.parametrize("value", [0, -1, 36_526, "30", 1.5, True, []])
async def test_a_retention_is_a_number_of_days(
    value: Any, operator: httpx.AsyncClient, acme: str
) -> None:
    config = {"trace_retention": {"decision_days": value}}
    answer = await operator.patch(f"/api/v1/contexts/{acme}", json={"config": config})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("config.trace_retention.decision_days:")


def test_a_null_restores_the_default() -> None:
    days = {kind: kept.days for kind, kept in list_retentions({}).items()}
    assert days == {"decision": 90, "retrieval": 30, "response": 90}
    config = {"trace_retention": {"decision_days": None, "retrieval_days": 7}}
    assert list_retentions(config)["retrieval"] == timedelta(days=7)
    assert list_retentions(config)["decision"] == timedelta(days=90)


def test_one_who_reads_a_node_alone_does_not_see_what_was_found_below_it() -> None:
    subtree, node = [["org/acme/*"]], [["org/acme"]]
    alone, below = Region((), nodes=("org/acme",)), Region(("org/acme",))
    assert not alone.can_read(subtree)
    assert alone.can_read(node)
    assert below.can_read(subtree)
    assert below.can_read(node)


async def test_one_who_acted_for_another_is_named_with_it(
    operator: httpx.AsyncClient, agent: dict[str, Any]
) -> None:
    ask_as = {"X-Memory-On-Behalf-Of": agent["principal_id"]}
    answer = await operator.post(f"{PLANE}/query", json={"query": "tea"}, headers=ask_as)
    assert answer.status_code == 200, answer.text
    (row,) = await list_rows(operator, principal=agent["principal_id"])
    assert (row["principal"], row["onBehalfOf"]) == ("operator", agent["principal_id"])


def test_a_bound_lies_between_the_ids_of_two_milliseconds() -> None:
    moment = datetime(2026, 5, 1, 12, 0, 0, 1_999, tzinfo=UTC)
    before, at = (f"trace:{new_ulid_at(moment - timedelta(milliseconds=late))}" for late in (1, 0))
    assert before < bound_id(moment) <= at < bound_id(moment, later=1)

"""Decay and jobs over HTTP, for the operator; the worker behind them is in test_reindex."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.database.database import Database
from spectronctl.server.index.table import SearchTable
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.registry.rows import ContextRow
from tests.support.conversations import FACTS
from tests.support.memories import NOW, remember

pytestmark = pytest.mark.anyio

LIFECYCLE = "/api/v1/contexts/acme-prod/lifecycle"
JOBS = f"{LIFECYCLE}/jobs"
NO_JOB = f"{JOBS}/job_01JZZZZZZZZZZZZZZZZZZZZZZZ"


async def start(operator: httpx.AsyncClient) -> str:
    answer = await operator.post(f"{LIFECYCLE}/reindex")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


async def configure(operator: httpx.AsyncClient, **config: Any) -> None:
    answer = await operator.patch("/api/v1/contexts/acme-prod", json={"config": config})
    assert answer.status_code == 200, answer.text


async def test_decay_takes_out_what_is_older_than_a_week_and_counts_it(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    now = datetime.now(UTC)
    old, new = now - timedelta(days=8), now - timedelta(days=6)
    await remember(store, context, "old", "older", category="context", at=old)
    await remember(store, context, "new", category="context", at=new)
    await remember(store, context, "kept", category="knowledge", at=NOW - timedelta(days=900))
    await remember(store, context, "of no category", at=NOW - timedelta(days=900))
    await SearchTable(store).cache_vector(context, WHOLE, "acme/small", "tea?", [1.0])
    answer = await operator.post(f"{LIFECYCLE}/decay")
    assert (answer.status_code, answer.json()) == (
        200,
        {"affected": 2, "expired_memories": 2, "pruned_cache_entries": 0},
    )
    left = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=10)
    assert [each.text for each in left] == ["new", "kept", "of no category"]
    again = (await operator.post(f"{LIFECYCLE}/decay")).json()
    assert again["affected"] == 0


@pytest.mark.parametrize(
    ("config", "left"),
    [
        ({}, ["3h", "3d"]),
        ({"retention_days": 2}, ["3h"]),
        ({"retention_days": 30}, ["3h", "3d", "9d"]),
        ({"memory_ttl": {"context": "1h"}}, []),
        ({"retention_days": 2, "memory_ttl": {"context": "4d"}}, ["3h", "3d"]),
    ],
)
async def test_the_config_says_how_long_memories_live(
    config: dict[str, Any],
    left: list[str],
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
) -> None:
    ages = {"3h": timedelta(hours=3), "3d": timedelta(days=3), "9d": timedelta(days=9)}
    for name, age in ages.items():
        await remember(store, context, name, category="context", at=datetime.now(UTC) - age)
    await configure(operator, **config)
    await operator.post(f"{LIFECYCLE}/decay")
    found = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=10)
    assert [each.text for each in found] == left


async def test_another_category_ends_only_where_the_config_names_it(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    await remember(store, context, "of use", category="knowledge", at=NOW - timedelta(days=400))
    await operator.post(f"{LIFECYCLE}/decay")
    assert await SearchTable(store).count_chunks(context, WHOLE) == 1
    await configure(operator, memory_ttl={"knowledge": "365d"})
    await operator.post(f"{LIFECYCLE}/decay")
    assert await SearchTable(store).count_chunks(context, WHOLE) == 0


async def test_the_age_of_a_memory_counts_from_when_it_was_observed(
    operator: httpx.AsyncClient, acme: str
) -> None:
    for observed in ("2020-01-01T00:00:00Z", None):
        fact = {"infer": "none", "text": "now here", "memory_category": "context"}
        answer = await operator.post(FACTS, json=fact | {"observed_at": observed})
        assert answer.status_code == 200, answer.text
    assert (await operator.post(f"{LIFECYCLE}/decay")).json()["expired_memories"] == 1


async def test_a_decay_of_many_goes_page_by_page(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("spectronctl.server.upkeep.decay._PAGE", 3)
    await remember(store, context, *map(str, range(8)), category="context")
    assert (await operator.post(f"{LIFECYCLE}/decay")).json()["expired_memories"] == 8


async def test_a_reindex_is_a_job_with_an_address(operator: httpx.AsyncClient, acme: str) -> None:
    answer = await operator.post(f"{LIFECYCLE}/reindex")
    job = answer.json()
    assert answer.status_code == 202
    assert job.keys() == {"job_id", "status"}
    assert job["status"] == "queued"
    assert answer.headers["Location"] == f"{JOBS}/{job['job_id']}"
    found = (await operator.get(answer.headers["Location"])).json()
    assert found == {
        "id": job["job_id"],
        "kind": "reindex",
        "status": "queued",
        "progress": {"done": 0, "total": None},
        "error": None,
        "cancel_requested": False,
        "embedder": "local/hashing",
        "created_at": found["created_at"],
        "started_at": None,
        "finished_at": None,
    }
    assert found["created_at"].endswith("Z")


async def test_a_second_reindex_is_409_and_named_the_first(
    operator: httpx.AsyncClient, acme: str
) -> None:
    first = await start(operator)
    refused = await operator.post(f"{LIFECYCLE}/reindex")
    assert refused.status_code == 409
    assert first in refused.json()["detail"]


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"models": {"embedding": "cohere/small"}}, "config.provider_urls.cohere"),
        (
            {
                "models": {"embedding": "cohere/small"},
                "provider_urls": {"cohere": "https://llm.acme.example/v1"},
            },
            "config.providers.cohere",
        ),
    ],
)
async def test_a_reindex_wants_an_embedder_that_can_be_tried(
    config: dict[str, Any], named: str, operator: httpx.AsyncClient, acme: str
) -> None:
    await configure(operator, **config)
    refused = await operator.post(f"{LIFECYCLE}/reindex")
    assert refused.status_code == 422
    assert named in refused.json()["detail"]
    assert "spectronctl contexts update acme-prod" in refused.json()["detail"]
    assert (await operator.get(JOBS)).json()["jobs"] == []


async def test_jobs_are_paged_by_cursor(operator: httpx.AsyncClient, acme: str) -> None:
    made = []
    for _ in range(3):
        made.append(await start(operator))
        assert (await operator.delete(f"{JOBS}/{made[-1]}")).status_code == 200
    first = (await operator.get(JOBS, params={"limit": 2})).json()
    assert [job["id"] for job in first["jobs"]] == made[:2]
    assert (first["next_cursor"], first["has_more"]) == (made[1], True)
    last = (await operator.get(JOBS, params={"limit": 2, "cursor": made[1]})).json()
    assert [job["id"] for job in last["jobs"]] == made[2:]
    assert (last["next_cursor"], last["has_more"]) == (None, False)
    bad = await operator.get(JOBS, params={"cursor": "cak_1"})
    assert (bad.status_code, "cursor" in bad.json()["detail"]) == (400, True)


async def test_cancelling_is_repeatable_and_a_job_that_ended_is_409(
    operator: httpx.AsyncClient, store: Database, acme: str
) -> None:
    job = await start(operator)
    for _ in range(2):
        answer = await operator.delete(f"{JOBS}/{job}")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    later = await start(operator)
    claimed = await JobTable(store).claim_job()
    assert claimed is not None
    running = await operator.delete(f"{JOBS}/{later}")
    assert (running.json()["status"], running.json()["cancel_requested"]) == ("running", True)
    await JobTable(store).finish_job(claimed, "failed", error="it broke", done=0, total=1)
    refused = await operator.delete(f"{JOBS}/{later}")
    assert (refused.status_code, "has failed" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_job_that_is_not_there_or_is_anothers_is_404(
    method: str, operator: httpx.AsyncClient, acme: str
) -> None:
    other = {"namespace": "acme", "database": "other"}
    await operator.post("/api/v1/contexts/other", json=other)
    job = await start(operator)
    for path in (NO_JOB, f"{JOBS}/missing", f"/api/v1/contexts/other/lifecycle/jobs/{job}"):
        assert (await operator.request(method, path)).status_code == 404
    assert (await operator.get(f"{JOBS}/{job}")).json()["cancel_requested"] is False


CALLS = [
    ("POST", f"{LIFECYCLE}/decay"),
    ("POST", f"{LIFECYCLE}/reindex"),
    ("GET", JOBS),
    ("GET", NO_JOB),
    ("DELETE", NO_JOB),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_all_of_it_is_the_operators(
    method: str,
    path: str,
    stranger: httpx.AsyncClient,
    agent: dict[str, Any],
    operator: httpx.AsyncClient,
) -> None:
    assert (await stranger.request(method, path)).status_code == 401
    key = {"API-KEY": agent["secret"]}
    assert (await stranger.request(method, path, headers=key)).status_code == 403
    missing = path.replace("acme-prod", "missing")
    assert (await operator.request(method, missing)).status_code == 404

"""Reindexes of one context over HTTP, by workers in this process and an embedder that is reached over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.handlers import work_on_jobs
from spectronctl.server.jobs import worker
from spectronctl.server.jobs.rows import JobRow
from spectronctl.server.memory import reindex

from .conversing import PLANE
from .embeddings_endpoint import KEY, Endpoint, serve
from .remembering import wait_until_finished

LIFECYCLE = "/api/v1/contexts/acme-prod/lifecycle"


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits between signs of life, nor for other writes."""
    monkeypatch.setattr(reindex, "_SETTLE_SECONDS", 0)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.02)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve() as endpoint:
        yield endpoint


@pytest.fixture
async def at_work(store: Database) -> AsyncIterator[None]:
    async with work_on_jobs(store):
        yield


async def choose(operator: httpx.AsyncClient, endpoint: Endpoint) -> None:
    """Let the context's config name the embedder behind the endpoint."""
    config = {
        "models": {"embedding": "standin/small"},
        "provider_urls": {"standin": endpoint.url},
        "providers": {"standin": KEY},
    }
    changed = await operator.patch("/api/v1/contexts/acme-prod", json={"config": config})
    assert changed.status_code == 200, changed.text


async def start(operator: httpx.AsyncClient) -> str:
    answer = await operator.post(f"{LIFECYCLE}/reindex")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


async def run(operator: httpx.AsyncClient, store: Database) -> JobRow:
    job_id = await start(operator)
    return await asyncio.wait_for(wait_until_finished(store, "acme-prod", job_id), 30)


async def count_unindexed(operator: httpx.AsyncClient) -> int:
    answer = await operator.post(f"{PLANE}/fsck", json={"check": "broken_references"})
    return len(answer.json()["brokenReferences"])

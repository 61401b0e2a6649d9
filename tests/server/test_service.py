from __future__ import annotations

import asyncio

import httpx
import pytest

import spectronctl
from spectronctl.server.database.database import Database
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.service import routes as service

pytestmark = pytest.mark.anyio


async def test_health_needs_no_key_and_no_database(
    stranger: httpx.AsyncClient, store: Database
) -> None:
    await store.close()
    answer = await stranger.get("/api/v1/health")
    assert answer.json() == {"status": "ok", "version": spectronctl.__version__}


@pytest.mark.parametrize("path", ["/ready", "/api/v1/ready"])
async def test_ready_says_whether_the_database_answers(
    stranger: httpx.AsyncClient, store: Database, path: str
) -> None:
    assert (await stranger.get(path)).json() == {"status": "ready"}
    await store.close()
    down = await stranger.get(path)
    assert (down.status_code, down.headers["retry-after"]) == (503, "1")


async def test_ready_does_not_wait_for_a_database_that_hangs(
    stranger: httpx.AsyncClient, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(store, "ping", hang)
    monkeypatch.setattr(service, "_PING_SECONDS", 0.05)
    assert (await stranger.get("/ready")).status_code == 503


async def test_verbs_are_the_seven(operator: httpx.AsyncClient) -> None:
    assert (await operator.get("/api/v1/verbs")).json() == {
        "verbs": [
            "memory:read",
            "memory:write",
            "memory:forget",
            "scope:read",
            "scope:create",
            "scope:delete",
            "grant:manage",
        ]
    }


async def test_migrations_show_the_version_of_every_context(
    operator: httpx.AsyncClient, store: Database, acme: str
) -> None:
    newest = Provisioning(store).schema_version
    assert (await operator.get("/api/v1/migrations")).json() == {
        "schema_version": newest,
        "contexts": [{"context_id": acme, "version": newest}],
        "behind": [],
        "failures": [],
    }


async def test_migrations_name_those_that_are_behind_or_ahead(
    operator: httpx.AsyncClient, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = Provisioning(store).schema_version

    async def list_versions() -> dict[str, int]:
        return {"new": newest + 1, "now": newest, "old": newest - 1}

    monkeypatch.setattr(ContextTable, "list_schema_versions", staticmethod(list_versions))
    shown = (await operator.get("/api/v1/migrations")).json()
    assert (shown["behind"], shown["failures"]) == (["old"], ["new"])


async def test_what_is_documented_and_not_served_is_named(operator: httpx.AsyncClient) -> None:
    body = {"namespace": "acme", "database": "prod"}
    await operator.post("/api/v1/contexts/acme-prod", json=body)
    told = (await operator.put("/api/v1/acme-prod/documents/d1", content=b"{")).json()
    assert (told["status"], told["type"]) == (501, "https://spectron.dev/errors/not-implemented")
    assert told["detail"].startswith("PUT /api/v1/{context_id}/documents/{id}: ")


async def test_what_is_not_served_asks_for_a_key_first(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/api/v1/acme-prod/audit")
    assert answer.status_code == 401

"""The public face: what the product's documentation shows, against what goes over the wire."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import httpx
import pytest

import spectronctl
from spectronctl import SpectronManagement, SyncSpectronManagement, errors
from tests.support.fakes import KEY, URL, Admin, Clock, FakeSpectron

CONTEXT = {"id": "acme-prod", "namespace": "acme", "database": "prod"}
MINTED = {"id": "cak_1", "name": "ci", "secret": "sk-acme-prod-1"}
ROOT = "/api/v1/contexts/acme-prod"
JOBS = f"{ROOT}/lifecycle/jobs"
JOB = {"id": "job_1", "status": "cancelled", "kind": "reindex"}


@pytest.mark.parametrize(
    ("name", "args", "options", "method", "path", "body", "answer"),
    [
        (
            "contexts.create",
            (),
            {
                "id": "acme-prod",
                "namespace": "acme",
                "database": "prod",
                "config": {"token_limit": 1},
            },
            "POST",
            ROOT,
            {"namespace": "acme", "database": "prod", "config": {"token_limit": 1}},
            CONTEXT,
        ),
        (
            "contexts.create",
            ("acme-prod",),
            {
                "namespace": "a",
                "database": "p",
                "admin_external_id": "u1",
                "admin_display_name": "U",
            },
            "POST",
            ROOT,
            {
                "namespace": "a",
                "database": "p",
                "admin_external_id": "u1",
                "admin_display_name": "U",
            },
            CONTEXT,
        ),
        ("contexts.get", ("acme-prod",), {}, "GET", ROOT, None, CONTEXT),
        (
            "contexts.update",
            ("acme-prod",),
            {"config": {"retention_days": None}, "enforcement_blocked": False},
            "PATCH",
            ROOT,
            {"config": {"retention_days": None}, "enforcement_blocked": False},
            CONTEXT,
        ),
        (
            "keys.create",
            ("acme-prod",),
            {"name": "ci", "scope_floor": {"org": "acme"}, "expires_in": 60},
            "POST",
            f"{ROOT}/keys",
            {"name": "ci", "principal": "agent", "scope_floor": {"org": "acme"}, "expires_in": 60},
            MINTED,
        ),
        (
            "keys.create",
            ("acme-prod",),
            {"name": "ci", "principal": "supervisor", "expires_at": "2027-01-01T00:00:00Z"},
            "POST",
            f"{ROOT}/keys",
            {"name": "ci", "principal": "supervisor", "expires_at": "2027-01-01T00:00:00Z"},
            MINTED,
        ),
        (
            "keys.rotate",
            ("acme-prod", "cak_1"),
            {},
            "POST",
            f"{ROOT}/keys/cak_1/rotate",
            None,
            MINTED,
        ),
        ("whoami", ("acme-prod",), {}, "GET", "/api/v1/acme-prod/me", None, {"principalId": "p1"}),
        ("health", (), {}, "GET", "/api/v1/health", None, {"status": "ok"}),
        (
            "lifecycle.decay",
            ("acme-prod",),
            {},
            "POST",
            f"{ROOT}/lifecycle/decay",
            None,
            {"affected": 3, "expired_memories": 1, "pruned_cache_entries": 2},
        ),
        (
            "lifecycle.reindex",
            ("acme-prod",),
            {},
            "POST",
            f"{ROOT}/lifecycle/reindex",
            None,
            {"job_id": "job_1", "status": "queued"},
        ),
        ("lifecycle.job", ("acme-prod", "job_1"), {}, "GET", f"{JOBS}/job_1", None, JOB),
        ("lifecycle.cancel", ("acme-prod", "job_1"), {}, "DELETE", f"{JOBS}/job_1", None, JOB),
        (
            "migrations",
            (),
            {},
            "GET",
            "/api/v1/migrations",
            None,
            {"schema_version": 4, "contexts": [], "behind": [], "failures": ["acme-prod"]},
        ),
    ],
)
def test_a_call_sends_one_request_and_reads_its_answer(
    admin: Admin,
    spectron: FakeSpectron,
    name: str,
    args: tuple[str, ...],
    options: dict[str, Any],
    method: str,
    path: str,
    body: Any,
    answer: dict[str, Any],
) -> None:
    spectron.on(method, path, json=answer)
    result = admin(name, *args, **options)
    assert list(result.to_dict().values()) == list(answer.values())
    (sent,) = spectron.requests
    assert (json.loads(sent.content) if sent.content else None) == body
    assert sent.headers["API-KEY"] == KEY


@pytest.mark.parametrize(
    ("name", "args", "path"),
    [
        ("contexts.delete", ("acme-prod",), ROOT),
        ("keys.delete", ("acme-prod", "cak_1"), f"{ROOT}/keys/cak_1"),
    ],
)
def test_a_deletion_returns_nothing(
    admin: Admin, spectron: FakeSpectron, name: str, args: tuple[str, ...], path: str
) -> None:
    spectron.on("DELETE", path, 204)
    assert admin(name, *args) is None


@pytest.mark.parametrize(
    ("name", "args", "path", "item"),
    [
        ("contexts.list", (), "/api/v1/contexts", CONTEXT),
        ("keys.list", ("acme-prod",), f"{ROOT}/keys", {"id": "cak_1", "name": "ci"}),
        ("lifecycle.jobs", ("acme-prod",), JOBS, {"id": "job_1", "status": "queued"}),
    ],
)
def test_a_list_walks_all_pages(
    admin: Admin,
    spectron: FakeSpectron,
    name: str,
    args: tuple[str, ...],
    path: str,
    item: dict[str, str],
) -> None:
    spectron.on("GET", path, json={"found": [item], "next_cursor": "a", "has_more": True})
    spectron.on("GET", path, json={"found": [item], "next_cursor": None, "has_more": False})
    assert [found.to_dict() for found in admin(name, *args)] == [item, item]
    assert [r.url.params.get("cursor") for r in spectron.requests] == [None, "a"]


def test_watching_a_job_yields_it_until_it_is_over(
    admin: Admin, spectron: FakeSpectron, clock: Clock
) -> None:
    for status in ("queued", "running", "succeeded"):
        spectron.on("GET", f"{JOBS}/job_1", json={"id": "job_1", "status": status})
    found = admin("lifecycle.watch", "acme-prod", "job_1", timeout=60)
    assert [job.status for job in found] == ["queued", "running", "succeeded"]
    assert len(clock.pauses) == 2


def test_a_failure_is_an_error_of_the_package(admin: Admin, spectron: FakeSpectron) -> None:
    spectron.on("GET", ROOT, 404, json={"detail": "no context acme-prod"})
    with pytest.raises(
        spectronctl.NotFoundError, match=rf"no context acme-prod \(404 GET {ROOT}\)"
    ):
        admin("contexts.get", "acme-prod")


def test_the_connections_close_with_the_block(spectron: FakeSpectron) -> None:
    transport = httpx.MockTransport(spectron.answer)

    async def run() -> None:
        async with SpectronManagement(URL, KEY, transport=transport) as admin:
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await admin.health()

    asyncio.run(run())
    with SyncSpectronManagement(URL, KEY, transport=transport) as admin:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        admin.health()


def test_the_key_is_in_no_repr(spectron: FakeSpectron) -> None:
    with SyncSpectronManagement(URL, KEY) as admin:
        told = [repr(admin), repr(vars(admin)), repr(vars(vars(admin)["_client"]))]
    assert KEY not in "".join(told)


def test_every_error_is_a_public_name() -> None:
    found = {name for name, value in vars(errors).items() if inspect.isclass(value)} - {"Any"}
    public = {name for name in spectronctl.__all__ if name.endswith("Error")}
    assert {name for name in found if name.endswith("Error")} == public


def test_every_public_name_resolves() -> None:
    for name in spectronctl.__all__:
        assert getattr(spectronctl, name).__name__ == name
    assert set(spectronctl.__all__) | {"__version__"} <= set(dir(spectronctl))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        getattr(spectronctl, "Nothing")  # noqa: B009 - what a user's attribute access does

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from spectronctl.server.registry.credentials import (
    mint_secret,
    new_context_key_id,
    new_management_key_id,
)
from spectronctl.server.registry.keys import KeyTable, ManagementKeyTable
from spectronctl.server.registry.rows import KeyRow
from tests.support.conversations import Connect

pytestmark = pytest.mark.anyio

ME = "/api/v1/acme-prod/me"
MANAGEMENT = [
    ("GET", "/api/v1/contexts"),
    ("POST", "/api/v1/contexts/acme-prod"),
    ("GET", "/api/v1/contexts/acme-prod"),
    ("PATCH", "/api/v1/contexts/acme-prod"),
    ("DELETE", "/api/v1/contexts/acme-prod"),
    ("GET", "/api/v1/contexts/acme-prod/keys"),
    ("POST", "/api/v1/contexts/acme-prod/keys"),
    ("POST", "/api/v1/contexts/acme-prod/keys/cak_1/rotate"),
    ("DELETE", "/api/v1/contexts/acme-prod/keys/cak_1"),
    ("GET", "/api/v1/verbs"),
    ("GET", "/api/v1/migrations"),
]


@pytest.mark.parametrize(("method", "path"), MANAGEMENT)
async def test_every_management_route_wants_a_management_key(
    connect: Connect, agent: dict[str, Any], method: str, path: str
) -> None:
    stranger = await connect().request(method, path)
    assert stranger.status_code == 401
    assert stranger.headers["WWW-Authenticate"].startswith("Bearer")
    member = await connect(agent["secret"]).request(method, path)
    assert member.status_code == 403
    assert "management key" in member.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1/contexts", ME])
async def test_either_header_carries_a_key(
    connect: Connect, management_key: str, acme: str, path: str
) -> None:
    for headers in (
        {"API-KEY": management_key},
        {"Authorization": f"Bearer {management_key}"},
        {"authorization": f"bearer  {management_key}"},
        {"API-KEY": management_key, "Authorization": f"Bearer {management_key}"},
    ):
        assert (await connect(**headers).get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/contexts", ME])
async def test_two_keys_that_differ_are_refused(
    connect: Connect, management_key: str, acme: str, path: str
) -> None:
    answer = await connect(management_key, **{"API-KEY": "another"}).get(path)
    assert answer.status_code == 401
    assert "two different keys" in answer.json()["detail"]
    twice = [("API-KEY", management_key), ("API-KEY", "another")]
    assert (await connect().get(path, headers=twice)).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"API-KEY": ""},
        {"API-KEY": "nonsense"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer é"},
        {"API-KEY": "mgmt-" + "0" * 69},
        {"API-KEY": "sk-" + "x" * 9_000},
    ],
)
async def test_a_bad_key_is_refused_everywhere(
    connect: Connect, acme: str, headers: dict[str, str]
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    for path in ("/api/v1/contexts", ME):
        assert (await connect().get(path, headers=raw)).status_code == 401


async def test_a_secret_that_was_guessed_is_refused(
    connect: Connect, management_key: str, agent: dict[str, Any]
) -> None:
    for secret in (management_key, agent["secret"]):
        guessed = secret[:-1] + ("0" if secret[-1] != "0" else "1")
        assert (await connect(guessed).get(ME)).status_code == 401
        assert (await connect(guessed).get("/api/v1/contexts")).status_code == 401


async def make_key(operator: httpx.AsyncClient, context_id: str) -> str:
    answer = await operator.post(f"/api/v1/contexts/{context_id}/keys", json={"name": "one"})
    assert answer.status_code == 201
    secret: str = answer.json()["secret"]
    return secret


async def test_no_one_can_find_out_which_contexts_exist(
    operator: httpx.AsyncClient,
    connect: Connect,
    store: Database,
    acme: str,
    agent: dict[str, Any],
    management_key: str,
) -> None:
    await operator.post("/api/v1/contexts/beta", json={"namespace": "acme", "database": "beta"})
    foreign = await make_key(operator, "beta")
    expired_id = new_context_key_id()
    expired = mint_secret(expired_id, "acme-prod")
    await KeyTable(store).create_key(
        expired_row(expired_id, expired, await ManagementKeyTable(store).load_hash_key())
    )
    cases = [
        ("acme-prod", foreign),
        ("acme-prod", expired),
        ("acme-prod", mint_secret(new_context_key_id(), "acme-prod")),
        ("acme-prod", mint_secret(new_management_key_id(), None)),
        ("acme-prod", "nonsense"),
        ("no-such-context", agent["secret"]),
        ("no-such-context", foreign),
        ("no-such-context", mint_secret(new_context_key_id(), "no-such-context")),
        ("no-such-context", management_key),
        ("NOT-an-id", agent["secret"]),
        ("contexts-", agent["secret"]),
    ]
    answers = [await connect(secret).get(f"/api/v1/{name}/me") for name, secret in cases]
    assert [answer.status_code for answer in answers] == [401] * len(cases)
    assert len({without_ids(answer) for answer in answers}) == 1


def expired_row(key_id: str, secret: str, hash_key: bytes) -> KeyRow:
    from spectronctl.server.registry.credentials import digest_secret

    return KeyRow(
        id=key_id,
        context_id="acme-prod",
        name="expired",
        principal="agent",
        digest=digest_secret(hash_key, secret),
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
        expires_at=datetime(2020, 1, 2, tzinfo=UTC),
    )


def without_ids(answer: httpx.Response) -> str:
    """Everything in an answer but the request's id and the path that was asked for."""
    headers = {name: value for name, value in answer.headers.items() if "id" not in name}
    headers.pop("content-length")
    body = re.sub(r'"(instance|request_id)":"[^"]*"', "", answer.text)
    return f"{sorted(headers.items())}{body}"


async def test_an_operator_may_use_the_data_plane(operator: httpx.AsyncClient, acme: str) -> None:
    assert (await operator.get(ME)).status_code == 200


async def test_blocking_a_context_stops_no_key(
    operator: httpx.AsyncClient, connect: Connect, agent: dict[str, Any]
) -> None:
    await operator.patch("/api/v1/contexts/acme-prod", json={"enforcement_blocked": True})
    assert (await connect(agent["secret"]).get(ME)).status_code == 200


async def test_a_revoked_management_key_stops_at_once(
    operator: httpx.AsyncClient, store: Database
) -> None:
    assert (await operator.get("/api/v1/contexts")).status_code == 200
    (row,) = await ManagementKeyTable(store).list_management_keys()
    await ManagementKeyTable(store).delete_management_key(row.id)
    assert (await operator.get("/api/v1/contexts")).status_code == 401


async def test_the_use_of_a_management_key_is_noted_once_a_minute(
    operator: httpx.AsyncClient, store: Database
) -> None:
    await operator.get("/api/v1/contexts")
    (first,) = await ManagementKeyTable(store).list_management_keys()
    await operator.get("/api/v1/contexts")
    (second,) = await ManagementKeyTable(store).list_management_keys()
    assert first.last_used_at is not None
    assert first.last_used_at == second.last_used_at


async def test_a_use_that_cannot_be_noted_fails_no_request(
    operator: httpx.AsyncClient, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(key_id: str) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(ManagementKeyTable, "touch_management_key", staticmethod(fail))
    assert (await operator.get("/api/v1/contexts")).status_code == 200


async def test_a_trusted_process_needs_no_key_but_checks_one_it_is_given(store: Database) -> None:
    transport = httpx.ASGITransport(create_app(store, trusted=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
        assert (await client.get("/api/v1/contexts")).status_code == 200
        assert (await client.get("/api/v1/missing/me")).status_code == 404
        for headers in ({"API-KEY": "wrong"}, {"API-KEY": ""}, {"Authorization": "Bearer wrong"}):
            assert (await client.get("/api/v1/contexts", headers=headers)).status_code == 401
            assert (await client.get("/api/v1/missing/me", headers=headers)).status_code == 401


async def test_a_key_is_checked_before_the_body_is_read(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.post("/api/v1/contexts/acme", content=b"{", headers={})
    assert answer.status_code == 401

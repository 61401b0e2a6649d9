"""The line of each request in the log: who asked, from where, and why a key was refused."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.server.http.logs import configure_logs
from spectronctl.server.registry.credentials import mint_secret, new_context_key_id
from tests.support.worlds import BODIES, World, list_operations

pytestmark = pytest.mark.anyio

ME = "GET /api/v1/{context_id}/me"


class Log:
    """What was logged since the last look, as the lines of JSON that they are."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def take(self) -> list[dict[str, Any]]:
        lines = self.stream.getvalue().splitlines()
        self.stream.seek(0)
        self.stream.truncate()
        return [json.loads(line) for line in lines]


@pytest.fixture
def log() -> Iterator[Log]:
    log, names = Log(), ("spectronctl.server", "uvicorn")
    loggers = [logging.getLogger(name) for name in names]
    before = [(each.handlers, each.level, each.propagate) for each in loggers]
    configure_logs("json", log.stream)
    yield log
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


async def test_a_line_names_the_key_its_principal_and_the_client(world: World, log: Log) -> None:
    await world.ask(ME, headers={"API-KEY": world.secrets["agent"]})
    (line,) = log.take()
    assert (line["level"], line["status"], line["client"]) == ("info", 200, "127.0.0.1")
    assert line["key_id"] == world.ids["key_id"]
    assert line["principal"]
    assert "reason" not in line


async def test_the_operator_is_named_too(world: World, log: Log) -> None:
    await world.ask("GET /api/v1/contexts")
    (line,) = log.take()
    assert line["key_id"].startswith("mgk_")
    assert line["principal"] == "bootstrap"


async def test_a_refused_key_is_a_warning_that_says_why(world: World, log: Log) -> None:
    forged = mint_secret(new_context_key_id(), "acme")
    missing = mint_secret(new_context_key_id(), "no-such")
    for secret, reason in {
        "garbage": "malformed key",
        forged: "unknown or revoked key",
        missing: "unknown or revoked key",
        world.secrets["revoked"]: "unknown or revoked key",
        world.secrets["rotated"]: "not the secret of this key, or no longer",
        world.secrets["expired"]: "expired key",
        world.secrets["foreign"]: "key of another context",
    }.items():
        answer = await world.ask(ME, headers={"API-KEY": secret})
        (line,) = log.take()
        assert (answer.status_code, line["status"]) == (401, 401)
        assert (line["level"], line["reason"]) == ("warning", reason)


async def test_all_refused_keys_get_the_same_answer(world: World) -> None:
    kinds = ("revoked", "rotated", "expired", "foreign")
    answers = [await world.ask(ME, headers={"API-KEY": world.secrets[kind]}) for kind in kinds]
    assert len({answer.json()["detail"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "no key"),
        ({"Authorization": "Basic YTpi"}, "not a Bearer key"),
        ({"Authorization": "Bearer a", "API-KEY": "b"}, "two different keys"),
    ],
)
async def test_headers_without_one_key_are_a_warning(
    headers: dict[str, str], reason: str, world: World, log: Log
) -> None:
    await world.ask(ME, headers=headers)
    (line,) = log.take()
    assert (line["status"], line["reason"]) == (401, reason)
    assert "key_id" not in line


async def test_an_operator_who_asks_for_no_context_is_a_warning(world: World, log: Log) -> None:
    await world.ask(ME, {"context_id": "no-such"})
    (line,) = log.take()
    assert (line["status"], line["reason"]) == (401, "no such context")
    assert line["principal"] == "bootstrap"


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ("GET /api/v1/contexts", "key of a context on the management plane"),
        ("POST /api/v1/{context_id}/lifecycle/expire", "missing verb memory:forget"),
    ],
)
async def test_what_a_key_may_not_do_is_a_warning(
    operation: str, reason: str, world: World, log: Log
) -> None:
    await world.ask(operation, headers={"API-KEY": world.secrets["agent"]})
    (line,) = log.take()
    assert (line["level"], line["status"], line["reason"]) == ("warning", 403, reason)
    assert line["key_id"] == world.ids["key_id"]


async def test_a_write_outside_of_the_region_says_so(member: httpx.AsyncClient, log: Log) -> None:
    body = {"text": "x", "infer": "none", "scopes": "org/other"}
    answer = await member.post("/api/v1/acme-prod/facts", json=body)
    (line,) = log.take()
    assert answer.status_code == 403
    assert line["reason"] == "outside of the region for memory:write"


async def test_no_line_holds_a_secret(app: FastAPI, world: World, log: Log) -> None:
    marks = [world.secrets[kind] for kind in ("agent", "revoked", "foreign")]
    for operation in list_operations(app):
        for secret in marks:
            headers = {"API-KEY": secret, "X-Memory-On-Behalf-Of": "someone"}
            named = {**world.ids, "key_id": secret, "session_id": secret, "job_id": secret}
            await world.ask(operation, named, headers=headers, json=BODIES.get(operation))
    lines = log.stream.getvalue()
    assert lines.count("\n") >= len(marks) * 10
    assert not any(secret in lines for secret in marks)


async def test_every_response_has_a_trace_id_of_its_own(app: FastAPI, world: World) -> None:
    seen = []
    for operation in list_operations(app):
        for kind in ("agent", "revoked"):
            headers = {"API-KEY": world.secrets[kind]}
            answer = await world.ask(operation, headers=headers)
            seen.append(answer.headers["X-Trace-Id"])
    seen.append((await world.client.get("/api/v1/acme/nothing/here")).headers["X-Trace-Id"])
    assert all(each.startswith("trace:") for each in seen)
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(("level", "kept"), [("info", 2), ("warning", 1), ("error", 0)])
async def test_the_level_decides_what_is_written(
    level: Any, kept: int, world: World, log: Log
) -> None:
    configure_logs("json", log.stream, level=level)
    await world.ask("GET /api/v1/health")
    await world.ask(ME, headers={"API-KEY": "garbage"})
    assert len(log.take()) == kept

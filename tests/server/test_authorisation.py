"""Who may do what: every route against every kind of key, by a rule written here and not asked of the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from . import worlds
from .test_documentation import OPERATIONS
from .worlds import World, dump_store, list_operations

pytestmark = pytest.mark.anyio

PUBLIC = {
    "GET /openapi.json",
    "HEAD /openapi.json",
    "GET /docs",
    "GET /ready",
    "GET /api/v1/health",
    "GET /api/v1/ready",
}
MANAGEMENT = ("/api/v1/contexts", "/api/v1/verbs", "/api/v1/migrations")
FORGETTING = {
    "POST /api/v1/{context_id}/lifecycle/decay",
    "POST /api/v1/{context_id}/lifecycle/expire",
    "GET /api/v1/{context_id}/lifecycle/expire",
}
"""What takes the verb memory:forget, which agents do not have."""

Headers = list[tuple[str, str]]

KINDS: dict[str, Callable[[dict[str, str]], Headers]] = {
    "none": lambda _: [],
    "empty": lambda _: [("API-KEY", "")],
    "garbage": lambda _: [("API-KEY", "sk-acme-garbage")],
    "another scheme": lambda keys: [("Authorization", f"Basic {keys['management']}")],
    "expired": lambda keys: [("API-KEY", keys["expired"])],
    "revoked": lambda keys: [("API-KEY", keys["revoked"])],
    "rotated": lambda keys: [("API-KEY", keys["rotated"])],
    "former management": lambda keys: [("API-KEY", keys["former management"])],
    "another case": lambda keys: [("API-KEY", keys["management"].swapcase())],
    "blanks inside": lambda keys: [("API-KEY", keys["management"].replace("-", "- "))],
    "one more": lambda keys: [("API-KEY", keys["management"] + "0")],
    "one less": lambda keys: [("API-KEY", keys["agent"][:-1])],
    "renamed": lambda keys: [("API-KEY", keys["foreign"].replace("sk-beta", "sk-acme"))],
    "two that differ": lambda keys: [
        ("API-KEY", keys["management"]),
        ("Authorization", f"Bearer {keys['agent']}"),
    ],
    "twice, and differ": lambda keys: [("API-KEY", keys["agent"]), ("API-KEY", keys["foreign"])],
    "foreign": lambda keys: [("API-KEY", keys["foreign"])],
    "agent": lambda keys: [("API-KEY", keys["agent"])],
    "supervisor": lambda keys: [("Authorization", f"Bearer {keys['supervisor']}")],
    "management": lambda keys: [("API-KEY", keys["management"])],
    "blanks around": lambda keys: [("Authorization", f"bearer   {keys['management']} ")],
    "both the same": lambda keys: [
        ("API-KEY", keys["management"]),
        ("Authorization", f"Bearer {keys['management']}"),
    ],
}
OPERATORS = {"management", "blanks around", "both the same"}
MEMBERS = {"agent", "supervisor"}
UNTOLD = {"none", "another scheme", "two that differ", "twice, and differ"}
"""A caller without the one key is told so, in the same words everywhere."""


def expect(operation: str, kind: str, *, is_known: bool) -> int:
    """The status that docs/wire-contract.md asks for; 200 stands for any success."""
    path = operation.split()[1]
    if operation in PUBLIC:
        return 200
    if kind not in OPERATORS | MEMBERS | {"foreign"}:
        return 401
    if path.startswith(MANAGEMENT):
        return 200 if kind in OPERATORS else 403
    if kind == "foreign" or not is_known:
        return 401
    return 403 if kind == "agent" and operation in FORGETTING else 200


def without_request(answer: httpx.Response) -> str:
    """What is answered, but for what the request itself said."""
    body = answer.json()
    for name in ("instance", "request_id"):
        body.pop(name)
    return json.dumps(body)


async def ask_as(
    world: World, operation: str, kind: str, ids: dict[str, str], body: Any = None
) -> httpx.Response:
    return await world.ask(operation, ids, json=body, headers=KINDS[kind](world.secrets))


async def test_the_matrix_covers_every_route(app: FastAPI) -> None:
    found = set(list_operations(app))
    assert found >= OPERATIONS
    assert found - OPERATIONS == PUBLIC - {"GET /api/v1/health", "GET /api/v1/ready"}


async def test_every_key_may_do_just_what_it_is_for(app: FastAPI, world: World) -> None:
    wrong, cells = [], 0
    for operation in list_operations(app):
        wanted = {kind: expect(operation, kind, is_known=True) for kind in KINDS}
        ids, body = await world.prepare(operation)
        before = await dump_store(world.store)
        refused = [kind for kind in KINDS if wanted[kind] != 200]
        answers = {kind: await ask_as(world, operation, kind, ids, body) for kind in refused}
        if before != await dump_store(world.store):
            wrong.append(f"{operation}: was refused, and changed something")
        for kind in KINDS.keys() - refused:
            ids, body = await world.prepare(operation)
            answers[kind] = await ask_as(world, operation, kind, ids, body)
        cells += len(answers)
        for kind, answer in answers.items():
            if (200 if answer.is_success else answer.status_code) != wanted[kind]:
                wrong.append(f"{kind}: {operation}: {answer.status_code}, not {wanted[kind]}")
    assert wrong == []
    assert cells == len(KINDS) * (len(OPERATIONS) + 4)


async def test_a_refusal_says_nothing_of_what_there_is(app: FastAPI, world: World) -> None:
    """A context that is there, one that is not, and one that cannot be: the same words to the same key."""
    told: dict[str, set[str]] = {kind: set() for kind in KINDS}
    before = await dump_store(world.store)
    for operation in set(list_operations(app)) - PUBLIC:
        for ids in (
            world.ids,
            world.ids | {"context_id": "beta"},
            worlds.UNKNOWN,
            worlds.UNKNOWN | {"context_id": "No.Such_Id"},
        ):
            is_known = ids["context_id"] == "acme"
            for kind in KINDS:
                wanted = expect(operation, kind, is_known=is_known)
                if wanted != 401 or (kind == "foreign" and ids["context_id"] == "beta"):
                    continue
                if kind in OPERATORS and ids["context_id"] == "beta":
                    continue
                answer = await ask_as(world, operation, kind, ids)
                assert answer.status_code == 401, (operation, kind, ids)
                told[kind].add(without_request(answer))
    assert {kind: len(texts) for kind, texts in told.items()} == dict.fromkeys(KINDS, 1)
    assert len(set.union(*(told[kind] for kind in KINDS.keys() - UNTOLD))) == 1
    assert before == await dump_store(world.store)


async def test_a_key_that_is_refused_is_refused_before_anything_else(
    app: FastAPI, world: World
) -> None:
    """A body that is none, a parameter that is none: a caller without a key does not learn that."""
    for operation in set(list_operations(app)) - PUBLIC:
        for kind in ("none", "garbage", "expired", "revoked"):
            answer = await world.ask(
                operation,
                json=None,
                content=b"{",
                params={"limit": "x", "cursor": "x", "since": "x", "offset": "-1"},
                headers=[*KINDS[kind](world.secrets), ("Idempotency-Key", "\x7f")],
            )
            assert answer.status_code == 401, (operation, kind, answer.text)


async def test_no_header_makes_another_request_of_it(world: World) -> None:
    """Methods and paths are those of the request line, whatever a header says."""
    before = await dump_store(world.store)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"):
        for operation in (
            "GET /api/v1/contexts/{context_id}",
            "GET /api/v1/{context_id}/sessions/{session_id}",
        ):
            answer = await world.ask(
                operation,
                headers={
                    "API-KEY": world.secrets["management"],
                    name: "DELETE",
                    "X-Original-URL": "/api/v1/contexts/beta",
                    "X-Rewrite-URL": "/api/v1/contexts/beta",
                    "X-Forwarded-Prefix": "/api/v1/contexts/beta",
                },
            )
            assert answer.status_code == 200
            assert "acme" in answer.text
    assert before == await dump_store(world.store)


async def test_a_method_that_a_path_does_not_take_does_nothing(app: FastAPI, world: World) -> None:
    operations = set(list_operations(app))
    paths = {operation.split()[1] for operation in operations}
    before = await dump_store(world.store)
    for path in paths:
        for method in ("HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"):
            if f"{method} {path}" not in operations:
                answer = await world.ask(f"{method} {path}", json=None)
                assert answer.status_code == 405, (method, path, answer.text)
                assert answer.headers["Allow"]
    assert before == await dump_store(world.store)

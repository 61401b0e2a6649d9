"""Who may do what: every route against every kind of key, by the gate that the route declares."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from spectronctl.server.access.gates import Operator, Reader, list_gates
from spectronctl.server.idempotency.once import OnceOnly
from spectronctl.server.service import documentation
from tests.docs.test_served import DOCUMENTED, shape
from tests.support import worlds
from tests.support.soak import SOAK
from tests.support.worlds import World, dump_store, list_operations

from .test_documentation import OPERATIONS

pytestmark = pytest.mark.anyio

EVERY, OFTEN = (1, 1) if SOAK else (5, 2)
"""What takes turns in a walk over the routes: each route has one in so many of them."""

HELD = {
    "agent": {"member", "memory:read", "memory:write"},
    "supervisor": {"member", "memory:read", "memory:write", "memory:forget", "scope:create"},
}
"""The gates that a key of each kind of principal passes; the operator passes all."""

UNDESCRIBED = dict.fromkeys(
    (
        *("GET /openapi.json", "HEAD /openapi.json", "GET /ready", "GET /"),
        *(f"GET {path}" for path in documentation.FILES),
    ),
    "open",
)
"""What the description of the API leaves out."""

PATHS_OF_GATES = {
    "operator": r"/api/v1/(audit|contexts|management-keys|migrations|verbs)(/.*)?",
    "open": r"/|/docs(/.*)?|/redoc|/ready|/openapi\.json|/api/v1/(health|ready)",
}
"""All other gates are of the data plane: a path that begins with a context."""

UNSERVED = {
    operation
    for operation in DOCUMENTED
    if shape(operation) not in {shape(served) for served in OPERATIONS}
}
"""What is documented, and answers 501 to a good key."""

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
OTHERS = [kind for kind in KINDS if kind not in {*HELD, "foreign", "management"}]
"""The kinds that take turns: each is tried with some of the routes."""
METHODS = ("HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
UNTOLD = {"none", "another scheme", "two that differ", "twice, and differ"}
"""A request that does not carry one key is told so, in the same words everywhere."""


def read_gates(app: FastAPI) -> dict[str, str]:
    """The gate of every operation; fails for a route that declares none, or two."""
    found: dict[str, str] = {}
    for route in app.routes:
        assert isinstance(route, Route)
        # The framework serves the description of the API itself.
        is_description = route.path == "/openapi.json" and not isinstance(route, APIRoute)
        gates = ["open"] if is_description else list_gates(cast("APIRoute", route))
        assert len(gates) == 1, f"{route.path} declares {len(gates)} gates: {gates}"
        found |= {f"{method} {route.path}": gates[0] for method in route.methods or ()}
    return found


@pytest.fixture
def gates(app: FastAPI) -> dict[str, str]:
    return read_gates(app)


def expect(gate: str, kind: str, *, is_known: bool) -> int:
    """The status that the gate asks for; 200 stands for any success."""
    if gate == "open":
        return 200
    if kind not in OPERATORS | HELD.keys() | {"foreign"}:
        return 401
    if gate == "operator":
        return 200 if kind in OPERATORS else 403
    if kind == "foreign" or not is_known:
        return 401
    if gate == "own keys":  # each of the world's keys has a principal for itself alone
        return 403
    return 200 if kind in OPERATORS or gate in HELD[kind] else 403


def expect_at(operation: str, gate: str, kind: str) -> int:
    status = expect(gate, kind, is_known=True)
    return 501 if operation in UNSERVED and status == 200 else status


def list_all(app: FastAPI) -> list[str]:
    return list_operations(app) + list_operations(app, served=False)


def is_name_in_unserved(operation: str) -> bool:
    """Whether its last word is a name in another one: `GET /documents/query` asks for the document `query`."""
    patterns = [re.sub(r"\{\w+\}", "[^/]+", each) for each in UNSERVED]
    return any(re.fullmatch(pattern, operation) for pattern in patterns)


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


async def test_every_route_declares_its_gate(gates: dict[str, str]) -> None:
    assert gates == OPERATIONS | UNDESCRIBED | dict.fromkeys(UNSERVED, "member")


async def test_a_route_without_a_gate_or_with_two_is_found(app: FastAPI) -> None:
    async def answer(caller: Reader) -> None: ...

    async def answer_anyone(once: OnceOnly) -> None: ...

    for answers, dependencies in ((answer_anyone, []), (answer, [Operator])):
        app.router.routes.clear()
        path = "/api/v1/{context_id}/new"
        app.add_api_route(path, answers, dependencies=dependencies)
        with pytest.raises(AssertionError, match="gates"):
            read_gates(app)


async def test_a_gate_fits_the_path_it_stands_at(gates: dict[str, str]) -> None:
    for operation, gate in gates.items():
        path = operation.split()[1]
        pattern = PATHS_OF_GATES.get(gate, r"/api/v1/\{context_id\}/.*")
        assert re.fullmatch(pattern, path), (operation, gate)


async def test_the_matrix_covers_every_route(app: FastAPI, gates: dict[str, str]) -> None:
    assert set(list_operations(app)) == OPERATIONS.keys() | UNDESCRIBED.keys()
    assert set(list_operations(app, served=False)) == UNSERVED
    assert gates.keys() == {*list_operations(app), *UNSERVED}
    assert len(UNSERVED) == 27


async def test_every_key_may_do_just_what_it_is_for(gates: dict[str, str], world: World) -> None:
    wanted = {
        (operation, kind): expect_at(operation, gate, kind)
        for turn, (operation, gate) in enumerate(gates.items())
        for kind in [*HELD, "foreign", "management", *OTHERS[turn % EVERY :: EVERY]]
    }
    assert {kind for _, kind in wanted} == KINDS.keys()
    prepared = {operation: await world.prepare(operation) for operation in gates}
    before = await dump_store(world.store)
    wrong = []
    for (operation, kind), status in wanted.items():
        if status != 200:
            answer = await ask_as(world, operation, kind, *prepared[operation])
            if answer.status_code != status:
                wrong.append(f"{kind}: {operation}: {answer.status_code}, not {status}")
    assert wrong == []
    assert before == await dump_store(world.store), "a request was refused, and changed something"
    for (operation, kind), status in wanted.items():
        if status == 200:
            answer = await ask_as(world, operation, kind, *await world.prepare(operation))
            if not answer.is_success:
                wrong.append(f"{kind}: {operation}: {answer.status_code}")
    assert wrong == []


async def test_a_refusal_says_nothing_of_what_there_is(gates: dict[str, str], world: World) -> None:
    """A context that is there, one that is not, and one that cannot be: the same words to the same key."""
    told: dict[str, set[str]] = {kind: set() for kind in KINDS}
    before = await dump_store(world.store)
    for turn, (operation, gate) in enumerate(gates.items()):
        if gate == "open":
            continue
        for ids in (
            world.ids,
            world.ids | {"context_id": "beta"},
            worlds.UNKNOWN,
            worlds.UNKNOWN | {"context_id": "No.Such_Id"},
        ):
            is_known = ids["context_id"] == "acme"
            for kind in [*KINDS][turn % EVERY :: EVERY]:
                wanted = expect(gate, kind, is_known=is_known)
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
    gates: dict[str, str], world: World
) -> None:
    """A body that is none, a parameter that is none: without a key, a request does not learn that."""
    for operation in (each for each, gate in gates.items() if gate != "open"):
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
    operations = set(list_all(app))
    paths = {operation.split()[1] for operation in operations}
    before = await dump_store(world.store)
    for turn, path in enumerate(sorted(paths)):
        for method in METHODS[turn % OFTEN :: OFTEN]:
            if f"{method} {path}" not in operations:
                answer = await world.ask(f"{method} {path}", json=None)
                if is_name_in_unserved(f"{method} {path}"):
                    assert answer.status_code == 501, (method, path, answer.text)
                    continue
                assert answer.status_code == 405, (method, path, answer.text)
                assert answer.headers["Allow"]
    assert before == await dump_store(world.store)

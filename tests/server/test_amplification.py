"""What one request costs at its worst: memory, bytes in the store, and time, of every route."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.app import create_app
from spectronctl.server.http.limits import MAX_BODY_BYTES, MAX_FACT_BYTES, MAX_SMALL_BODY_BYTES, MIB
from spectronctl.server.service import documentation
from tests.support import serving
from tests.support.soak import SOAK
from tests.support.worlds import BODIES, World, fill_world, find_asker, list_operations

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak of a process anew"
)

OPERATIONS = list_operations(create_app(cast("Any", None)))

CONTEXT = "/api/v1/contexts/{context_id}"
PRINCIPAL = f"{CONTEXT}/principals/{{principal_id}}"
MEMBER = "/api/v1/{context_id}/principals/{principal_id}"
SESSION = "/api/v1/{context_id}/sessions/{session_id}"
SESSIONS = "/api/v1/{context_id}/sessions"
FACTS = "/api/v1/{context_id}/facts"

GIANTS = 100 if SOAK else 12
"""Turns of 7 MB in a session."""
HEAVY = 100 if SOAK else 12
"""Sessions that are asked for with 7 MB of metadata."""
UPLOADS = 50 if SOAK else 20
"""Bodies of 8 MB that come at once."""

LABELS = [f"key{at}={'v' * 100}" for at in range(64)]
SCOPES = [[f"org/{at}/{other}" for other in range(12)] for at in range(60)]
GRANTS = {verb: [f"org/{at}/{'a' * 100}/*" for at in range(64)] for verb in VERBS}
JUNK: list[Any] = [[]] * 200_000
"""Values that cost thirty times the bytes that they are sent as."""
CONFIG = {f"name{at}": ["x" * 10] for at in range(1_600)}
METADATA = {f"n{at}": at for at in range(2_400)}


@dataclass(frozen=True)
class Worst:
    """
    The worst that an operation accepts, and what it may cost: MB of memory, MB in the store, seconds.

    `fields` are added to a body that is in order.
    """

    fields: Callable[[], dict[str, Any]] = dict
    params: tuple[tuple[str, str], ...] = ()
    memory: int = 150
    store: float = 1
    seconds: float = 10


def fill(size: int, **fields: Any) -> dict[str, Any]:
    """The fields, and values that cost much, in a body of about that many bytes."""
    rest = size - len(json.dumps(fields)) - len(json.dumps(JUNK)) - 2_000
    return fields | {"junk": JUNK, "filler": "x" * max(0, rest)}


def fill_small(**fields: Any) -> Callable[[], dict[str, Any]]:
    return lambda: fill(MAX_SMALL_BODY_BYTES, **fields)


def say_much() -> dict[str, Any]:
    messages = [{"role": "user", "content": "word " * 150} for _ in range(10_000)]
    return {"messages": messages, "labels": LABELS, "session_id": None, "scope": SCOPES}


def name_much() -> dict[str, Any]:
    types = [f"type {at}" for at in range(200)]
    keys = {name: [f"{name} {at} {'x' * 50}" for at in range(450)] for name in types}
    return {"entity_types": types, "attribute_keys": keys, "relation_labels": []}


PAGE = (("limit", "500"),)

WORST = {
    "GET /": Worst(),
    **{f"GET {path}": Worst() for path in documentation.FILES},
    "GET /openapi.json": Worst(),
    "HEAD /openapi.json": Worst(),
    "GET /ready": Worst(),
    "GET /api/v1/health": Worst(),
    "GET /api/v1/ready": Worst(),
    "GET /api/v1/verbs": Worst(),
    "GET /api/v1/migrations": Worst(),
    "GET /api/v1/contexts": Worst(params=PAGE),
    f"GET {CONTEXT}": Worst(),
    f"POST {CONTEXT}": Worst(fill_small(config=CONFIG), store=3),
    f"PATCH {CONTEXT}": Worst(fill_small(config=CONFIG), store=3),
    f"DELETE {CONTEXT}": Worst(),
    f"GET {CONTEXT}/keys": Worst(params=PAGE),
    f"POST {CONTEXT}/keys": Worst(
        fill_small(scope_floor=[f"org/{'a' * 120}/{at}" for at in range(60)])
    ),
    f"POST {CONTEXT}/keys/{{key_id}}/rotate": Worst(),
    f"DELETE {CONTEXT}/keys/{{key_id}}": Worst(),
    "GET /api/v1/management-keys": Worst(params=PAGE),
    "POST /api/v1/management-keys": Worst(fill_small()),
    "POST /api/v1/management-keys/{management_key_id}/rotate": Worst(),
    "DELETE /api/v1/management-keys/{management_key_id}": Worst(params=(("force", "true"),)),
    "GET /api/v1/audit": Worst(params=PAGE),
    "GET /api/v1/{context_id}/audit": Worst(params=PAGE),
    "GET /api/v1/{context_id}/traces": Worst(params=PAGE),
    "GET /api/v1/{context_id}/traces/stats": Worst(),
    "GET /api/v1/{context_id}/traces/{trace_id}": Worst(),
    "GET /api/v1/{context_id}/keys": Worst(),
    "POST /api/v1/{context_id}/keys": Worst(fill_small(grants=None)),
    "POST /api/v1/{context_id}/keys/{key_name}/rotate": Worst(),
    "DELETE /api/v1/{context_id}/keys/{key_name}": Worst(),
    f"POST {CONTEXT}/access-tokens": Worst(fill_small()),
    f"POST {PRINCIPAL}/keys/{{key_name}}": Worst(fill_small()),
    f"GET {CONTEXT}/whocan": Worst(params=(("verb", "memory:read"), ("path", "a/" * 31 + "a"))),
    "GET /api/v1/{context_id}/scopes": Worst(),
    "POST /api/v1/{context_id}/scopes": Worst(fill_small(path="a/" * 31 + "a")),
    "DELETE /api/v1/{context_id}/scopes": Worst(params=(("path", "org/acme/spare"),)),
    "GET /api/v1/{context_id}/scopes/forget": Worst(params=(("path", "org/acme"),)),
    "POST /api/v1/{context_id}/scopes/forget": Worst(fill_small(path="org/new")),
    f"GET {CONTEXT}/principals": Worst(params=PAGE),
    f"POST {CONTEXT}/principals": Worst(fill_small(grants=GRANTS)),
    f"GET {PRINCIPAL}": Worst(),
    f"PATCH {PRINCIPAL}": Worst(fill_small(grants=GRANTS)),
    f"DELETE {PRINCIPAL}": Worst(),
    f"PUT {PRINCIPAL}/grants": Worst(fill_small(grants=GRANTS)),
    "GET /api/v1/{context_id}/principals": Worst(),
    f"GET {MEMBER}": Worst(),
    f"POST {MEMBER}/grants": Worst(fill_small()),
    f"DELETE {MEMBER}/grants": Worst(fill_small()),
    f"GET {MEMBER}/effective": Worst(params=(("path", "a/" * 31 + "a"),)),
    f"GET {CONTEXT}/ontology": Worst(),
    f"PUT {CONTEXT}/ontology": Worst(name_much, memory=600, store=60, seconds=30),
    f"DELETE {CONTEXT}/ontology": Worst(store=60),
    f"POST {CONTEXT}/lifecycle/decay": Worst(),
    f"POST {CONTEXT}/lifecycle/reindex": Worst(),
    f"GET {CONTEXT}/lifecycle/jobs": Worst(params=PAGE),
    f"GET {CONTEXT}/lifecycle/jobs/{{job_id}}": Worst(),
    f"DELETE {CONTEXT}/lifecycle/jobs/{{job_id}}": Worst(),
    "GET /api/v1/{context_id}/me": Worst(),
    f"GET {SESSIONS}": Worst(params=PAGE),
    f"POST {SESSIONS}": Worst(fill_small(metadata=METADATA, scopes=SCOPES)),
    f"GET {SESSION}": Worst(),
    f"DELETE {SESSION}": Worst(),
    f"GET {SESSION}/turns": Worst(params=PAGE, memory=250, seconds=60),
    f"GET {SESSION}/context": Worst(params=(("query", "word"),), memory=250, seconds=30),
    f"POST {SESSION}/context": Worst(fill_small(query="word " * 60_000), memory=250, seconds=30),
    f"POST {FACTS}": Worst(
        fill_small(text="word " * (MAX_FACT_BYTES // 5), labels=LABELS, scopes=SCOPES), store=8
    ),
    f"POST {FACTS}/batch": Worst(say_much, memory=600, store=60, seconds=30),
    "POST /api/v1/{context_id}/query": Worst(fill_small(query="word " * 2_000)),
    "POST /api/v1/{context_id}/lifecycle/decay": Worst(),
    "POST /api/v1/{context_id}/lifecycle/expire": Worst(),
    "GET /api/v1/{context_id}/lifecycle/expire": Worst(),
    "POST /api/v1/{context_id}/fsck": Worst(fill_small()),
}


@dataclass
class Cost:
    """MB of memory, MB in the store, seconds."""

    memory: float = 0
    store: float = 0
    seconds: float = 0


class Target:
    """A server in a process of its own, whose cost is looked at from outside."""

    def __init__(self, served: serving.Served, store: Path) -> None:
        self.served = served
        self._proc = Path(f"/proc/{served.process.pid}")
        self._store = store
        self._numbers = count(1)
        self.ids: dict[str, str] = {}
        self.secrets = {"management": served.key}

    def run(self, step: Callable[[World], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with httpx.AsyncClient(base_url=self.served.url, timeout=120) as client:
                absent = cast("Any", None)  # the store is in the other process
                return await step(World(absent, client, self.secrets, self.ids, self._numbers))

        return asyncio.run(main())

    def measure(self, step: Callable[[World], Awaitable[Any]]) -> tuple[Any, Cost]:
        (self._proc / "clear_refs").write_text("5")
        before, stored, started = self._read("VmRSS"), self._count_stored(), time.perf_counter()
        result = self.run(step)
        seconds = time.perf_counter() - started
        memory = self._read("VmHWM") - before
        return result, Cost(memory, self._count_stored() - stored, seconds)

    def _read(self, name: str) -> float:
        status = (self._proc / "status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) / 1024

    def _count_stored(self) -> float:
        return sum(each.stat().st_size for each in self._store.rglob("*") if each.is_file()) / MIB


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp("amplified")
    served = serving.start(directory, f"surrealkv://{directory / 'store'}")
    target = Target(served, directory / "store")

    async def prepare(world: World) -> None:
        await fill_world(world)
        target.ids = world.ids | {"session_id": await open_giant(world)}

    target.run(prepare)
    yield target
    assert served.process.poll() is None, "the server is gone"
    served.stop()


async def open_giant(world: World) -> str:
    """A session of long turns, with as much around it as the server takes."""
    made = await world.make(f"POST {SESSIONS}", world.ids)
    ids = {"context_id": "acme"}
    for _ in range(GIANTS):
        messages = [{"role": "user", "content": "word " * (7 * MIB // 5)}]
        await world.make(
            f"POST {FACTS}/batch", ids, messages=messages, session_id=made["id"], scope=None
        )
    for _ in range(HEAVY):
        body = {"metadata": {"n": "x" * 7 * MIB}}
        answer = await world.ask(f"POST {SESSIONS}", ids, json=body)
        assert answer.status_code in (201, 413)
    for _ in range(40):
        await world.make(f"POST {SESSIONS}", ids, metadata={"n": "x" * 65_000})
    return str(made["id"])


def test_every_route_has_its_row() -> None:
    assert sorted(WORST) == sorted(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_costs_no_more_than_its_row_says(target: Target, operation: str) -> None:
    worst = WORST[operation]

    ids, body = target.run(lambda world: world.prepare(operation))
    given: dict[str, Any] = {"params": dict(worst.params) or None}
    if operation in BODIES:
        given["content"] = json.dumps(body | worst.fields())
        key = target.secrets[find_asker(operation)]
        given["headers"] = {"API-KEY": key, "Content-Type": "application/json"}
        assert len(given["content"]) <= MAX_BODY_BYTES

    async def ask(world: World) -> int:
        answer = await world.ask(operation, ids, json=None, **given)
        return answer.status_code

    status, cost = target.measure(ask)
    print(operation, status, cost, file=sys.stderr)
    assert status < 300 or status == 307
    check(cost, worst)


def check(cost: Cost, worst: Worst) -> None:
    assert cost.memory <= worst.memory, cost
    assert cost.store <= worst.store, cost
    assert cost.seconds <= worst.seconds, cost


def make_repeated_labels() -> Any:
    messages = [{"role": "user", "content": ""}] * 5_000
    labels = [f"k{at}={'v' * 2_200}" for at in range(64)]
    return {"infer": "none", "messages": messages, "labels": labels}


def make_many_scopes() -> Any:
    return {"scopes": [[f"{at}/{'a/' * 600}{other}" for other in range(64)] for at in range(64)]}


REFUSED = {
    "288 KB of labels for 5,000 messages": (f"POST {FACTS}/batch", make_repeated_labels),
    "5 MB of scopes": (f"POST {SESSIONS}", make_many_scopes),
    "400,000 names": (
        f"POST {SESSIONS}",
        lambda: {"metadata": {f"{at:x}": 0 for at in range(400_000)}},
    ),
    "a long name over many values": (
        f"POST {SESSIONS}",
        lambda: {"metadata": {"n" * 500_000: [0] * 100_000}},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_cost_too_much_is_refused(target: Target, name: str) -> None:
    operation, make = REFUSED[name]
    body = make()

    async def ask(world: World) -> int:
        ids = {"context_id": "acme"}
        return (await world.ask(operation, ids, json=body)).status_code

    status, cost = target.measure(ask)
    print(name, status, cost, file=sys.stderr)
    check(cost, Worst())
    assert status in (400, 413)


def test_each_fact_of_a_tagged_session_is_small(target: Target) -> None:
    async def remember(world: World) -> None:
        ids = {"context_id": "acme"}
        made = await world.make(f"POST {SESSIONS}", ids, scopes=SCOPES)
        for _ in range(10):
            await world.make(f"POST {FACTS}", ids, text="x", scopes=None, session_id=made["id"])

    _, cost = target.measure(remember)
    print(cost, file=sys.stderr)
    check(cost, Worst(store=5))


def test_many_large_uploads_at_once_share_the_memory(target: Target) -> None:
    messages = [{"role": "user", "content": "word " * (MAX_BODY_BYTES // 5 - 100)}]
    content = json.dumps({"infer": "none", "messages": messages}).encode()
    headers = {"API-KEY": target.served.key, "Content-Type": "application/json"}
    small: list[float] = []

    async def upload(world: World) -> list[int]:
        path = f"{FACTS}/batch".format(context_id="acme")

        async def send() -> int:
            return (await world.client.post(path, content=content, headers=headers)).status_code

        uploads = [asyncio.create_task(send()) for _ in range(UPLOADS)]
        while not all(each.done() for each in uploads):
            started = time.perf_counter()
            await world.make(f"POST {FACTS}", {"context_id": "acme"}, text="small")
            small.append(time.perf_counter() - started)
            await asyncio.sleep(0.05)
        return [each.result() for each in uploads]

    statuses, cost = target.measure(upload)
    print(statuses, cost, max(small), file=sys.stderr)
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 4
    assert max(small) < 10
    check(cost, Worst(memory=900, store=UPLOADS * 12, seconds=120))


def test_many_readers_of_long_turns_share_the_memory(target: Target) -> None:
    async def read(world: World) -> list[int]:
        path = f"{SESSION}/turns".format(**target.ids)
        headers = {"API-KEY": target.served.key}

        async def get() -> int:
            return (await world.client.get(path, params={"limit": 2}, headers=headers)).status_code

        return list(await asyncio.gather(*(get() for _ in range(UPLOADS))))

    statuses, cost = target.measure(read)
    print(cost, file=sys.stderr)
    assert set(statuses) == {200}
    check(cost, Worst(memory=900, seconds=120))

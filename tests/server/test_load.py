"""Many requests: two thousand at once, and a hundred thousand in a row, on a server in a process of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from tests.support import serving
from tests.support.serving import Served
from tests.support.soak import SOAK
from tests.support.wire import Response, Wire

AT_ONCE = 2_000 if SOAK else 300
IN_A_ROW = 100_000 if SOAK else 1_200

CONTEXT = "/api/v1/contexts/acme"
PLANE = "/api/v1/acme"
Call = tuple[str, str, Any]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = serving.start(tmp_path, f"surrealkv://{tmp_path}/store", worker=False)
    yield served
    if served.process.poll() is None:
        served.process.kill()
    served.process.communicate()


def open_wire(served: Served) -> Wire:
    return Wire(int(served.url.rpartition(":")[2]), {"API-KEY": served.key})


@asynccontextmanager
async def open_wires(served: Served, count: int) -> AsyncIterator[list[Wire]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_wire(served)) for _ in range(count)]


async def make_context(wire: Wire) -> None:
    made = await wire.ask("POST", CONTEXT, {"namespace": "acme", "database": "prod"})
    assert made.status == 201


def list_calls(count: int) -> list[Call]:
    """Writes of every kind, each with a name of its own, and reads between them."""
    kinds = cycle(("fact", "session", "key", "read", "fact", "batch", "config", "read"))
    calls: list[Call] = []
    for number, kind in enumerate(islice(kinds, count)):
        name = f"{kind}-{number}"
        said = {"role": "user", "content": name}
        calls.append(
            {
                "fact": ("POST", f"{PLANE}/facts", {"text": name, "infer": "none"}),
                "session": ("POST", f"{PLANE}/sessions", {"metadata": name}),
                "key": ("POST", f"{CONTEXT}/keys", {"name": name}),
                "batch": ("POST", f"{PLANE}/facts/batch", {"infer": "none", "messages": [said]}),
                "config": ("PATCH", CONTEXT, {"config": {name: True}}),
                "read": ("GET", f"{PLANE}/sessions?limit=5", None),
            }[kind]
        )
    return calls


async def ask_at_once(served: Served, calls: list[Call]) -> list[Response]:
    """Each on a connection of its own, all open at the same time."""
    async with open_wires(served, len(calls)) as wires:
        pairs = zip(wires, calls, strict=True)
        return await asyncio.gather(*(wire.ask(*call) for wire, call in pairs))


async def read_all(wire: Wire, path: str, name: str) -> list[Any]:
    """Everything in a list, page by page."""
    found: list[Any] = []
    query = "?limit=500"
    while True:
        page = (await wire.ask("GET", path + query)).json
        found += page[name]
        cursor = page.get("next_cursor") or page.get("nextCursor")
        if not cursor:
            return found
        query = f"?limit=500&cursor={cursor}"


async def count_kept(wire: Wire) -> Counter[str]:
    """How often each name is there now, wherever it was written to."""
    sessions = await read_all(wire, f"{PLANE}/sessions", "sessions")
    found = Counter(each["metadata"] for each in sessions if each["metadata"])
    for session in sessions:
        page = await wire.ask("GET", f"{PLANE}/sessions/{session['id']}/turns")
        found.update(turn["content"] for turn in page.json["turns"])
    found.update(each["name"] for each in await read_all(wire, f"{CONTEXT}/keys", "keys"))
    found.update((await wire.ask("GET", CONTEXT)).json["config"])
    return found


def name_of(call: Call) -> str | None:
    """What the call writes down, None for a read."""
    _, _, body = call
    match body:
        case {"text": str(name)} | {"metadata": str(name)} | {"name": str(name)}:
            return name
        case {"messages": [{"content": str(name)}]}:
            return name
        case {"config": dict(config)}:
            return str(next(iter(config)))
    return None


@pytest.mark.timeout(600)
def test_of_many_writes_at_once_none_is_lost_or_done_twice(
    served: Served, record_property: Any
) -> None:
    async def run() -> None:
        async with open_wire(served) as wire:
            await make_context(wire)
        calls = list_calls(AT_ONCE)
        answers = await ask_at_once(served, calls)
        statuses = Counter(answer.status for answer in answers)
        assert statuses.keys() <= {200, 201}, statuses
        async with open_wire(served) as wire:  # the first one has been idle for too long perhaps
            wanted = Counter(name for call in calls if (name := name_of(call)))
            assert len(wanted) > AT_ONCE * 0.7
            assert await count_kept(wire) == wanted
        record_property("figures", f"{AT_ONCE} requests at once: {dict(statuses)}")

    asyncio.run(run())
    code, _, log = served.stop()
    assert code == 0
    assert "Traceback" not in log


@pytest.mark.timeout(600)
def test_the_same_write_many_times_at_once_is_done_once(served: Served) -> None:
    async def run() -> None:
        wire = open_wire(served)
        await make_context(wire)
        wires = [open_wire(served) for _ in range(AT_ONCE // 3)]
        body = {"text": "once", "infer": "none"}
        asking = [
            each.ask("POST", f"{PLANE}/facts", body, **{"Idempotency-Key": "one"}) for each in wires
        ]
        answers = await asyncio.gather(*asking)
        for each in wires:
            await each.close()
        assert {answer.status for answer in answers} <= {200, 409}
        assert len({answer.body for answer in answers if answer.status == 200}) == 1
        counting = open_wire(served)  # the first has been idle for long
        assert await count_kept(counting) == {"once": 1}
        for each in (wire, counting):
            await each.close()

    asyncio.run(run())


def read_memory(served: Served) -> float:
    """MiB that the process has in memory."""
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


EACH_ROUND = [201, 200, 200, 200, 200, 204, 404, 200, 200, 200, 401, 400]


async def wear(wire: Wire, rounds: int, agent: str) -> Counter[int]:
    """Twelve requests a round, of all kinds; what a round writes it takes away again."""
    seen: Counter[int] = Counter()
    for number in range(rounds):
        made = await wire.ask("POST", f"{PLANE}/sessions", {"metadata": {"note": "x" * 200}})
        session = f"{PLANE}/sessions/{made.json['id']}"
        said = {"text": f"tea {number}", "infer": "none", "session_id": made.json["id"]}
        answers = [
            made,
            await wire.ask("POST", f"{PLANE}/facts", said),
            await wire.ask("GET", f"{session}/turns"),
            await wire.ask("POST", f"{session}/context", {"query": "tea"}),
            await wire.ask("POST", f"{PLANE}/query", {"query": f"tea {number}"}),
            await wire.ask("DELETE", session),
            await wire.ask("GET", session),
            await wire.ask("GET", "/api/v1/contexts"),
            await wire.ask("PATCH", CONTEXT, {"config": {"note": number}}),
            await wire.ask("GET", f"{PLANE}/me", **{"API-KEY": agent}),
            await wire.ask("GET", f"{PLANE}/me", **{"API-KEY": f"sk-unknown-{number}"}),
            await wire.ask("POST", f"{PLANE}/facts", b"{", **{"X-Request-Id": f"id-{number}"}),
        ]
        seen.update(answer.status for answer in answers)
    return seen


def measure_store(directory: Path) -> float:
    """MiB of the store's files; the engine keeps in memory what its log holds, until there is enough for a table."""
    return sum(each.stat().st_size for each in directory.rglob("*") if each.is_file()) / 1024**2


@pytest.mark.timeout(2_400)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_memory_stays_flat(served: Served, tmp_path: Path, record_property: Any) -> None:
    """But for the rows that the engine has not yet put on disk: those are its, and their size is known."""
    memory: list[float] = []
    stored: list[float] = []

    async def run() -> None:
        rounds = IN_A_ROW // len(EACH_ROUND) // 80
        async with open_wires(served, 8) as wires:
            await make_context(wires[0])
            key = (await wires[0].ask("POST", f"{CONTEXT}/keys", {"name": "app"})).json["secret"]
            for _ in range(10):
                seen = await asyncio.gather(*(wear(wire, rounds, key) for wire in wires))
                assert all(each == Counter(EACH_ROUND * rounds) for each in seen), seen
                memory.append(read_memory(served))
                stored.append(measure_store(tmp_path / "store"))

    asyncio.run(run())
    shown = [f"{one:.0f} ({other:.0f})" for one, other in zip(memory, stored, strict=True)]
    record_property("figures", f"{IN_A_ROW} requests, MiB (of them stored): {', '.join(shown)}")
    # Of the second half: whatever is used for the first time takes memory once.
    assert memory[-1] - memory[4] - (stored[-1] - stored[4]) < (20 if SOAK else 3)

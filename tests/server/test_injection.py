"""Whatever is written into a path, a query, a header or a body stays text: nothing else in the store moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI

from tests.support.soak import SOAK
from tests.support.wire import Response, Wire
from tests.support.worlds import BODIES, QUERIES, UNKNOWN, World, dump_store, list_operations

pytestmark = pytest.mark.anyio

EVERY, OFTEN = (1, 1) if SOAK else (20, 8)
"""Of the hostile texts each place gets every so manieth, beginning elsewhere each time; parameters get more."""

_WORDS = """
.. . %2e%2e ..%2fbeta %2e%2e%2fbeta ..%5cbeta ..\\beta ../beta ../../beta %252e%252e%252fbeta %00 acme%00 acme%00beta
%0a acme%0d%0aX:y \uff0e\uff0e\uff0fbeta %ef%bc%8fbeta %c0%af %c0%ae%c0%ae %ff%fe %ed%a0%80 acme;beta acme;x=y
acme#beta none?beta none?context_id=beta acme%23beta acme%3fbeta acme%3bbeta acme&context_id=beta acme%20 %20acme ACME
acme. acme/ /acme //beta acme,beta * %2a % %zz %2 acme'-- `beta` \u27e8beta\u27e9 context:beta $auth $context_id
session:%E2%9F%A8x%E2%9F%A9 [beta] %27%20OR%20true%3b session:* session:01ARZ3NDEKTSV4RRFFQ69G5FAV.. key_%d%s%n
{context_id} __proto__ constructor null undefined -1 0 1e9 true contexts health ready verbs migrations keys sessions
lifecycle
"""

NAMES = [*_WORDS.split(), "acme beta", "a" * 300, "a" * 20_000]
"""In place of a name in a path, as they go over the wire; one with `?` ends the path there."""

LONE = "\ud800"
"""Half of a surrogate pair: JSON can hold it, and UTF-8 cannot."""

TEXTS = [
    "'; REMOVE TABLE session; --",
    '"; REMOVE DATABASE acme; --',
    "`; REMOVE TABLE `session`; `",
    "x'} ; DELETE session; {",
    "}); REMOVE NAMESPACE worlds; (",
    "; USE NS spectron DB metadata; DELETE context;",
    "\u27e8session\u27e9",
    "\u27e9; REMOVE TABLE session; \u27e8",
    "type::thing('context',['beta'])",
    "type::record('context:beta')",
    "context:beta",
    "context:['beta']",
    "r'context:beta'",
    "d'2020-01-01T00:00:00Z'",
    "$auth",
    "$context_id",
    "$parent.id",
    "{ }",
    '{"$ne": null}',
    "|table:1|",
    "<future> { DELETE session }",
    "<script>alert(1)</script>",
    "function() { return 1 }",
    "http::get('http://127.0.0.1:1')",
    "../../beta",
    "/* */ OR true",
    "OR 1=1 --",
    "' OR ''='",
    "\\'; DELETE session; --",
    "%27%3B",
    "NONE",
    "NULL",
    "true",
    "{{7*7}}${7*7}",
    "%(x)s%n{0}",
    "\x00",
    "a\x00b",
    "\r\nX: y",
    "\x1b[31m",
    "\u202e",
    "\ufeff",
    LONE,
    "\udfff x",
    "\U0010ffff",
    "e\u0301",
    "\u212a",
    " ",
    "",
    "x" * 10_000,
]
"""In place of a string in a body, a query or a header."""

HEADERS = ("Idempotency-Key", "If-Match", "X-Memory-On-Behalf-Of", "X-Request-Id")
"""Those that the server reads; neither a NUL nor an end of a line can stand in them."""

UNSEEN = {"admin_external_id", "admin_display_name", "providers", "labels"}
"""Fields that no answer shows."""

SHOWN_BY = {
    "POST /api/v1/contexts/{context_id}": "GET /api/v1/contexts/{context_id}",
    "PATCH /api/v1/contexts/{context_id}": "GET /api/v1/contexts/{context_id}",
    "POST /api/v1/contexts/{context_id}/keys": "GET /api/v1/contexts/{context_id}/keys",
    "POST /api/v1/contexts/{context_id}/principals": "GET /api/v1/contexts/{context_id}/principals",
    "PATCH /api/v1/contexts/{context_id}/principals/{principal_id}": (
        "GET /api/v1/contexts/{context_id}/principals/{principal_id}"
    ),
    "PUT /api/v1/contexts/{context_id}/principals/{principal_id}/grants": (
        "GET /api/v1/contexts/{context_id}/principals/{principal_id}"
    ),
    "POST /api/v1/{context_id}/principals/{principal_id}/grants": (
        "GET /api/v1/{context_id}/principals/{principal_id}"
    ),
    "PUT /api/v1/contexts/{context_id}/ontology": "GET /api/v1/contexts/{context_id}/ontology",
    "POST /api/v1/{context_id}/sessions": "GET /api/v1/{context_id}/sessions/{session_id}",
    "POST /api/v1/{context_id}/facts": "GET /api/v1/{context_id}/sessions/{session_id}/turns",
    "POST /api/v1/{context_id}/facts/batch": "GET /api/v1/{context_id}/sessions/{session_id}/turns",
}


async def test_no_name_in_a_path_reaches_anything_else(
    app: FastAPI, world: World, wire: Wire
) -> None:
    """Each is refused, for an operator and for a member, and not a single row changes."""
    bodies = BODIES | {
        # A binding that is taken: names that a context may have are refused here too.
        "POST /api/v1/contexts/{context_id}": {"namespace": "worlds", "database": "acme"},
        # So are names that a key may have.
        "POST /api/v1/contexts/{context_id}/principals/{principal_id}/keys/{key_name}": {
            "grants": 7
        },
    }
    before = await dump_store(world.store)
    wrong, cases = [], 0
    for number, (operation, name, key) in enumerate(list_names(app, world)):
        method, path = operation.split()
        wire.headers = {"API-KEY": world.secrets[key]}
        for text in NAMES[number % EVERY :: EVERY]:
            target = path.format(**world.ids | {name: text})
            answer = await wire.ask(method, target.encode(), bodies.get(operation))
            cases += 1
            if not 400 <= answer.status < 500:
                wrong.append((answer.status, key, method, target[:120]))
    assert wrong == []
    assert before == await dump_store(world.store)
    assert cases > 70 * (len(NAMES) // EVERY)


async def test_no_string_in_a_body_is_more_than_a_string(world: World, wire: Wire) -> None:
    """It is refused, or it comes back as it was given; what others have, and the tables, stay as they were."""
    before = await dump_store(world.store)
    wrong, cases, kept = [], 0, 0
    for number, (operation, place) in enumerate(list_places()):
        for text in (*TEXTS[number % EVERY :: EVERY], LONE):
            ids, body = await world.prepare(operation)
            if place == ("session_id",):
                body = body | {"session_id": text}
            method, path = operation.split()
            answer = await wire.ask(method, path.format(**ids), put(body, place, text))
            cases += 1
            if not 200 <= answer.status < 500:
                wrong.append((answer.status, operation, place, text[:40]))
            elif answer.status < 300 and operation in SHOWN_BY and not UNSEEN & {*place}:
                kept += 1
                shown = await show(wire, operation, ids, answer)
                if text not in {*list_words(shown)}:
                    wrong.append((answer.status, operation, place, text[:40]))
            if operation == "POST /api/v1/contexts/{context_id}" and answer.status == 201:
                await world.ask("DELETE /api/v1/contexts/{context_id}", ids)
    assert wrong == []
    assert_nothing_lost(before, await dump_store(world.store))
    assert cases > 40 * (len(TEXTS) // EVERY)
    assert kept > 10 * (len(TEXTS) // EVERY)


async def test_no_parameter_is_more_than_a_string(app: FastAPI, world: World, wire: Wire) -> None:
    # Of a management key that is not there: some texts mean yes, and that one would be revoked.
    ids = world.ids | {"management_key_id": UNKNOWN["management_key_id"]}
    before = await dump_store(world.store)
    wrong, met = [], set()
    for number, (operation, name) in enumerate(list_parameters(app)):
        method, path = operation.split()
        for text in (*TEXTS[number % OFTEN :: OFTEN], LONE):
            said = quote(text, safe="", errors="surrogatepass")
            answer = await wire.ask(method, f"{path.format(**ids)}?{name}={said}")
            met.add(text)
            if not 200 <= answer.status < 500:
                wrong.append((answer.status, operation, name, text[:40]))
    assert wrong == []
    assert before == await dump_store(world.store)
    assert met == set(TEXTS)


async def test_no_header_is_more_than_a_string(app: FastAPI, world: World, wire: Wire) -> None:
    before = await dump_store(world.store)
    wrong, met = [], set()
    reads = [each for each in list_operations(app) if each.startswith("GET ")]
    for number, operation in enumerate(reads):
        method, path = operation.split()
        for text in TEXTS[number % EVERY :: EVERY]:
            plain = text.encode("utf-8", "replace").decode("latin-1").replace("\r\n", " ")
            given = dict.fromkeys(HEADERS, plain.replace("\x00", ""))
            answer = await wire.ask(method, path.format(**world.ids), **given)
            met.add(text)
            if not 200 <= answer.status < 500:
                wrong.append((answer.status, operation, text[:40]))
    assert wrong == []
    assert before == await dump_store(world.store)
    assert met == set(TEXTS)


def list_parameters(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every parameter of every query, by its operation."""
    for operation in list_operations(app):
        for name in QUERIES.get(operation, ()):
            yield operation, name


def list_names(app: FastAPI, world: World) -> Iterator[tuple[str, str, str]]:
    """Every name in every path, by its operation, and whose key is used."""
    for key in ("management", "supervisor"):
        for operation in list_operations(app):
            for name in world.ids:
                if f"{{{name}}}" in operation:
                    yield operation, name, key


def list_places() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every string of every body, by its operation and its path in the body."""
    for operation, body in BODIES.items():
        for place in _list_strings(body):
            yield operation, place
        if "session_id" in body:
            yield operation, ("session_id",)


def _list_strings(body: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(body, str):
        yield place
    elif isinstance(body, dict | list):
        for at, value in body.items() if isinstance(body, dict) else enumerate(body):
            yield from _list_strings(value, (*place, at))
    if len(place) > 1 and isinstance(place[-1], str) and place[0] != "messages":
        yield (*place[:-1], _Name(place[-1]))


class _Name(str):
    """A place that is a field's name instead of its value."""

    __slots__ = ()


def put(body: Any, place: tuple[Any, ...], text: str) -> Any:
    """The body with that text in that place."""
    if not place:
        return text
    first, *rest = place
    if isinstance(body, list):
        return [
            put(each, tuple(rest), text) if at == first else each for at, each in enumerate(body)
        ]
    if isinstance(first, _Name):
        return {text if name == first else name: value for name, value in body.items()}
    return {
        name: put(each, tuple(rest), text) if name == first else each for name, each in body.items()
    }


async def show(wire: Wire, operation: str, ids: dict[str, str], answer: Response) -> Any:
    """What was written, read anew."""
    made = answer.json
    session_id = made.get("sessionId") or made.get("id")
    method, path = SHOWN_BY[operation].split()
    target = path.format(**ids | {"session_id": session_id})
    if path.endswith("/turns"):  # the session's tags are its own
        return [(await wire.ask(method, each)).json for each in (target, target[:-6])]
    return (await wire.ask(method, f"{target}?limit=500")).json


def list_words(value: Any) -> Iterator[str]:
    """All strings in it, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from list_words(each)
    elif isinstance(value, list):
        for each in value:
            yield from list_words(each)


def assert_nothing_lost(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Another context is as it was; the one written to has all it had, but for what was replaced as a whole."""
    for place, content in before.items():
        if isinstance(content, dict) or place.startswith("worlds/beta"):
            assert after[place] == content, place
        elif place not in {
            f"worlds/acme/{name}" for name in ("ontology", "session", "scope_count")
        }:
            mine = [row for row in content if "'context_id': 'acme', 'created_at'" not in row]
            assert [row for row in mine if row not in after[place]] == [], place
    contexts = "spectron/metadata/context"
    assert len(after[contexts]) == len(before[contexts])

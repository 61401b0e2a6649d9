"""What `/openapi.json` says of bodies is what the server enforces: just within is taken, just beyond is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.app import create_app, lifespan
from spectronctl.server.database.database import Database
from tests.support.conversations import FACTS, PLANE, SESSIONS, Connect, open_session

pytestmark = pytest.mark.anyio

Schema = dict[str, Any]
REFUSED = {400, 422}
ALWAYS: dict[str, Any] = {
    "FactBody": {"infer": "none"},
    "BatchBody": {"infer": "none"},
    "OntologyBody": {"entity_types": [f"n{number}" for number in range(10_000)]},
}
"""What every request to an operation has, so that it is refused for nothing else."""
NAMED_WHOLE = {"scopes", "scope", "lens", "scope_floor", "grants"}
"""Fields of several spellings: what is wrong in one is wrong with all of it."""
EXPECTED = {
    "AccessTokenBody",
    "BatchBody",
    "ContextBody",
    "ContextPatchBody",
    "FactBody",
    "ForgetScopeBody",
    "FsckBody",
    "GrantBody",
    "GrantsBody",
    "KeyBody",
    "ManagementKeyBody",
    "MintBody",
    "OntologyBody",
    "PrincipalKeyBody",
    "PrincipalBody",
    "PrincipalPatchBody",
    "QueryBody",
    "ScopeBody",
    "SessionBody",
    "SessionQueryBody",
}
OF_EVERY_TYPE = [7, True, "x", 1.5, [], {}, None]
ANY_TEXT = ["", " ", "=", "_a=b", "/", "a b", "x"]


@pytest.fixture
async def app(store: Database) -> Any:
    """Bodies are as large as in earnest."""
    app = create_app(store)
    async with lifespan(app):
        yield app


class Shapes:
    """The schemas of an OpenAPI document, with their references followed."""

    def __init__(self, api: dict[str, Any]) -> None:
        self.all = api["components"]["schemas"]

    def follow(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.all[schema["$ref"].rpartition("/")[2]]
        return schema

    def list_kinds(self, schema: Schema) -> list[Schema]:
        """What a value may be: one schema of each kind."""
        schema = self.follow(schema)
        if "anyOf" in schema:
            return [kind for each in schema["anyOf"] for kind in self.list_kinds(each)]
        return [schema]

    def make(self, schema: Schema) -> Any:
        """A small value that is right."""
        schema = self.follow(schema)
        first = self.list_kinds(schema)[0]
        if "examples" in first:
            return first["examples"][0]
        if "enum" in first:
            return first["enum"][0]
        match first.get("type"):
            case "integer" | "number":
                return first.get("minimum", first.get("maximum", 1))
            case "boolean":
                return True
            case "array":
                return [self.make(first["items"]) for _ in range(first.get("minItems", 0))]
            case "object":
                required = first.get("required", [])
                return {name: self.make(first["properties"][name]) for name in required}
            case "string" if first.get("format") == "date-time":
                return "2026-01-15T10:00:00Z"
            case "string":
                return self.make_text(first)
            case _:
                return {}

    def make_text(self, schema: Schema) -> str:
        candidates: list[str] = [*schema.get("examples", ()), "x", "a=b", "a/b"]
        return next(each for each in candidates if re.search(schema.get("pattern", ""), each))

    def list_good(self, schema: Schema) -> Iterator[Any]:
        """Values at the bounds, and every word that may be one."""
        schema = self.follow(schema)
        for kind in self.list_kinds(schema):
            yield from kind.get("enum", ())
            yield from (kind[bound] for bound in ("minimum", "maximum") if bound in kind)
            if kind.get("type") == "null":
                yield None
            if "minLength" in kind or "maxLength" in kind:
                start = self.make_text(kind)
                yield start + "a" * (kind.get("maxLength", 0) - len(start))
            if "maxItems" in kind:
                yield self.make_many(kind, kind["maxItems"])
            if "maxProperties" in kind:
                yield self.make_map(kind, kind["maxProperties"])

    def list_bad(self, schema: Schema) -> Iterator[Any]:
        """Values just beyond a bound, and those of another type."""
        kinds = self.list_kinds(schema)
        texts = [kind for kind in kinds if kind.get("type") == "string"]
        others = [kind for kind in kinds if kind.get("type") in {"array", "object"}]
        for kind in kinds:
            if kind.get("type") in {"integer", "number"}:
                yield from self.list_bad_numbers(kind)
            elif kind in texts and not others:
                yield from self.list_bad_texts(kind)
            elif kind in others:
                yield from self.list_bad_sizes(kind)
        if all(kind.get("type") for kind in kinds):
            yield from (value for value in OF_EVERY_TYPE if not self.is_of(value, kinds))

    def list_bad_sizes(self, kind: Schema) -> Iterator[Any]:
        if kind.get("minItems"):
            yield []
        if "maxItems" in kind:
            yield self.make_many(kind, kind["maxItems"] + 1)
        if kind.get("minProperties"):
            yield {}
        if "maxProperties" in kind:
            yield self.make_map(kind, kind["maxProperties"] + 1)
        if "propertyNames" in kind:
            value = self.make(kind["additionalProperties"])
            names = self.list_bad_texts(kind["propertyNames"])
            yield from ({name: value} for name in names)

    def list_bad_numbers(self, kind: Schema) -> Iterator[Any]:
        if "minimum" in kind:
            yield kind["minimum"] - 1
        if "maximum" in kind:
            yield kind["maximum"] + 1
        yield from (kind[bound] for bound in ("exclusiveMinimum",) if bound in kind)

    def list_bad_texts(self, kind: Schema) -> Iterator[Any]:
        if "enum" in kind:
            yield from (f"{word}x" for word in kind["enum"])
        if kind.get("minLength"):
            yield ""
        if "maxLength" in kind:
            start = self.make_text(kind)
            yield start + "a" * (kind["maxLength"] + 1 - len(start))
        if "pattern" in kind:
            yield from (text for text in ANY_TEXT if not re.search(kind["pattern"], text))
        if kind.get("format") == "date-time":
            yield from ("2026-01-15", "2026-01-15T10:00:00", "now")

    def make_many(self, kind: Schema, count: int) -> list[Any]:
        item = self.make(kind["items"])
        is_name = isinstance(item, str) and not {"pattern", "enum"} & kind["items"].keys()
        return [f"{item}{n}" if is_name else item for n in range(count)]

    def make_map(self, kind: Schema, count: int) -> dict[str, Any]:
        return {f"n{n}": self.make(kind["additionalProperties"]) for n in range(count)}

    def is_of(self, value: Any, kinds: list[Schema]) -> bool:
        types = {kind["type"] for kind in kinds}
        match value:
            case None:
                return "null" in types
            case bool():
                return "boolean" in types
            case int():
                return bool({"integer", "number"} & types)
            case float():
                return "number" in types
            case str():
                return "string" in types
            case list():
                return "array" in types
            case _:
                return "object" in types

    def list_places(self, schema: Schema, place: tuple[Any, ...] = ()) -> Iterator[Any]:
        """Every field at any depth: its path, and its schema."""
        for kind in self.list_kinds(schema):
            for name, field in kind.get("properties", {}).items():
                yield (*place, name), field
                yield from self.list_places(field, (*place, name))
            if isinstance(items := kind.get("items"), dict):
                yield from [((*place, 0), items)] if "anyOf" not in items else []
                yield from self.list_places(items, (*place, 0))
            if isinstance(values := kind.get("additionalProperties"), dict):
                yield (*place, self.find_key(kind)), values

    def find_key(self, kind: Schema) -> str:
        names = kind.get("propertyNames", {})
        return str(names["enum"][0]) if "enum" in names else "n0"


def put(body: Any, place: tuple[Any, ...], value: Any, shapes: Shapes, schema: Schema) -> Any:
    """The body with that value at that place; what lies around it is made where it is missing."""
    if not place:
        return value
    first, *rest = place
    kinds = shapes.list_kinds(schema)
    if isinstance(first, int):
        (kind,) = [kind for kind in kinds if kind.get("type") == "array"][:1]
        return [put(shapes.make(kind["items"]), tuple(rest), value, shapes, kind["items"])]
    (kind,) = [kind for kind in kinds if kind.get("type") == "object"]
    field = kind.get("properties", {}).get(first, kind.get("additionalProperties"))
    inner = (body or {}).get(first)
    return {**(body or {}), first: put(inner, tuple(rest), value, shapes, field)}


def show(place: tuple[Any, ...]) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place)[1:]


class Operation:
    """One operation with a body, and the way to ask it."""

    def __init__(
        self, client: httpx.AsyncClient, shapes: Shapes, method: str, path: str, name: str
    ) -> None:
        self.client, self.shapes, self.method, self.path = client, shapes, method, path
        self.name, self.schema = name, shapes.all[name]
        self.base = shapes.make(self.schema) | ALWAYS.get(name, {})

    async def ask(self, body: Any) -> httpx.Response:
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return await self.client.request(self.method, self.path, content=content, headers=headers)

    def list_places(self) -> list[tuple[tuple[Any, ...], Schema]]:
        return list(self.shapes.list_places(self.schema))

    def put(self, place: tuple[Any, ...], value: Any) -> Any:
        return put(self.base, place, value, self.shapes, self.schema)


@pytest.fixture
async def operations(
    app: FastAPI, operator: httpx.AsyncClient, connect: Connect, acme: str
) -> list[Operation]:
    session = await open_session(operator)
    # Not admin, whose grants some of the requests replace.
    named = {"display_name": "owner", "grants": {verb: ["/*"] for verb in VERBS}}
    principal = await operator.post(f"/api/v1/contexts/{acme}/principals", json=named)
    body = {"name": "owner", "principal_id": principal.json()["id"]}
    made = await operator.post(f"/api/v1/contexts/{acme}/keys", json=body)
    owner = connect(made.json()["secret"])
    ids = {
        "{context_id}": acme,
        "{session_id}": session["id"],
        "{principal_id}": "admin",
        "{key_name}": "x",
    }
    shapes = Shapes(app.openapi())
    found = []
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                real = re.sub(r"{\w+}", lambda match: ids[match[0]], path)
                name = schema["$ref"].rpartition("/")[2]
                client = owner if name == "MintBody" else operator
                found.append(Operation(client, shapes, method.upper(), real, name))
    return found


async def test_every_body_is_described(operations: list[Operation]) -> None:
    assert {each.name for each in operations} == EXPECTED
    assert {each.path for each in operations} >= {FACTS, SESSIONS, f"{PLANE}/query"}


async def test_what_is_described_as_the_least_is_taken(operations: list[Operation]) -> None:
    for each in operations:
        answer = await each.ask(each.base)
        assert answer.status_code not in REFUSED, (each.name, answer.text)


async def test_a_required_field_is_required(operations: list[Operation]) -> None:
    for each in operations:
        for name in each.schema.get("required", ()):
            answer = await each.ask({key: each.base[key] for key in each.base if key != name})
            assert answer.status_code == 400, (each.name, name, answer.text)
            assert answer.json()["detail"] == f"{name}: must be given"


async def test_what_is_just_within_a_bound_is_taken(operations: list[Operation]) -> None:
    tried = 0
    for each in operations:
        for place, schema in each.list_places():
            for value in each.shapes.list_good(schema):
                answer = await each.ask(each.put(place, value))
                shown = (each.name, show(place), str(value)[:80], answer.text[:300])
                assert answer.status_code not in REFUSED, shown
                tried += 1
    assert tried > 50


async def test_what_is_just_beyond_a_bound_is_refused_by_name(operations: list[Operation]) -> None:
    tried = 0
    for each in operations:
        for place, schema in each.list_places():
            for value in each.shapes.list_bad(schema):
                answer = await each.ask(each.put(place, value))
                shown = (each.name, show(place), str(value)[:80], answer.text[:300])
                assert answer.status_code in REFUSED, shown
                named = place[:1] if place[0] in NAMED_WHOLE else place
                assert answer.json()["detail"].startswith(show(named)), shown
                tried += 1
    assert tried > 300

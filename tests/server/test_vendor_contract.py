"""
What the vendor's clients were made from: the operations that this server shares with the published description.

`SHAPES` are facts of it, written down here: what an answer must hold, and of which type. Where the description is at
hand, they are held against it, and requests are made up from it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.support.fuzzing import Fuzzed, fuzz, not_an_unplanned_error
from tests.support.soak import SOAK

from .test_documentation import OPERATIONS

Shape = Any
"""`str`, `int`, `float`; `[shape]`: a list; `{name: shape}`: the fields that must be there; `{"*": shape}`: a map."""

_GRANTS = {"*": [str]}
_PRINCIPAL = {"id": str, "kind": str, "displayName": str, "grants": _GRANTS}
_EXTRACTION = {
    "turnId": str,
    "entities": list,
    "attributes": list,
    "relations": list,
    "instructions": list,
    "uncertainties": list,
    "corrections": list,
}

_TRACE: dict[str, Shape] = {
    "id": str,
    "queryText": str,
    "resolutionTier": str,
    "tierReason": str,
    "latencyMs": int,
    "cached": bool,
    "createdAt": str,
}

SHAPES: dict[str, tuple[int, Shape]] = {
    "GET /api/v1/health": (200, None),
    "GET /api/v1/{context_id}/me": (
        200,
        {
            "principalId": str,
            "kind": str,
            "displayName": str,
            "grants": _GRANTS,
            "effectiveGrants": _GRANTS,
        },
    ),
    "GET /api/v1/{context_id}/scopes": (200, [{"path": str, "createdAt": str}]),
    "POST /api/v1/{context_id}/scopes": (201, {"path": str, "createdAt": str}),
    "DELETE /api/v1/{context_id}/scopes": (204, None),
    "POST /api/v1/{context_id}/scopes/forget": (200, {"forgotten": int}),
    "GET /api/v1/{context_id}/principals": (200, [_PRINCIPAL]),
    "GET /api/v1/{context_id}/principals/{principal_id}": (200, _PRINCIPAL),
    "POST /api/v1/{context_id}/principals/{principal_id}/grants": (200, _PRINCIPAL),
    "DELETE /api/v1/{context_id}/principals/{principal_id}/grants": (200, _PRINCIPAL),
    "GET /api/v1/{context_id}/principals/{principal_id}/effective": (
        200,
        {"path": str, "verbs": [str]},
    ),
    "POST /api/v1/{context_id}/sessions": (
        201,
        {"id": str, "scopes": [[str]], "createdAt": str},
    ),
    "DELETE /api/v1/{context_id}/sessions/{session_id}": (204, None),
    "GET /api/v1/{context_id}/sessions/{session_id}/turns": (
        200,
        {
            "turns": [
                {
                    "id": str,
                    "session": str,
                    "role": str,
                    "content": str,
                    "seq": int,
                    "createdAt": str,
                }
            ]
        },
    ),
    "POST /api/v1/{context_id}/sessions/{session_id}/context": (200, {"context": str}),
    "POST /api/v1/{context_id}/facts": (200, {"mode": str, "sessionId": str}),
    "POST /api/v1/{context_id}/facts/batch": (
        200,
        {"sessionId": str, "turnIds": [str], "extractions": [_EXTRACTION]},
    ),
    "POST /api/v1/{context_id}/query": (
        200,
        {
            "tier": str,
            "hits": [{"id": str, "text": str, "source": str, "score": float}],
            "queryMs": int,
            "classificationKind": str,
            "seedEntities": [str],
            "trace": {
                "traceId": str,
                "resolutionTier": str,
                "tierReason": str,
                "latencyMs": int,
                "retrievedCount": int,
                "topScores": [float],
            },
        },
    ),
    "POST /api/v1/{context_id}/lifecycle/decay": (200, {"affected": int}),
    "POST /api/v1/{context_id}/lifecycle/expire": (200, {"affected": int}),
    "POST /api/v1/{context_id}/fsck": (
        200,
        {
            "duplicates": [{"entityA": str, "entityB": str, "similarity": float}],
            "contradictions": [{"entity": str, "key": str, "values": [str]}],
            "injection": [{"rowId": str, "kind": str, "snippet": str}],
            "unscopedContent": [{"table": str, "count": int, "sampleIds": [str]}],
            "total": int,
        },
    ),
    "GET /api/v1/{context_id}/traces": (200, {"traces": [_TRACE]}),
    "GET /api/v1/{context_id}/traces/{trace_id}": (200, _TRACE),
    "GET /api/v1/{context_id}/traces/stats": (
        200,
        {
            "totalQueries": int,
            "cacheHits": int,
            "avgLatencyMs": float,
            "tierCounts": {"direct": int, "hybrid": int, "fullContext": int},
            "responseTracesTotal": int,
            "responseTracesCached": int,
            "cacheHitRate": float,
            "windowHours": int,
            "sourceKindDistribution": [{"kind": str, "count": int}],
            "contradiction": {
                "reconciliations": int,
                "contradictions": int,
                "contradictionRate": float,
            },
            "supersession": {
                "supersessionEvents": int,
                "entitiesChurned": int,
                "churnPerEntity": float,
            },
            "retrieval": {"traces": int, "avgCandidateSet": float, "maxCandidateSet": int},
        },
    ),
    "GET /api/v1/{context_id}/audit": (
        200,
        {
            "rows": [
                {
                    "traceId": str,
                    "kind": str,
                    "cost": float,
                    "rowsTouched": int,
                    "latencyMs": int,
                    "createdAt": str,
                }
            ]
        },
    ),
}
PROBLEM: Shape = {"message": str}


def find_description() -> dict[str, Any] | None:
    """The published file, in SPECTRON_OPENAPI or in a folder `shared` beside one of the checkout's parents."""
    named = os.environ.get("SPECTRON_OPENAPI")
    beside = (each / "shared/contract/data-plane.openapi.json" for each in Path(__file__).parents)
    for path in (Path(named),) if named else beside:
        if path.is_file():
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
    return None


DESCRIPTION = find_description()
with_description = pytest.mark.skipif(
    DESCRIPTION is None, reason="the vendor's description is not here: name it in SPECTRON_OPENAPI"
)


def find_misfit(value: Any, shape: Shape, place: str = "answer") -> str | None:
    """The place where a value is not of that shape."""
    if isinstance(shape, type):
        wanted = (int, float) if shape is float else shape
        fits = isinstance(value, wanted) and isinstance(value, bool) is (shape is bool)
        return None if fits else place
    if isinstance(shape, list):
        parts = list(enumerate(value)) if isinstance(value, list) else None
        shapes = [shape[0]] * len(parts or ())
    else:
        parts = [(name, value.get(name)) for name in shape] if isinstance(value, dict) else None
        shapes = list(shape.values())
        if "*" in shape and isinstance(value, dict):
            parts, shapes = list(value.items()), [shape["*"]] * len(value)
    if parts is None:
        return place
    misfits = (
        find_misfit(part, each, f"{place}.{name}")
        for (name, part), each in zip(parts, shapes, strict=True)
    )
    return next((misfit for misfit in misfits if misfit), None)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_answers_hold_what_the_vendors_clients_read(name: str, fuzzed: Fuzzed) -> None:
    status, shape = SHAPES[name]

    async def ask(world: Any) -> tuple[Any, Any, Any]:
        ids, body = await world.prepare(name)
        if "turns" in name or "query" in name or "fsck" in name:
            written = await world.make("POST /api/v1/{context_id}/facts", ids)
            ids["session_id"] = written["sessionId"]
        succeeded = await world.ask(name, ids, json=body)
        refused = await world.ask(name, ids, json=body, headers={"API-KEY": "none"})
        wrong = await world.ask(name, ids, json=[])
        return succeeded, refused, wrong

    succeeded, refused, wrong = fuzzed.run(ask)
    assert succeeded.status_code == status, succeeded.text
    if shape is not None:
        assert find_misfit(succeeded.json(), shape) is None, succeeded.text
    if name != "GET /api/v1/health":
        assert refused.status_code == 401
    for problem in (each for each in (refused, wrong) if each.status_code >= 400):
        assert problem.headers["Content-Type"] == "application/problem+json"
        assert find_misfit(problem.json(), PROBLEM) is None, problem.text


def test_a_misfit_is_found() -> None:
    shape = {"a": [{"b": int}], "c": {"*": [str]}}
    assert find_misfit({"a": [{"b": 1}], "c": {"x": ["y"]}, "more": 1}, shape) is None
    for value, place in (
        ({"a": [{"b": 1}, {"b": "1"}], "c": {}}, "answer.a.1.b"),
        ({"a": [{"b": True}], "c": {}}, "answer.a.0.b"),
        ({"a": [], "c": {"x": [1]}}, "answer.c.x.0"),
        ({"a": []}, "answer.c"),
        ([], "answer"),
    ):
        assert find_misfit(value, shape) == place


def read_shape(schema: dict[str, Any], schemas: dict[str, Any]) -> Shape:
    """What a published schema says, as this file writes it."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return read_shape(schemas[name], schemas)
    kind = schema.get("type")
    if kind == "array":
        return [read_shape(schema["items"], schemas)]
    if kind == "object" and "additionalProperties" in schema:
        return {"*": read_shape(schema["additionalProperties"], schemas)}
    if kind == "object":
        return {
            field: read_shape(schema["properties"][field], schemas)
            for field in schema.get("required", ())
        }
    return {"string": str, "integer": int, "number": float, "boolean": bool}[str(kind)]


@with_description
def test_the_shapes_are_those_of_the_published_description() -> None:
    assert DESCRIPTION is not None
    schemas = DESCRIPTION["components"]["schemas"]
    assert read_shape(schemas["ApiErrorResponse"], schemas) == PROBLEM
    shared = set()
    for path, methods in DESCRIPTION["paths"].items():
        shared |= {f"{method.upper()} {path}" for method in methods} & OPERATIONS.keys()
    assert shared == SHAPES.keys()
    for name, (status, shape) in SHAPES.items():
        method, path = name.split()
        answers = DESCRIPTION["paths"][path][method.lower()]["responses"]
        assert [int(each) for each in answers if each.startswith("2")] == [status]
        content = answers[str(status)].get("content", {})
        found = {kind: read_shape(each["schema"], schemas) for kind, each in content.items()}
        expected = {} if shape is None else {"application/json": shape}
        assert loosen(found) == loosen(expected), name


def loosen(shape: Shape) -> Shape:
    """The same, where a list of whatever extraction finds is just a list: this server extracts nothing."""
    if isinstance(shape, dict):
        is_extraction = shape.keys() == _EXTRACTION.keys()
        return dict(_EXTRACTION) if is_extraction else {name: loosen(shape[name]) for name in shape}
    return [loosen(shape[0])] if isinstance(shape, list) else shape


@pytest.fixture(scope="module")
def described() -> Any:
    assert DESCRIPTION is not None
    return schemathesis.openapi.from_dict(DESCRIPTION)


@with_description
@pytest.mark.parametrize("name", sorted(SHAPES))
def test_requests_made_up_from_the_published_description(
    name: str, fuzzed: Fuzzed, described: Any
) -> None:
    method, path = name.split()
    checks = [not_an_unplanned_error, response_schema_conformance, problems_have_a_message]
    succeeded = fuzz(fuzzed, name, described[path][method], checks)
    if SOAK:  # of a few made up requests all may be refused
        assert succeeded > 1


def problems_have_a_message(_: Any, response: Any, __: Any) -> None:
    if response.status_code >= 400:
        assert find_misfit(response.json(), PROBLEM) is None

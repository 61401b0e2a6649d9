from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

pytestmark = pytest.mark.anyio

OPERATIONS = {
    "GET /api/v1/health": "open",
    "GET /api/v1/ready": "open",
    "GET /api/v1/verbs": "operator",
    "GET /api/v1/migrations": "operator",
    "GET /api/v1/contexts": "operator",
    "POST /api/v1/contexts/{context_id}": "operator",
    "GET /api/v1/contexts/{context_id}": "operator",
    "PATCH /api/v1/contexts/{context_id}": "operator",
    "DELETE /api/v1/contexts/{context_id}": "operator",
    "GET /api/v1/contexts/{context_id}/keys": "operator",
    "POST /api/v1/contexts/{context_id}/keys": "operator",
    "POST /api/v1/contexts/{context_id}/keys/{key_id}/rotate": "operator",
    "DELETE /api/v1/contexts/{context_id}/keys/{key_id}": "operator",
    "GET /api/v1/contexts/{context_id}/ontology": "operator",
    "PUT /api/v1/contexts/{context_id}/ontology": "operator",
    "DELETE /api/v1/contexts/{context_id}/ontology": "operator",
    "GET /api/v1/{context_id}/me": "member",
    "GET /api/v1/{context_id}/sessions": "memory:read",
    "POST /api/v1/{context_id}/sessions": "memory:write",
    "GET /api/v1/{context_id}/sessions/{session_id}": "memory:read",
    "DELETE /api/v1/{context_id}/sessions/{session_id}": "memory:write",
    "GET /api/v1/{context_id}/sessions/{session_id}/turns": "memory:read",
    "GET /api/v1/{context_id}/sessions/{session_id}/context": "memory:read",
    "POST /api/v1/{context_id}/sessions/{session_id}/context": "memory:read",
    "POST /api/v1/{context_id}/facts": "memory:write",
    "POST /api/v1/{context_id}/facts/batch": "memory:write",
    "POST /api/v1/{context_id}/query": "memory:read",
    "POST /api/v1/{context_id}/lifecycle/decay": "memory:forget",
    "POST /api/v1/{context_id}/lifecycle/expire": "memory:forget",
    "GET /api/v1/{context_id}/lifecycle/expire": "memory:forget",
    "POST /api/v1/{context_id}/fsck": "memory:read",
    "POST /api/v1/contexts/{context_id}/lifecycle/decay": "operator",
    "POST /api/v1/contexts/{context_id}/lifecycle/reindex": "operator",
    "GET /api/v1/contexts/{context_id}/lifecycle/jobs": "operator",
    "GET /api/v1/contexts/{context_id}/lifecycle/jobs/{job_id}": "operator",
    "DELETE /api/v1/contexts/{context_id}/lifecycle/jobs/{job_id}": "operator",
}
"""What the server does, and what it asks of the caller: nothing, a management key, any key of the context, a verb."""


def list_operations(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


async def test_the_description_holds_every_operation(app: FastAPI) -> None:
    assert list_operations(app.openapi()).keys() == OPERATIONS.keys()


async def test_every_operation_says_which_keys_it_takes(app: FastAPI) -> None:
    either: list[dict[str, list[str]]] = [{"bearer": []}, {"api_key": []}]
    for name, operation in list_operations(app.openapi()).items():
        is_open = OPERATIONS[name] == "open"
        assert operation.get("security") == (None if is_open else either), name


async def test_every_error_is_described_as_a_problem(app: FastAPI) -> None:
    schema = app.openapi()
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for name, operation in list_operations(schema).items():
        errors = {code: one for code, one in operation["responses"].items() if code[0] != "2"}
        assert "default" in errors, name
        assert {"401", "403"} <= errors.keys() or not operation.get("security"), name
        assert all(
            one["content"] == {"application/problem+json": problem} for one in errors.values()
        ), name
    assert schema["components"]["schemas"]["Problem"]["required"]


async def test_the_description_has_no_shape_of_the_frameworks_own(app: FastAPI) -> None:
    assert "HTTPValidationError" not in app.openapi()["components"]["schemas"]


async def test_the_page_shows_every_operation_and_needs_nothing_from_elsewhere(
    stranger: httpx.AsyncClient,
) -> None:
    page = await stranger.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    shown = re.findall(r"<b>(\w+)</b> <code>(.*?)</code>", page.text)
    assert {f"{method} {path}" for method, path in shown} == OPERATIONS.keys()
    assert not re.search(r"<script|<link|src=|@import|url\(", page.text)
    links = set(re.findall(r"href='#(\w+)'", page.text))
    assert links <= set(re.findall(r"id='(\w+)'", page.text))


async def test_the_description_is_served(stranger: httpx.AsyncClient, app: FastAPI) -> None:
    assert (await stranger.get("/openapi.json")).json() == app.openapi()

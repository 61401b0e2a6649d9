from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from spectronctl.server.http import bodies

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
    "GET /api/v1/contexts/{context_id}/principals": "operator",
    "POST /api/v1/contexts/{context_id}/principals": "operator",
    "GET /api/v1/contexts/{context_id}/principals/{principal_id}": "operator",
    "PATCH /api/v1/contexts/{context_id}/principals/{principal_id}": "operator",
    "DELETE /api/v1/contexts/{context_id}/principals/{principal_id}": "operator",
    "PUT /api/v1/contexts/{context_id}/principals/{principal_id}/grants": "operator",
    "GET /api/v1/contexts/{context_id}/whocan": "operator",
    "GET /api/v1/management-keys": "operator",
    "POST /api/v1/management-keys": "operator",
    "POST /api/v1/management-keys/{management_key_id}/rotate": "operator",
    "DELETE /api/v1/management-keys/{management_key_id}": "operator",
    "GET /api/v1/contexts/{context_id}/ontology": "operator",
    "PUT /api/v1/contexts/{context_id}/ontology": "operator",
    "DELETE /api/v1/contexts/{context_id}/ontology": "operator",
    "GET /api/v1/{context_id}/me": "member",
    "GET /api/v1/{context_id}/principals": "grant:manage",
    "GET /api/v1/{context_id}/principals/{principal_id}": "grant:manage",
    "POST /api/v1/{context_id}/principals/{principal_id}/grants": "grant:manage",
    "DELETE /api/v1/{context_id}/principals/{principal_id}/grants": "grant:manage",
    "GET /api/v1/{context_id}/principals/{principal_id}/effective": "grant:manage",
    "GET /api/v1/{context_id}/scopes": "member",
    "POST /api/v1/{context_id}/scopes": "scope:create",
    "DELETE /api/v1/{context_id}/scopes": "scope:delete",
    "GET /api/v1/{context_id}/scopes/forget": "memory:forget",
    "POST /api/v1/{context_id}/scopes/forget": "memory:forget",
    "GET /api/v1/{context_id}/keys": "member",
    "POST /api/v1/{context_id}/keys": "own keys",
    "DELETE /api/v1/{context_id}/keys/{key_name}": "own keys",
    "POST /api/v1/{context_id}/keys/{key_name}/rotate": "own keys",
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
    "GET /api/v1/{context_id}/traces": "member",
    "GET /api/v1/{context_id}/traces/stats": "member",
    "GET /api/v1/{context_id}/traces/{trace_id}": "member",
    "GET /api/v1/{context_id}/audit": "member",
    "GET /api/v1/audit": "operator",
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


async def test_the_pages_need_nothing_from_elsewhere(stranger: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc"):
        page = await stranger.get(path)
        assert page.headers["content-type"].startswith("text/html")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "//" not in policy
        needed = re.findall(r"(?:src|href)=\"(.*?)\"", page.text)
        assert {"openapi.json", "docs/pages.css"} <= set(needed)
        for each in needed:
            assert (await stranger.get(f"/{each}")).is_success, each


async def test_every_operation_is_in_one_group_that_is_described(app: FastAPI) -> None:
    schema = app.openapi()
    used = {tag for operation in list_operations(schema).values() for tag in operation["tags"]}
    assert used == {group["name"] for group in schema["tags"] if group["description"]}
    assert all(len(each["tags"]) == 1 for each in list_operations(schema).values())


async def test_every_body_has_an_example_that_its_model_takes(app: FastAPI) -> None:
    readers = {
        reader.model
        for route in app.routes
        if isinstance(route, APIRoute)
        for reader in bodies._find_readers(route.dependant)
    }
    assert len(readers) >= 10
    for model in readers:
        assert model.EXAMPLE, model.__name__
        model.model_validate(model.EXAMPLE)
    shown = [
        each["requestBody"]
        for each in list_operations(app.openapi()).values()
        if "requestBody" in each
    ]
    assert all(each["content"]["application/json"]["example"] for each in shown)


async def test_the_start_leads_a_browser_to_the_pages_and_tells_a_program_where_they_are(
    stranger: httpx.AsyncClient,
) -> None:
    led = await stranger.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (led.status_code, led.headers["location"]) == (307, "docs")
    links = (await stranger.get("/")).json()["links"]
    for path in links.values():
        assert (await stranger.get(path)).is_success, path


async def test_the_description_is_served(stranger: httpx.AsyncClient, app: FastAPI) -> None:
    assert (await stranger.get("/openapi.json")).json() == app.openapi()

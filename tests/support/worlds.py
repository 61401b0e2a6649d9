"""Two contexts full of things, keys of every kind, a request for every route, and the store as a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.routing import Route

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.database.database import Binding, Database
from spectronctl.server.registry.credentials import (
    digest_secret,
    mint_secret,
    new_context_key_id,
    new_management_key_id,
)
from spectronctl.server.registry.keys import KeyTable, ManagementKeyTable
from spectronctl.server.registry.rows import KeyRow, ManagementKeyRow
from spectronctl.server.service import unserved

API = "/api/v1"
UNKNOWN = {
    "context_id": "no-such",
    "key_id": f"cak_{new_ulid()}",
    "key_name": "no-such",
    "management_key_id": f"mgk_{new_ulid()}",
    "job_id": f"job_{new_ulid()}",
    "principal_id": f"principal:{new_ulid()}",
    "session_id": f"session:{new_ulid()}",
    "trace_id": f"trace:{new_ulid()}",
}
_NAMES = dict.fromkeys(
    [
        "id",
        "key",
        "normalised",
        "entity_type",
        "entity_name",
    ],
    "x",
)
"""Of what operations that are not served are asked for."""
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

BODIES: dict[str, Any] = {
    "POST /api/v1/contexts/{context_id}": {
        "namespace": "worlds",
        "database": "x",
        "config": {
            "models": {"extraction": "openai/gpt-4o-mini"},
            "providers": {"openai": "secret"},
            "provider_urls": {"ours": "http://127.0.0.1:1/v1"},
            "memory_ttl": {"context": "7d"},
            "note": "any other field",
        },
        "admin_external_id": "admin-1",
        "admin_display_name": "Ada",
    },
    "PATCH /api/v1/contexts/{context_id}": {
        "config": {"models": {"response": "openai/gpt-4o"}, "note": {"deep": ["text"]}}
    },
    "POST /api/v1/contexts/{context_id}/keys": {
        "name": "x",
        "principal": "agent",
        "scope_floor": {"org": "acme"},
        "expires_at": "2090-01-15T10:00:00Z",
    },
    "POST /api/v1/contexts/{context_id}/principals/{principal_id}/keys/{key_name}": {
        "grants": {"memory:read": ["org/acme/*"]}
    },
    "POST /api/v1/contexts/{context_id}/access-tokens": {
        "external_id": "dora-1",
        "display_name": "Dora",
        "kind": "human",
        "ttl_seconds": 60,
        "grants": {"memory:read": ["org/acme/*"]},
    },
    "POST /api/v1/contexts/{context_id}/principals": {
        "display_name": "Cleo",
        "kind": "human",
        "external_id": "cleo-1",
        "grants": {"memory:read": ["org/acme/*"]},
    },
    "PATCH /api/v1/contexts/{context_id}/principals/{principal_id}": {
        "kind": "service",
        "display_name": "Bo",
        "external_id": "bo-1",
        "grants": {"memory:read": ["org/acme/*"]},
    },
    "PUT /api/v1/contexts/{context_id}/principals/{principal_id}/grants": {
        "grants": {"memory:read": ["org/beta/*"]}
    },
    "POST /api/v1/{context_id}/principals/{principal_id}/grants": {
        "path": "org/beta/*",
        "verbs": ["memory:read"],
    },
    "DELETE /api/v1/{context_id}/principals/{principal_id}/grants": {
        "path": "org/acme/*",
        "verbs": ["memory:read"],
    },
    "POST /api/v1/management-keys": {"name": "x"},
    "PUT /api/v1/contexts/{context_id}/ontology": {
        "entity_types": ["Person"],
        "attribute_keys": {"Person": ["age"]},
        "relation_labels": ["knows"],
    },
    "POST /api/v1/{context_id}/scopes": {
        "path": "org/acme/team",
        "displayName": "The team",
        "description": "All of them",
    },
    "POST /api/v1/{context_id}/scopes/forget": {"path": "org/new", "dryRun": False},
    "POST /api/v1/{context_id}/keys": {"name": "x", "grants": {"memory:read": ["org/acme/*"]}},
    "POST /api/v1/{context_id}/sessions": {
        "scopes": [["org/acme", "team/a"]],
        "metadata": {"note": "text", "list": ["text"]},
    },
    "POST /api/v1/{context_id}/sessions/{session_id}/context": {"query": "tea"},
    "POST /api/v1/{context_id}/facts": {
        "text": "tea",
        "infer": "none",
        "session_id": None,
        "scopes": ["org/acme"],
        "role": "user",
        "memory_category": "context",
        "labels": ["topic=drinks"],
        "observed_at": "2026-01-15T10:00:00Z",
    },
    "POST /api/v1/{context_id}/facts/batch": {
        "messages": [{"role": "user", "content": "tea", "ts": "2026-01-15T10:00:00Z"}],
        "infer": "none",
        "extract": "per_message",
        "scope": "org/acme",
        "labels": ["topic=drinks"],
    },
    "POST /api/v1/{context_id}/query": {"query": "tea", "mode": "hybrid", "lens": ["org/acme"]},
    "POST /api/v1/{context_id}/fsck": {"check": "duplicates"},
}
"""A body with every string that the operation reads."""

QUERIES: dict[str, dict[str, str]] = {
    "GET /api/v1/contexts": {"cursor": "a", "limit": "5"},
    "GET /api/v1/contexts/{context_id}/keys": {"cursor": UNKNOWN["key_id"], "limit": "5"},
    "POST /api/v1/contexts/{context_id}/principals/{principal_id}/keys/{key_name}": {
        "ttl_seconds": "60"
    },
    "GET /api/v1/contexts/{context_id}/principals": {
        "cursor": UNKNOWN["principal_id"],
        "limit": "5",
    },
    "GET /api/v1/contexts/{context_id}/whocan": {"verb": "memory:read", "path": "org/acme"},
    "GET /api/v1/{context_id}/principals/{principal_id}/effective": {
        "path": "org/acme",
        "asOf": "2090-01-15T10:00:00Z",
    },
    "GET /api/v1/management-keys": {"cursor": UNKNOWN["management_key_id"], "limit": "5"},
    "DELETE /api/v1/management-keys/{management_key_id}": {"force": "true"},
    "GET /api/v1/contexts/{context_id}/lifecycle/jobs": {
        "cursor": UNKNOWN["job_id"],
        "limit": "5",
    },
    "DELETE /api/v1/{context_id}/scopes": {"path": "org/acme/spare"},
    "GET /api/v1/{context_id}/scopes/forget": {"path": "org/acme"},
    "POST /api/v1/{context_id}/keys": {"ttlSeconds": "60"},
    "POST /api/v1/{context_id}/keys/{key_name}/rotate": {"ttlSeconds": "60"},
    "GET /api/v1/{context_id}/sessions": {
        "cursor": UNKNOWN["session_id"],
        "limit": "5",
        "scope": "org/acme",
        "since": "2026-01-15T10:00:00Z",
        "until": "2090-01-15T10:00:00Z",
    },
    "GET /api/v1/{context_id}/sessions/{session_id}/turns": {"limit": "5", "offset": "0"},
    "GET /api/v1/{context_id}/sessions/{session_id}/context": {"query": "tea"},
    "GET /api/v1/{context_id}/traces": {
        "limit": "5",
        "since": "2026-01-15T10:00:00Z",
        "scope": "org/acme",
        "scope[org]": "acme",
    },
    "GET /api/v1/{context_id}/traces/stats": {
        "since": "2026-01-15T10:00:00Z",
        "scope": "org/acme",
        "scope[org]": "acme",
        "windowHours": "24",
    },
    "GET /api/v1/{context_id}/audit": {
        "principal": "x",
        "key": UNKNOWN["key_id"],
        "kind": "retrieval",
        "since": "2026-01-15T10:00:00Z",
        "until": "2090-01-15T10:00:00Z",
        "limit": "5",
    },
    "GET /api/v1/audit": {
        "cursor": f"aud_{new_ulid()}",
        "limit": "5",
        "since": "2026-01-15T10:00:00Z",
        "until": "2090-01-15T10:00:00Z",
        "key": "x",
        "context": "acme",
        "action": "delete_key",
    },
}
"""Every query parameter that the operation reads."""


@dataclass
class World:
    """Contexts `acme` and `beta`, alike but for their names, and the holders of their keys."""

    store: Database
    client: httpx.AsyncClient
    secrets: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=lambda: {"context_id": "acme"})
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    operations: list[str] = field(default_factory=list)

    async def ask(
        self, operation: str, ids: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """The operation, as the operator with a valid body unless said otherwise."""
        method, path = operation.split()
        given: dict[str, Any] = {"json": BODIES.get(operation), "params": QUERIES.get(operation)}
        given["headers"] = {"API-KEY": self.secrets[find_asker(operation)]}
        return await self.client.request(
            method, path.format(**_NAMES | (ids or self.ids)), **(given | more)
        )

    async def make(self, operation: str, ids: dict[str, str], **body: Any) -> Any:
        answer = await self.ask(operation, ids, json=BODIES.get(operation, {}) | body)
        assert answer.is_success, answer.text
        return answer.json()

    async def make_context(self, name: str) -> None:
        await self.make("POST /api/v1/contexts/{context_id}", {"context_id": name}, database=name)

    async def make_key(self, context_id: str, name: str, **body: Any) -> tuple[str, str]:
        """A key's id and secret."""
        ids = {"context_id": context_id}
        given = {"scope_floor": None, "expires_at": None, "name": name, **body}
        made = await self.make("POST /api/v1/contexts/{context_id}/keys", ids, **given)
        return made["id"], made["secret"]

    async def make_principal(self, context_id: str, name: str) -> str:
        """A principal's id."""
        operation = "POST /api/v1/contexts/{context_id}/principals"
        named = {"display_name": name, "external_id": name}
        made = await self.make(operation, {"context_id": context_id}, **named)
        return str(made["id"])

    async def make_management_key(self, name: str) -> str:
        made = await self.make("POST /api/v1/management-keys", {}, name=name)
        return str(made["id"])

    async def prepare(self, operation: str) -> tuple[dict[str, str], Any]:
        """Ids and a body with which it succeeds now: something of its own where it can be done only once."""
        ids, name = dict(self.ids), f"new-{next(self.numbers)}"
        body: Any = BODIES.get(operation)
        if operation in _WANTS_NAMES:
            body = body | dict.fromkeys(_WANTS_NAMES[operation], name)
        if operation in _WANTS_CONTEXT:
            ids["context_id"] = name
            await self.make_context(name)
        if operation == "POST /api/v1/contexts/{context_id}":
            ids["context_id"] = name
            body = body | {"database": name}
        elif "{principal_id}" in operation:
            made = await self.make_principal("acme", name)
            ids |= {"principal_id": made, "key_name": name}
        elif "{management_key_id}" in operation:
            ids["management_key_id"] = await self.make_management_key(name)
        elif "/keys/{key_" in operation:
            ids["key_id"], _ = await self.make_key("acme", name, principal_id="admin")
            ids["key_name"] = name
        elif operation == "DELETE /api/v1/contexts/{context_id}/lifecycle/jobs/{job_id}":
            ids["job_id"] = await self.make_job(name)
        elif operation == "DELETE /api/v1/{context_id}/sessions/{session_id}":
            ids["session_id"] = (await self.make("POST /api/v1/{context_id}/sessions", ids))["id"]
        return ids, body

    async def make_job(self, context_id: str) -> str:
        ids = {"context_id": context_id}
        made = await self.make("POST /api/v1/contexts/{context_id}/lifecycle/reindex", ids)
        return str(made["job_id"])


def find_asker(operation: str) -> str:
    """Whose key succeeds with it: an operator has no keys of its own."""
    return "owner" if " /api/v1/{context_id}/keys" in operation else "management"


_NAMES_OF_PRINCIPALS = ("display_name", "external_id")
_WANTS_NAMES = {
    "POST /api/v1/contexts/{context_id}/keys": ("name",),
    "POST /api/v1/management-keys": ("name",),
    "POST /api/v1/{context_id}/keys": ("name",),
    "POST /api/v1/contexts/{context_id}/principals": _NAMES_OF_PRINCIPALS,
    "PATCH /api/v1/contexts/{context_id}/principals/{principal_id}": _NAMES_OF_PRINCIPALS,
}
"""The fields of a body that nothing else may have the same of."""

_WANTS_CONTEXT = {
    "DELETE /api/v1/contexts/{context_id}",
    "POST /api/v1/contexts/{context_id}/lifecycle/reindex",
    "DELETE /api/v1/contexts/{context_id}/lifecycle/jobs/{job_id}",
}


async def make_world(store: Database, client: httpx.AsyncClient, management: str) -> World:
    """Both contexts with an ontology, a session, memories, a job, and keys of every kind."""
    world = World(store, client, {"management": management})
    await fill_world(world)
    await _make_keys(world)
    return world


async def fill_world(world: World) -> None:
    """What can be made without being at the store."""
    for name in ("beta", "acme"):
        world.ids = {"context_id": name}
        await world.make_context(name)
        for operation in (
            "PUT /api/v1/contexts/{context_id}/ontology",
            "POST /api/v1/{context_id}/facts",
            "POST /api/v1/{context_id}/facts/batch",
        ):
            await world.make(operation, world.ids)
        await world.make("POST /api/v1/{context_id}/scopes", world.ids, path="org/acme/spare")
        made = await world.make("POST /api/v1/{context_id}/sessions", world.ids)
        key_id, secret = await world.make_key(name, "agent")
        world.secrets[{"acme": "agent", "beta": "foreign"}[name]] = secret
        world.ids |= {"session_id": made["id"], "key_id": key_id, "key_name": "owner"}
        _, world.secrets["owner"] = await world.make_key(name, "owner", principal_id="admin")
        world.ids["job_id"] = await world.make_job(name)
        world.ids["principal_id"] = await world.make_principal(name, "Eve")
        world.ids["management_key_id"] = await world.make_management_key(f"spare {name}")
        found = await world.make("POST /api/v1/{context_id}/query", world.ids)
        world.ids["trace_id"] = found["trace"]["traceId"]


async def _make_keys(world: World) -> None:
    _, world.secrets["supervisor"] = await world.make_key("acme", "boss", principal="supervisor")
    spare_id, world.secrets["revoked"] = await world.make_key("acme", "spare")
    ids = {"context_id": "acme", "key_id": spare_id}
    await world.ask("DELETE /api/v1/contexts/{context_id}/keys/{key_id}", ids)
    rotated_id, world.secrets["rotated"] = await world.make_key("acme", "rotated")
    ids["key_id"] = rotated_id
    await world.ask("POST /api/v1/contexts/{context_id}/keys/{key_id}/rotate", ids)
    hash_key = await ManagementKeyTable(world.store).load_hash_key()
    key_id = new_context_key_id()
    world.secrets["expired"] = mint_secret(key_id, "acme")
    await KeyTable(world.store).create_key(
        KeyRow(
            id=key_id,
            context_id="acme",
            name="expired",
            principal="supervisor",
            digest=digest_secret(hash_key, world.secrets["expired"]),
            created_at=_LONG_AGO,
            expires_at=_LONG_AGO.replace(year=2021),
        )
    )
    former_id = new_management_key_id()
    world.secrets["former management"] = mint_secret(former_id, None)
    digest = digest_secret(hash_key, world.secrets["former management"])
    await ManagementKeyTable(world.store).create_management_key(
        ManagementKeyRow(id=former_id, name="former", digest=digest, created_at=_LONG_AGO)
    )
    await ManagementKeyTable(world.store).delete_management_key(former_id)
    for kind, path in (("agent", "acme"), ("supervisor", "acme"), ("foreign", "beta")):
        # Uses are noted at most once a minute: from here on none of them is.
        headers = {"API-KEY": world.secrets[kind]}
        assert (await world.client.get(f"{API}/{path}/me", headers=headers)).is_success


def list_operations(app: FastAPI, *, served: bool = True) -> list[str]:
    """`METHOD path` of everything that the application serves, or that it answers with 501, as its router knows it."""
    found = []
    for route in app.routes:
        assert isinstance(route, Route), "a router that is included is built by every application"
        if (route.endpoint is not unserved.refuse) is served:
            found += [f"{method} {route.path}" for method in sorted(route.methods or ())]
    return found


async def dump_store(store: Database) -> dict[str, Any]:
    """
    Every row of every table of every database, and how the tables are defined.

    Of what tests made for a single request, just that it is there. Left out is what /ready writes, in proof that
    writing works, and what tells of requests: traces and the audit.
    """
    (root,) = await store.query("INFO FOR ROOT STRUCTURE;", at=Binding("spectron", None))
    found: dict[str, Any] = {}
    for namespace in (each["name"] for each in root["namespaces"]):
        (info,) = await store.query("INFO FOR NS STRUCTURE;", at=Binding(namespace, None))
        for database in (each["name"] for each in info["databases"]):
            if database.startswith("new-"):
                found[f"{namespace}/{database}"] = "is there"
            else:
                found |= await _dump_database(store, Binding(namespace, database))
    return found


_USED = re.compile(r"'last_used_at': [^']*'")


async def _dump_database(store: Database, binding: Binding) -> dict[str, Any]:
    (info,) = await store.query("INFO FOR DB STRUCTURE;", at=binding)
    tables = sorted({each["name"] for each in info["tables"]} - {"audit_event", "probe", "trace"})
    place = f"{binding.namespace}/{binding.database}"
    found: dict[str, Any] = {f"{place} definition": info}
    for table in tables:
        (rows,) = await store.query(f"SELECT * FROM `{table}`;", at=binding)
        # Noted once a minute: a slow machine takes longer than that for a walk over all operations.
        found[f"{place}/{table}"] = sorted(_USED.sub("'", repr(row)) for row in rows)
    return found

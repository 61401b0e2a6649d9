"""Operations that the product's description of its data plane holds, and that this server does not offer: 501."""

from __future__ import annotations

from fastapi import APIRouter, Request

from spectronctl.server.access.gates import AnyMember
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.problems import not_implemented

_OPERATIONS = """
POST /chat
POST /consolidate
POST /context
GET /documents
POST /documents
GET /documents/keywords
POST /documents/keywords/search
GET /documents/keywords/{normalised}
POST /documents/query
POST /documents/recompute-links
GET /documents/{id}
PUT /documents/{id}
DELETE /documents/{id}
GET /documents/{id}/chunks
GET /documents/{id}/keywords
GET /documents/{id}/raw
POST /elaborate
GET /entities
GET /entities/{entity_type}/{entity_name}
DELETE /entities/{entity_type}/{entity_name}
GET /entities/{entity_type}/{entity_name}/history/{key}
POST /forget
GET /inspect
GET /profile
POST /reflect
POST /scope-grants
GET /state
"""
"""A room that begins to serve one of them takes its line out."""

router = APIRouter(include_in_schema=False)


async def refuse(request: Request, _: AnyMember) -> None:
    """501, to a caller with a good key."""
    operation = f"{request.method} {request.scope['route'].path}"
    raise not_implemented(f"{operation}: documented, and not offered by this server")


# Their paths begin with any context's id: this router comes last, behind all that is served.
for _operation in _OPERATIONS.split("\n")[1:-1]:
    _method, _path = _operation.split()
    router.add_api_route(f"{PREFIX}/{{context_id}}{_path}", refuse, methods=[_method])

"""A new key of a context: the one place where its id, its secret and the row that is kept of it are made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import Request

from spectronctl.server.http.visits import get_visit
from spectronctl.server.registry.credentials import digest_secret, mint_secret, new_context_key_id
from spectronctl.server.registry.rows import Grants, KeyRow


def mint_key(
    request: Request,
    hash_key: bytes,
    context_id: str,
    *,
    name: str | None = None,
    principal: str = "agent",
    principal_id: str | None,
    scope_floor: Any = None,
    grants: Grants | None = None,
    created_at: datetime,
    expires_at: datetime | None,
) -> tuple[KeyRow, str]:
    """
    The row, which is not written yet, and the secret, which is nowhere else; without a name, the id is the name.

    The audit's event of the request names the key.
    """
    key_id = new_context_key_id()
    get_visit(request.scope).objects["key_id"] = key_id
    secret = mint_secret(key_id, context_id)
    row = KeyRow(
        id=key_id,
        context_id=context_id,
        name=name or key_id,
        principal=principal,
        principal_id=principal_id,
        scope_floor=scope_floor,
        grants=grants,
        digest=digest_secret(hash_key, secret),
        created_at=created_at,
        expires_at=expires_at,
    )
    return row, secret

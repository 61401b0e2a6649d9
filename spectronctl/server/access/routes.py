"""Who the caller is, on the data plane of a context."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from spectronctl.server.access.gates import AnyMember
from spectronctl.server.access.schemas import Identity
from spectronctl.server.http.paths import PREFIX
from spectronctl.server.http.responses import describe_problems

router = APIRouter(
    prefix=PREFIX + "/{context_id}",
    tags=["identity"],
    responses=describe_problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
)


@router.get(
    "/me",
    response_model_exclude_none=True,
    responses=describe_problems(HTTPStatus.BAD_REQUEST),
)
async def get_identity(caller: AnyMember) -> Identity:
    """Show the caller: its principal and that one's grants, what its key leaves of them, and what is left in all."""
    key = caller.key
    return Identity(
        principal_id=caller.principal_id,
        kind=caller.owner.kind,
        display_name=caller.owner.display_name,
        key_id=key.id if key else None,
        key_name=key.name if key else None,
        grants=caller.principal.to_grants(),
        token_grants=caller.token.to_grants() if caller.token else None,
        effective_grants=caller.rights.to_grants(),
        delegated_principal_id=caller.delegate,
    )

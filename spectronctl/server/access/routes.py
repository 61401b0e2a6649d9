"""Who the caller is, on the data plane of a context (OpenAPI `WhoamiJson`)."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from spectronctl.server.access.authentication import Caller, Member
from spectronctl.server.access.delegation import Delegate
from spectronctl.server.access.grants import EVERYWHERE, grant, list_verbs, read_patterns
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
async def get_identity(caller: Member, delegate: Delegate) -> Identity:
    """Show the caller, its grants, and what is left of them for its key."""
    return _identify(caller, delegate)


def _identify(caller: Caller, delegate: str | None) -> Identity:
    # Principals have no grants of their own on record yet, so acting for one leaves the caller's as they are.
    key = caller.key
    verbs = list_verbs(key.principal if key else None)
    patterns = read_patterns(key.scope_floor) if key else EVERYWHERE
    narrowed = grant(verbs, patterns)
    return Identity(
        principal_id=caller.name if key else "operator",
        kind="agent" if key and key.principal == "agent" else "service",
        display_name=caller.name,
        grants=grant(verbs),
        token_grants=None if patterns == EVERYWHERE else narrowed,
        effective_grants=narrowed,
        delegated_principal_id=delegate,
    )

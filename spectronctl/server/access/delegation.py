"""The principal that a request acts for: two headers that mean the same."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from spectronctl.server.access.authentication import AuthenticatedMember, CurrentDatabase
from spectronctl.server.access.caller import refuse_delegate
from spectronctl.server.http.problems import invalid
from spectronctl.server.registry.principals import PrincipalTable, parse_principal_id
from spectronctl.server.registry.rows import PrincipalRow

_HEADERS = ("X-Spectron-On-Behalf-Of", "X-Memory-On-Behalf-Of")
_Principal = Annotated[str | None, Header(description="The principal to act for; never widens")]


async def find_target(
    request: Request,
    member: AuthenticatedMember,
    database: CurrentDatabase,
    x_spectron_on_behalf_of: _Principal = None,
    x_memory_on_behalf_of: _Principal = None,
) -> PrincipalRow | None:
    """
    That principal; `principal:` before its id is optional.

    400 for two different ones, or an empty one; 403 for one that is not there.
    """
    # The parameters only describe the headers: of one that comes twice FastAPI hands out a single value, and a
    # program between client and server may have read the other.
    values = [value for name in _HEADERS for value in request.headers.getlist(name)]
    named = {value.strip().removeprefix("principal:") for value in values}
    if len(named) > 1:
        raise invalid(f"{', '.join(_HEADERS)}: name two principals")
    if "" in named:
        raise invalid(f"{_HEADERS[0]}: names no principal")
    if not named:
        return None
    principal_id = parse_principal_id(named.pop())
    if principal_id == member.owner.id:
        return member.owner
    found = principal_id and await PrincipalTable(database).get_principal(
        member.context.id, principal_id
    )
    if not found:
        raise refuse_delegate()
    return found


Target = Annotated[PrincipalRow | None, Depends(find_target)]

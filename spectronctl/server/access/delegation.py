"""The principal that a request acts for: two headers that mean the same."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from spectronctl.server.http.problems import invalid

_HEADERS = ("X-Spectron-On-Behalf-Of", "X-Memory-On-Behalf-Of")
_Principal = Annotated[str | None, Header(description="The principal to act for; never widens")]


async def find_delegate(
    request: Request,
    x_spectron_on_behalf_of: _Principal = None,
    x_memory_on_behalf_of: _Principal = None,
) -> str | None:
    """The id of that principal; `principal:` before it is optional. 400 for two different ones, or an empty one."""
    # The parameters only describe the headers: of one that comes twice FastAPI hands out a single value, and a
    # program between client and server may have read the other.
    values = [value for name in _HEADERS for value in request.headers.getlist(name)]
    named = {value.strip().removeprefix("principal:") for value in values}
    if len(named) > 1:
        raise invalid(f"{', '.join(_HEADERS)}: name two principals")
    if "" in named:
        raise invalid(f"{_HEADERS[0]}: names no principal")
    return named.pop() if named else None


Delegate = Annotated[str | None, Depends(find_delegate)]

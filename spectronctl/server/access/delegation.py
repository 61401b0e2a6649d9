"""Whom a request acts for (seed 003, "Authentication"): two headers that mean the same."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header

from spectronctl.server.http.problems import invalid

_Principal = Annotated[str | None, Header(description="The principal to act for; never widens")]


async def read_delegate(
    x_spectron_on_behalf_of: _Principal = None, x_memory_on_behalf_of: _Principal = None
) -> str | None:
    """The id of the principal acted for; `principal:` before it is optional. 400 for two, or for nobody."""
    spellings = (x_spectron_on_behalf_of, x_memory_on_behalf_of)
    named = {name.strip().removeprefix("principal:") for name in spellings if name is not None}
    if len(named) > 1:
        raise invalid("X-Spectron-On-Behalf-Of, X-Memory-On-Behalf-Of: name two principals")
    if "" in named:
        raise invalid("X-Spectron-On-Behalf-Of: names nobody")
    return named.pop() if named else None


Delegate = Annotated[str | None, Depends(read_delegate)]

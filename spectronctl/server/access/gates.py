"""
What a route asks of its caller, as dependencies named by what they grant. Every route has exactly one of them.

`Reader`, `Writer`, `Forgetter`, `ScopeCreator`, `ScopeDeleter` and `GrantManager` take a key of the context that holds
the verb somewhere: where it does, `caller.region` says and `caller.require` asks. `AnyMember` takes any key of the
context, `KeyMinter` one that may change the keys of its principal. `Operator` and `Open` are for the `dependencies` of
a router: a management key, and no key at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from spectronctl.server.access.authentication import AuthenticatedMember, authenticate_operator
from spectronctl.server.access.caller import Caller, resolve_caller
from spectronctl.server.access.delegation import Target
from spectronctl.server.http.problems import forbidden


async def get_caller(request: Request, member: AuthenticatedMember, target: Target) -> Caller:
    """The caller with its rights. The key is checked first: without one, no other error is reported."""
    caller = resolve_caller(member.context, member.key, member.owner, target)
    # For the account of a request that is refused further on.
    request.state.caller = caller
    return caller


AnyMember = Annotated[Caller, Depends(get_caller)]


async def admit_all() -> None:
    """Ask for nothing."""


_GATES: dict[Callable[..., Any], str] = {
    admit_all: "open",
    authenticate_operator: "operator",
    get_caller: "member",
}


def _demand(verb: str) -> Callable[[Caller], Awaitable[Caller]]:
    async def admit(caller: AnyMember) -> Caller:
        caller.require(verb)
        return caller

    # Noted for the tests: a route without an entry here would be one that asks nothing, and nothing would show it.
    _GATES[admit] = verb
    return admit


async def admit_minter(caller: AnyMember) -> Caller:
    """For itself, with a key whose principal is not its own alone, where the context allows it."""
    caller.require_own_keys()
    if caller.key is None:
        raise forbidden("a management key has no keys of its own: use /contexts/{context_id}/keys")
    if caller.delegate is not None:
        raise forbidden("keys cannot be changed on behalf of another principal")
    if caller.owner.of_key:
        raise forbidden(
            "this key has a principal for itself alone: only a key made with principal_id may change its own"
        )
    return caller


_GATES[admit_minter] = "own keys"

Open = Depends(admit_all)
Operator = Depends(authenticate_operator)
Reader = Annotated[Caller, Depends(_demand("memory:read"))]
Writer = Annotated[Caller, Depends(_demand("memory:write"))]
Forgetter = Annotated[Caller, Depends(_demand("memory:forget"))]
ScopeCreator = Annotated[Caller, Depends(_demand("scope:create"))]
ScopeDeleter = Annotated[Caller, Depends(_demand("scope:delete"))]
KeyMinter = Annotated[Caller, Depends(admit_minter)]
GrantManager = Annotated[Caller, Depends(_demand("grant:manage"))]


def list_gates(route: APIRoute) -> list[str]:
    """The gates that a route declares: `open`, `operator`, `member` (any key), `own keys` or a verb."""
    calls = [each.call for each in route.dependant.dependencies]
    return [_GATES[call] for call in calls if call in _GATES]

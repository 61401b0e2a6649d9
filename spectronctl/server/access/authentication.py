"""
Who is calling: the key of a request, checked.

On the data plane a wrong key, a foreign key, an expired key and an unknown context get the same response after the same
work, so that no key can be used to find out which contexts exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.datastructures import Headers

from spectronctl.server.database.database import Database
from spectronctl.server.http.problems import ProblemError, forbidden, not_found, unauthorized
from spectronctl.server.http.visits import get_visit
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.credentials import Credential, is_secret, parse_secret
from spectronctl.server.registry.keys import Holder, KeyTable, ManagementKeyTable
from spectronctl.server.registry.principals import EVERYTHING
from spectronctl.server.registry.rows import (
    ContextRow,
    KeyRow,
    ManagementKeyRow,
    PrincipalRow,
    is_expired,
)

_HOW = "send a key as `Authorization: Bearer KEY` or as `API-KEY: KEY`"
_REJECTED = (
    "the key is not accepted here: it is unknown, revoked or expired, or it is not for this context"
)


LOCAL = "local"
"""The name of an operator without a key, in a process that is its own."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """The holder of a key that was checked, in a context, and who it acts for; `key` is None for the operator."""

    key: KeyRow | None
    owner: PrincipalRow
    context: ContextRow


async def get_database(request: Request) -> Database:
    """The application's store."""
    return cast("Database", request.app.state.database)


async def get_hash_key(request: Request) -> bytes:
    """The store's key for the hashes of secrets, read once: it never changes."""
    state = request.app.state
    if state.hash_key is None:
        state.hash_key = await ManagementKeyTable(state.database).load_hash_key()
    return cast("bytes", state.hash_key)


async def authenticate_operator(request: Request) -> None:
    """A management key, or 401; a good key of a context is 403."""
    holder = await _find_holder(request)
    if isinstance(holder, Holder):
        detail = "this is a context's key: a management key (mgmt-...) is needed here"
        raise forbidden(detail, reason="key of a context on the management plane")
    await request.app.state.key_uses.note(holder)


async def authenticate_member(request: Request, context_id: str) -> Member:
    """A key of exactly this context, or a management key; anything else is the same 401."""
    holder = await _find_holder(request)
    key = holder.key if isinstance(holder, Holder) else None
    if key and key.context_id != context_id:
        raise _reject("key of another context")
    database = await get_database(request)
    context = await ContextTable(database).get_context(context_id)
    # Only the operator of an embedded server, who has no key, may learn that a context does not exist.
    if context is None:
        raise (
            not_found(f"no context {context_id}") if holder is None else _reject("no such context")
        )
    # For the account of a request that is refused from here on.
    request.state.context = context
    # After everything that may refuse it: a key that is refused was not used.
    if isinstance(holder, Holder):
        await request.app.state.key_uses.note(holder.key)
        return Member(key=holder.key, owner=holder.principal, context=context)
    await request.app.state.key_uses.note(holder)
    return Member(key=None, owner=_make_operator(context, holder), context=context)


def _make_operator(context: ContextRow, holder: ManagementKeyRow | None) -> PrincipalRow:
    # Not one of the context's principals: a management key is outside of them, and may do everything.
    return PrincipalRow(
        id="operator",
        context_id=context.id,
        kind="service",
        display_name=holder.name if holder else LOCAL,
        grants=EVERYTHING,
        created_at=context.created_at,
    )


def find_secret(headers: Headers) -> str | None:
    """The secret that a request carries, None for none; 401 when its headers disagree or cannot be read."""
    # Our own client sends both headers with one key. Two different ones are refused: a proxy may have added
    # the second, and which of them counts would be a guess.
    found = set(headers.getlist("api-key"))
    for value in headers.getlist("authorization"):
        scheme, _, secret = value.partition(" ")
        if scheme.lower() != "bearer":
            detail = f"the Authorization header is not of the Bearer kind: {_HOW}"
            raise unauthorized(detail, reason="not a Bearer key")
        found.add(secret.strip())
    if len(found) > 1:
        detail = "the request carries two different keys: send one"
        raise unauthorized(detail, reason="two different keys")
    return found.pop() if found else None


async def _find_holder(request: Request) -> ManagementKeyRow | Holder | None:
    """The key in use; None for a request without one in a trusted process."""
    secret, visit = find_secret(request.headers), get_visit(request.scope)
    if secret is None:
        if request.app.state.trusted:
            visit.principal, visit.is_known = LOCAL, True
            return None
        raise unauthorized(f"no key: {_HOW}", reason="no key")
    claim = parse_secret(secret)
    if claim is None:
        raise _reject("malformed key")
    visit.key_id = claim.key_id
    holder = await _look_up(await get_database(request), claim)
    row = holder.key if isinstance(holder, Holder) else holder
    # Compared even when there is no such key, so that how long a refusal takes does not tell which keys exist.
    good = is_secret(await get_hash_key(request), secret, row.digest if row else None)
    if row is None:
        raise _reject("unknown or revoked key")
    if not good:
        raise _reject("not the secret of this key, or no longer")
    visit.principal = holder.principal.id if isinstance(holder, Holder) else row.name
    visit.is_known = True
    if isinstance(row, KeyRow) and is_expired(row):
        raise _reject("expired key")
    return holder


def _reject(reason: str) -> ProblemError:
    """The same response for all of these, and for the log which of them it is."""
    return unauthorized(_REJECTED, reason=reason)


async def _look_up(database: Database, claim: Credential) -> ManagementKeyRow | Holder | None:
    if claim.context_id is None:
        return await ManagementKeyTable(database).get_management_key(claim.key_id)
    return await KeyTable(database).get_holder(claim.context_id, claim.key_id)


CurrentDatabase = Annotated[Database, Depends(get_database)]
HashKey = Annotated[bytes, Depends(get_hash_key)]
AuthenticatedMember = Annotated[Member, Depends(authenticate_member)]

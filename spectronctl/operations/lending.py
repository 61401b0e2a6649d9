"""Keys lent to one program each: with the rights of another key, or given ones, and gone when it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import Any

from spectronctl.client import Client
from spectronctl.errors import ConflictError, NotFoundError, RequestError, SpectronctlError
from spectronctl.ground.times import format_time, parse_time
from spectronctl.models.identity import Grants
from spectronctl.models.keys import Key, MintedKey, has_expired, lend_name, split_name
from spectronctl.operations.keys import (
    create_key,
    delete_key,
    find_existing,
    find_key,
    may_have_minted,
    sweep_keys,
)


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What a key may do; None is whatever the key has, and where there is none an `agent` without a floor."""

    principal: str | None = None
    scope_floor: Any = None

    @property
    def given(self) -> dict[str, Any]:
        """What they say, by the names of a key's fields."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Loan:
    """
    A key to be minted, under a name that is not in use.

    It ends after `expires_in` seconds, or at `expires_at`; `ends` says when, if it is minted now.
    """

    name: str
    principal: str
    principal_id: str | None
    scope_floor: Any
    grants: Grants | None
    expires_in: int | None
    expires_at: str | None
    ends: str

    @property
    def remains(self) -> str:
        """What is said where the key may have been minted, and not deleted."""
        return f"Key {self.name} may be left until {self.ends}. The program was not run."


def plan_loan(
    client: Client, context_id: str, wanted: str, rights: Rights, *, lifetime: int
) -> Loan:
    """
    A key with the rights of the one that `wanted` names, for `lifetime` seconds and no longer than that one lives.

    With `rights` there need be no such key, and one that is there must have those that are given: ConflictError, as for
    one that has expired. NotFoundError names the near ones.
    """
    key = _find_model(client, context_id, wanted, rights)
    now = client.server_time()
    latest = now + timedelta(seconds=lifetime)
    # A lent key must not outlive the one whose rights it has. That end is passed on as the server wrote it; a
    # lifetime is passed on in seconds, which the server counts by its own clock.
    ends = parse_time(key.expires_at) if key else None
    is_bounded = ends is not None and ends < latest
    return Loan(
        name=lend_name(split_name(key.name if key else wanted)[0], token_hex(4)),
        principal=(key.principal if key else rights.principal) or "agent",
        principal_id=key.principal_id if key else None,
        scope_floor=key.scope_floor if key else rights.scope_floor,
        grants=key.grants if key else None,
        expires_in=None if is_bounded else lifetime,
        expires_at=key.expires_at if key and is_bounded else None,
        ends=format_time(ends if ends and is_bounded else latest.replace(microsecond=0)),
    )


_NOT_THESE_RIGHTS = (
    "Leave --principal and --scope-floor out to lend the key's rights, or choose another name."
)


def _find_model(client: Client, context_id: str, wanted: str, rights: Rights) -> Key | None:
    """The key whose rights are lent; None where they are given and there is none."""
    if rights.given:
        # Rights on the command line need no model, but a key of that name must not be one with others: the two would
        # be taken for each other.
        return find_existing(client, context_id, wanted, rights.given, hint=_NOT_THESE_RIGHTS)
    try:
        key = find_key(client, context_id, wanted)
    except NotFoundError as exc:
        # Ours, from the list; one with a status is the server's, about the context.
        if exc.status is None:  # the context is there, and no such key
            exc.hint = "Name a key that is there, or say what the program may do: --scope-floor, --principal."
        raise
    if has_expired(key, client.server_time()):
        raise ConflictError(
            f"key {key.name} ({key.id}) has expired: it has no rights to lend",
            hint="Name another key, or rotate this one with --overlap 0s.",
        )
    return key


def lend_key(client: Client, context_id: str, loan: Loan) -> MintedKey:
    """
    Mint the key.

    When that fails nothing that may have been minted is left, or the error says so. An interrupt returns it, too.
    """
    try:
        return create_key(
            client,
            context_id,
            loan.name,
            recover=True,
            principal=loan.principal,
            principal_id=loan.principal_id,
            scope_floor=loan.scope_floor,
            grants=loan.grants,
            expires_in=loan.expires_in,
            expires_at=loan.expires_at,
        )
    except RequestError as exc:
        # An interrupt is not caught here: the caller's own clean-up returns the loan then, by its name.
        if may_have_minted(exc):
            _return_lost(client, context_id, loan, exc)
        raise


def _return_lost(client: Client, context_id: str, loan: Loan, lost: RequestError) -> None:
    # The orphan that `create_key` named is about to be deleted: to offer it would be wrong.
    lost.candidates = []
    try:
        return_key(client, context_id, loan)
    except SpectronctlError:
        lost.hint = loan.remains
        lost.command = f"spectronctl keys delete {loan.name} -c {context_id} --if-missing ok"
    else:
        lost.hint, lost.command = "No key is left, and the program was not run.", None


def return_key(client: Client, context_id: str, loan: Loan, key: Key | None = None) -> None:
    """Delete the key that was lent, if it is still there; without `key`, whatever may have been minted for the loan."""
    if key is None:
        # By the name alone, which holds 32 random bits: another key does not have it.
        sweep_keys(client, context_id, loan.name)
    else:
        delete_key(client, context_id, key, missing_ok=True)

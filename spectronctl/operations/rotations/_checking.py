"""The new secret is tried, and what it may do is held against what the old one might."""

from __future__ import annotations

from spectronctl.api import identity
from spectronctl.errors import AuthError, ConflictError
from spectronctl.models.identity import Grants
from spectronctl.models.keys import MintedKey
from spectronctl.operations.rotations._rotation import Rotation
from spectronctl.operations.rotations._run import Run


def check_secret(run: Run, minted: MintedKey) -> None:
    """AuthError for a secret that does not work; ConflictError for one that may do other things."""
    try:
        caller = run.client.with_key(minted.secret).send(
            identity.get_identity(run.rotation.context)
        )
    except AuthError as exc:
        exc.hint = f"The new secret of {minted.name} does not work, so it was not delivered."
        raise
    # Only here can both be compared: in place it is the same key, and of a leaked one the old secret is dead already.
    if run.rotation.method == "overlap":
        _check_grants(run.rotation, minted, caller.effective_grants)


def check_kind(rotation: Rotation, minted: MintedKey) -> None:
    """ConflictError unless what the server says of the successor is what was asked for."""
    same_kind = _is_same(minted.principal, rotation.principal) and _is_same(
        minted.principal_id, rotation.principal_id
    )
    same_floor = (
        # A server that does not mention the floor is not one that set it to null.
        "scope_floor" not in minted.model_fields_set or minted.scope_floor == rotation.scope_floor
    )
    # A server that does not know them would mint a key that may do all that its principal may.
    same_limits = _sort(minted.grants or {}) == _sort(rotation.limits or {})
    if not (same_kind and same_floor and same_limits):
        raise _refuse_other(rotation, minted)


def _is_same(one: str | None, other: str | None) -> bool:
    """Whether the two agree, where both are known."""
    return None in (one, other) or one == other


def _check_grants(rotation: Rotation, minted: MintedKey, grants: Grants) -> None:
    if _sort(rotation.grants or grants) != _sort(grants):
        raise _refuse_other(rotation, minted)


def _sort(grants: Grants) -> Grants:
    return {verb: sorted(patterns) for verb, patterns in grants.items()}


def _refuse_other(rotation: Rotation, minted: MintedKey) -> ConflictError:
    return ConflictError(
        f"{minted.name} ({minted.id}) may do other things than {rotation.key['name']},"
        " so it was not delivered",
        hint="An operator, or another version of the server, changed the grants of such a key.",
        command=f"spectronctl keys rotations abort {rotation.id}",
    )

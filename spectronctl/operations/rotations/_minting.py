"""The new secret: of the same key, or of a successor that bears the next generation's name."""

from __future__ import annotations

from spectronctl.api import keys as api
from spectronctl.api.requests import Request
from spectronctl.errors import ConflictError, RequestError
from spectronctl.models.keys import MintedKey
from spectronctl.operations.keys import check_minted
from spectronctl.operations.recovery import (
    Advice,
    explain_loss,
    is_lost,
    send_until_response,
)
from spectronctl.operations.rotations._rotation import Step
from spectronctl.operations.rotations._run import Run

ATTEMPTS = 3
"""How often a secret whose response was lost is replaced at once."""


def rotate(run: Run, is_fresh: bool) -> Step:
    """A new secret in place of the old one, which stops at once."""
    key_id = run.rotation.key["id"]
    # The secret that these outcomes were about stops now.
    run.rotation.delivered = [None] * len(run.places)
    # Not fresh: the run before may have rotated and lost the secret, so the old one may be dead already and one more
    # rotation costs nothing.
    if run.recover or not is_fresh:
        run.minted = _renew(run, key_id)
    else:
        run.minted = _rotate_once(run, key_id)
    return run.after("rotating")


def _rotate_once(run: Run, key_id: str) -> MintedKey:
    """An agent that is up still may hold the old secret: whether to make another is not decided here."""
    try:
        minted = run.client.send(api.rotate_key(run.rotation.context, key_id))
    except RequestError as exc:
        lost = "The old secret may be dead and the new one is lost: resuming makes another."
        raise explain_loss(exc, Advice(lost)) from None
    return check_minted(run.rotation.context, minted)


def _renew(run: Run, key_id: str) -> MintedKey:
    """A fresh secret for a key whose last one was not delivered; a response that is lost makes that secret another."""

    def note_loss() -> None:
        # A lost response may have changed the key: a refusal that follows must not count as "nothing was begun"
        # (`_step_back`).
        run.has_begun = True

    request = api.rotate_key(run.rotation.context, key_id)
    minted = send_until_response(run.client, request, attempts=ATTEMPTS, on_loss=note_loss)
    return check_minted(run.rotation.context, minted)


def mint(run: Run, is_fresh: bool) -> Step:
    """A key that stands under the stamped name already is ours: the response that minted it was lost."""
    for attempt in range(ATTEMPTS):
        if attempt or not is_fresh or run.rotation.successor_id:
            run.has_begun = True
            if _adopt(run):
                return run.after("minting")
        try:
            minted = run.client.send(_make_request(run))
        except ConflictError:
            # The name was free when it was planned, and nothing of ours was sent: another process took it. Later a
            # conflict may be about our own key, whose response was lost, and the next attempt looks for it.
            if is_fresh and not attempt:
                taken = _refuse_taken(run)
                run.rotation.generation += 1  # a resumed run must not take that key for ours
                raise taken from None
        except RequestError as exc:
            if not is_lost(exc) or attempt == ATTEMPTS - 1:
                raise
        else:
            # First the id, then the check: a key whose secret is refused is there, and an abort must find it.
            run.rotation.successor_id = minted.id
            run.minted = check_minted(run.rotation.context, minted)
            return run.after("minting")
    raise _refuse_taken(run)


def _make_request(run: Run) -> Request[MintedKey]:
    rotation = run.rotation
    lifetime = rotation.lifetime
    return api.create_key(
        rotation.context,
        rotation.successor_name,
        principal=rotation.principal or "agent",
        # Only a server that told it knows it. Grants, audit and external session ids are the principal's.
        principal_id=rotation.principal_id,
        scope_floor=rotation.scope_floor,
        grants=rotation.limits,
        expires_in=None if lifetime is None else round(lifetime),
    )


def _adopt(run: Run) -> bool:
    """Give the key that an earlier attempt left under the stamped name a fresh secret, if there is one."""
    found = run.find_named()
    if not found:
        return False
    # Where names are not unique, several lost attempts may have left a key each: the others retire with the old one.
    run.rotation.retiring += [{"id": key.id, "name": key.name} for key in found[1:]]
    run.minted = _renew(run, found[0].id)
    run.rotation.successor_id = run.minted.id
    return True


def _refuse_taken(run: Run) -> ConflictError:
    rotation = run.rotation
    return ConflictError(
        f"a key named {rotation.successor_name!r} has just appeared:"
        f" another process rotates {rotation.name}",
        command=f"spectronctl keys list -c {rotation.context} --match '{rotation.name}*'",
    )

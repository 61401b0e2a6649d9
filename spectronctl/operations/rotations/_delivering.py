"""The new secret is put where the old one was; one that was lost on the way is replaced."""

from __future__ import annotations

from spectronctl.errors import SpectronctlError
from spectronctl.models.keys import MintedKey
from spectronctl.operations.rotations._checking import check_kind, check_secret
from spectronctl.operations.rotations._planning import next_generation
from spectronctl.operations.rotations._rotation import Step
from spectronctl.operations.rotations._run import Run


def verify(run: Run, is_fresh: bool) -> Step:
    """Try the new secret."""
    if run.minted is None:
        # A secret is only in memory, so a resumed run has none to try. Where it was delivered before this step that
        # is all right: its place has it.
        return run.after("verifying") if run.order[-1] == "verifying" else _resupply(run)
    check_secret(run, run.minted)
    return run.after("verifying")


def deliver(run: Run, is_fresh: bool) -> Step:
    """Put the new secret in every place."""
    if run.minted is None:
        return _resupply(run)
    if run.rotation.method != "in place":
        check_kind(run.rotation, run.minted)
    _deliver_to_all(run, run.minted)
    return run.after("delivering")


def _deliver_to_all(run: Run, minted: MintedKey) -> None:
    """
    Places that hold no secret that works come first, and all of them get this one, whichever of them fail.

    The others can wait: as long as this secret was not delivered, its key can be used again.
    """
    failure: SpectronctlError | None = None
    for index in sorted(range(len(run.places)), key=lambda index: _is_served(run, index)):
        if failure and _is_served(run, index):
            break
        try:
            _deliver_to(run, index, minted)
        except SpectronctlError as exc:
            failure = failure or exc
    if failure:
        raise failure


def _is_served(run: Run, index: int) -> int:
    """How well a place does without the new secret: not at all, while the old key lives, or for good."""
    if run.rotation.delivered[index] == "outdated":
        return 2
    return 1 if run.rotation.method == "overlap" else 0


def _deliver_to(run: Run, index: int, minted: MintedKey) -> None:
    delivered = run.rotation.delivered
    before = delivered[index]
    # On the disk before the secret is anywhere. A crash from here on leaves `started`, and the place counts as one
    # that may hold the secret, whether it got it or not.
    delivered[index] = "started"
    run.save(run.rotation)
    try:
        run.places[index](minted)
    except SpectronctlError:
        # A place that had an earlier successor's secret still has it, and that key works on.
        delivered[index] = before if before == "outdated" else "failed"
        raise
    delivered[index] = "delivered"


def _resupply(run: Run) -> Step:
    """The secret is lost. Where a place may hold it, that key must live on, and another generation follows it."""
    rotation = run.rotation
    if rotation.method == "in place":
        return "rotating"
    if not rotation.may_be_held or rotation.successor_id is None:
        return "minting"
    # Not the shared listing: the number must be free, and another rotation may just have taken one.
    keys = run.list_keys_now()
    rotation.retiring.append({"id": rotation.successor_id, "name": rotation.successor_name})
    rotation.generation = next_generation(keys, rotation.name)
    rotation.successor_id = None
    rotation.delivered = [
        "outdated" if outcome in ("delivered", "outdated") else None
        for outcome in rotation.delivered
    ]
    return "minting"

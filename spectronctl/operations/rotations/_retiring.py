"""The old keys go: at once where one has leaked, otherwise when the overlap is over and they are no longer used."""

from __future__ import annotations

from datetime import datetime, timedelta

from spectronctl.errors import ConflictError
from spectronctl.ground.times import parse_time
from spectronctl.models.keys import Key, has_expired
from spectronctl.operations.clocks import FRESH_SECONDS
from spectronctl.operations.rotations._rotation import Step
from spectronctl.operations.rotations._run import Run

USE_RESOLUTION = timedelta(minutes=1)
"""A server notes the use of a key at most this often, so the last use may be this much later."""


def revoke(run: Run, is_fresh: bool) -> Step:
    """Delete the key that has leaked, even if it is in use."""
    run.delete_key(run.rotation.key["id"])
    run.has_begun = True
    return run.after("revoking")


def wait(run: Run, is_fresh: bool) -> Step | None:
    """Nothing is left to do before the time has come, by the server's clock."""
    if not run.rotation.is_due(run.server_time()):
        return None
    if not run.client.has_heard_within(FRESH_SECONDS):
        # Our own clock may be days ahead, as after a start of the machine before its clock was set.
        run.list_keys_now()
    return "deleting" if run.rotation.is_due(run.server_time()) else None


def delete(run: Run, is_fresh: bool) -> Step:
    """Delete what the successor replaces, except what was in use a moment ago: that waits."""
    rotation = run.rotation
    # What was used since this run began matters to a drain, and shows in a listing from after that only.
    since = run.started_at if run.minted and rotation.drain else None
    keys = {key.id: key for key in run.list_keys(since=since)}
    # Before anything is deleted: without its successor the old key is the only one that works.
    _check_successor(run, keys)
    waits = []
    for ref in list(rotation.retiring):
        if until := _find_end_of_use(run, keys.get(ref["id"])):
            waits.append(until)
            continue
        # Absent after a crash between the deletion and the next journal: then it is only struck off.
        if ref["id"] in keys:
            run.delete_key(ref["id"])
        rotation.retiring.remove(ref)
    if waits:
        run.wait_until(min(waits))
        return "waiting"
    rotation.due_at = rotation.due_uptime = None
    return "done"


def _check_successor(run: Run, keys: dict[str, Key]) -> None:
    rotation = run.rotation
    successor = run.minted or keys.get(rotation.successor_id or "") or _find_successor(run)
    if successor and not has_expired(successor, run.server_time()):
        return
    raise ConflictError(
        f"the successor {rotation.successor_name} ({rotation.successor_id}) is gone or has expired,"
        f" so {rotation.key['name']} ({rotation.key['id']}) stays",
        hint="Another process deleted it. Abort this rotation, and rotate the key again.",
        command=f"spectronctl keys rotations abort {rotation.id}",
    )


def _find_successor(run: Run) -> Key | None:
    """The successor, when it may be younger than the listing at hand."""
    return next((key for key in run.list_keys_now() if key.id == run.rotation.successor_id), None)


def _find_end_of_use(run: Run, key: Key | None) -> datetime | None:
    """When the key will not have been used within the drain; None when that is so already."""
    now, drain = run.server_time(), run.rotation.drain
    if key is None or key.last_used_at is None or not drain or has_expired(key, now):
        return None
    last = parse_time(key.last_used_at) or now  # not known: it may be in use
    # An old use that was noted may hide one that was not, up to a minute later.
    until = last + USE_RESOLUTION + timedelta(seconds=drain)
    return until if until > now else None

"""
Runs a rotation, step by step, from wherever its journal says it stands.

    in place   planned → rotating → delivering → verifying → done
    overlap    planned → minting → verifying → delivering → waiting ⇄ deleting → done
    leaked     planned → revoking → minting → delivering → verifying → done

Every step is saved before it is taken, so a resumed run knows what may have happened. A secret is only ever in
memory: one that was lost on the way is replaced, in place while it cannot have been delivered, by a new generation
afterwards. While the old secret works the new one is tried before it is delivered, so that one that does not work
never replaces one that does; otherwise it is delivered at once, and tried then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from spectronctl.client import Client
from spectronctl.errors import NetworkError, RateLimitedError, SpectronctlError, UpstreamError
from spectronctl.ground.times import format_time, read_uptime
from spectronctl.models.keys import MintedKey
from spectronctl.operations.recovery import is_lost
from spectronctl.operations.rotations._delivering import deliver, verify
from spectronctl.operations.rotations._directory import KeyDirectory
from spectronctl.operations.rotations._minting import mint, rotate
from spectronctl.operations.rotations._retiring import delete, revoke, wait
from spectronctl.operations.rotations._rotation import Rotation, Step, Uptime
from spectronctl.operations.rotations._run import Deliver, Run

STEPS: dict[Step, Callable[[Run, bool], Step | None]] = {
    "planned": lambda run, _: run.order[0],
    "revoking": revoke,
    "rotating": rotate,
    "minting": mint,
    "verifying": verify,
    "delivering": deliver,
    "waiting": wait,
    "deleting": delete,
}
"""
What each step does, and which one follows; None ends the run.

A step is told whether it is fresh: entered by this very run, so that no earlier one can have begun it.
"""

_TRANSIENT = (NetworkError, UpstreamError, RateLimitedError)


class Rotator:
    """
    Takes rotations further. `save` writes a journal and must not return before it is on the disk. `now` is the time
    by our own clock, `uptime` that since this machine started.

    Several threads may run rotations on one of these, each rotation in one thread.
    """

    def __init__(
        self,
        client: Client,
        save: Callable[[Rotation], None],
        *,
        recover: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        uptime: Callable[[], Uptime | None] = read_uptime,
    ) -> None:
        self.client = client
        self.directory = KeyDirectory(client)
        self.now = now
        self._uptime = uptime
        self.recover = recover
        self._save = save

    def run(self, rotation: Rotation, places: Sequence[Deliver]) -> MintedKey | None:
        """
        Take a rotation as far as it goes now; afterwards it is `waiting`, `done`, or an error was raised.

        Returns the key with the new secret when this run delivered it.

        `places` stand in the order of `rotation.places`. A rotation that failed before it changed anything is
        `aborted` when it can never succeed, and `planned` when it may.
        """
        run = self._make_run(rotation, places)
        try:
            _take_steps(run)
        except SpectronctlError as exc:
            # The message is written to the journal, which holds no secrets.
            rotation.error = _redact(run, exc.message)
            # In memory first, then one write: a crash between them leaves the step that failed, which a resume takes
            # again.
            _step_back(run, exc)
            self.save(rotation)
            if rotation.is_open:
                exc.command = exc.command or rotation.resume_command
            raise
        return run.minted

    def save(self, rotation: Rotation) -> None:
        """Write the journal."""
        rotation.updated_at = format_time(self.now() + self.client.clock_offset)
        self._save(rotation)

    def abort(self, rotation: Rotation) -> list[str]:
        """
        Give up; the ids of the keys that stay alive.

        A successor that was never delivered is deleted; one that may have been delivered stays, as does the old key.
        """
        run = self._make_run(rotation, ())
        # Nothing of the past is deleted by giving up: what was to retire is still in use somewhere.
        alive = [ref["id"] for ref in rotation.retiring]
        if rotation.method == "in place" or (rotation.method, rotation.step) == (
            "leaked",
            "planned",
        ):
            alive.append(rotation.key["id"])
        # The deletion was written down and may or may not have been sent: only the server knows.
        elif rotation.step == "revoking":
            alive += [key.id for key in run.list_keys_now() if key.id == rotation.key["id"]]
        elif rotation.step != "planned":
            alive += _drop_successor(run)
        rotation.step = "aborted"
        self.save(rotation)
        return alive

    def _make_run(self, rotation: Rotation, places: Sequence[Deliver]) -> Run:
        return Run(
            self.client,
            self.directory,
            rotation,
            places,
            self.save,
            self.now,
            self._uptime,
            self.recover,
        )


def _take_steps(run: Run) -> None:
    is_fresh = False
    while run.rotation.is_open:
        following = STEPS[run.rotation.step](run, is_fresh)
        if following is None:
            return
        # Saved here, between two steps: what a step has done is on the disk before the next one begins.
        run.enter(following)
        is_fresh = True


def _step_back(run: Run, error: SpectronctlError) -> None:
    """
    Where a failure leaves the rotation when that is not where it stands.

    The first request failed for certain: as if nothing had begun, or, when it can never succeed, over. What was
    delivered is not taken back because it could not be tried.
    """
    rotation = run.rotation
    if run.order[-1] == "verifying" == rotation.step:
        rotation.step = run.settle()
        error.hint = "The new secret was delivered; 'spectronctl keys verify' tries it again."
    if run.has_begun or rotation.step != run.order[0] or is_lost(error):
        return
    rotation.step = "planned" if isinstance(error, _TRANSIENT) else "aborted"


def _redact(run: Run, text: str) -> str:
    """What a place says may quote the secret it was given."""
    return text.replace(run.minted.secret, "[secret]") if run.minted else text


def _drop_successor(run: Run) -> list[str]:
    keys = run.find_named()
    # A delivery that failed may still have reached its place: deleting the key could cut off its new user.
    if run.rotation.may_be_held:
        return [key.id for key in keys]
    for key in keys:
        run.delete_key(key.id)
    return []

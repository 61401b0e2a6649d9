"""
Runs a rotation, step by step, from wherever its journal says it stands.

    in place   planned → rotating → delivering → verifying → done
    overlap    planned → minting → verifying → delivering → waiting ⇄ deleting → done
    leaked     planned → revoking → minting → delivering → verifying → done

Every step is saved before it is taken, so whoever resumes knows what may have happened. A secret is only ever in
memory: one that was lost on the way is replaced, in place while nobody can hold it, by a further generation once
somebody might. While the old secret works the new one is tried before it is delivered, so that one that does not work
never replaces one that does; otherwise it is delivered at once, and tried then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

from spectronctl.api import identity
from spectronctl.api import keys as api
from spectronctl.api.requests import Request
from spectronctl.client import Client
from spectronctl.errors import (
    AuthError,
    ConflictError,
    NetworkError,
    NotFoundError,
    RateLimitedError,
    RequestError,
    SpectronctlError,
    UpstreamError,
)
from spectronctl.ground.times import format_time, parse_time
from spectronctl.models.identity import Grants
from spectronctl.models.keys import Key, MintedKey, has_expired
from spectronctl.operations.rotations._directory import KeyDirectory
from spectronctl.operations.rotations._rotation import (
    Method,
    Rotation,
    Step,
    next_generation,
)

USE_RESOLUTION = timedelta(minutes=1)
"""A server notes the use of a key at most this often (contract), so the last use may be this much later."""

ATTEMPTS = 3
"""How often a secret whose answer was lost is replaced at once."""

ORDER: dict[Method, tuple[Step, ...]] = {
    "in place": ("rotating", "delivering", "verifying"),
    "overlap": ("minting", "verifying", "delivering"),
    "leaked": ("revoking", "minting", "delivering", "verifying"),
}

_TRANSIENT = (NetworkError, UpstreamError, RateLimitedError)

Deliver = Callable[[MintedKey], None]
"""Puts a secret in its place, and makes sure that it is there; raises SpectronctlError."""


class Rotator:
    """
    Takes rotations further. `save` writes a journal and must not return before it is on the disk.

    Several threads may run rotations on one of these, each rotation in one thread.
    """

    def __init__(
        self,
        client: Client,
        save: Callable[[Rotation], None],
        *,
        recover: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.client = client
        self.directory = KeyDirectory(client)
        self.now = now
        self.recover = recover
        self._save = save

    def run(self, rotation: Rotation, places: Sequence[Deliver]) -> MintedKey | None:
        """
        Take a rotation as far as it goes now; afterwards it is `waiting`, `done`, or an error was raised.

        Returns the key with the new secret when this run delivered it.

        `places` stand in the order of `rotation.places`. A rotation that failed before it changed anything is
        `aborted` when it can never succeed, and `planned` when it may.
        """
        run = _Run(self, rotation, places)
        try:
            run.run()
        except SpectronctlError as exc:
            rotation.error = run.redact(exc.message)
            run.step_back(exc)
            self.save(rotation)
            if rotation.is_open:
                exc.command = exc.command or f"spectronctl keys rotations resume {rotation.id}"
            raise
        return run.minted

    def save(self, rotation: Rotation) -> None:
        """Write the journal."""
        rotation.updated_at = format_time(self.now())
        self._save(rotation)

    def abort(self, rotation: Rotation) -> list[str]:
        """
        Give up; the ids of the keys that stay alive.

        A successor that nobody can hold is deleted; one that may have been delivered stays, as does the old key.
        """
        alive = [ref["id"] for ref in rotation.retiring]
        if rotation.method == "in place" or (rotation.method, rotation.step) == (
            "leaked",
            "planned",
        ):
            alive.append(rotation.key["id"])
        elif rotation.step == "revoking":
            keys = self.directory.list_keys(rotation.context, since=monotonic())
            alive += [key.id for key in keys if key.id == rotation.key["id"]]
        elif rotation.step != "planned":
            alive += self._drop_successor(rotation)
        rotation.step = "aborted"
        self.save(rotation)
        return alive

    def _drop_successor(self, rotation: Rotation) -> list[str]:
        keys = find_named(self, rotation)
        if may_be_held(rotation):
            return [key.id for key in keys]
        for key in keys:
            delete_key(self.client, rotation.context, key.id)
        return []


class _Run:
    """One run of one rotation; `minted` is the secret, while it is known."""

    def __init__(self, rotator: Rotator, rotation: Rotation, places: Sequence[Deliver]) -> None:
        self.rotator = rotator
        self.client = rotator.client
        self.rotation = rotation
        self.places = places
        self.minted: MintedKey | None = None
        self.started_at = monotonic()
        self.has_begun = rotation.step != "planned"
        self.steps: dict[Step, Callable[[bool], Step | None]] = {
            "planned": lambda _: ORDER[rotation.method][0],
            "revoking": self.revoke,
            "rotating": self.rotate,
            "minting": self.mint,
            "verifying": self.verify,
            "delivering": self.deliver,
            "waiting": self.wait,
            "deleting": self.delete,
        }

    def run(self) -> None:
        is_fresh = False
        while self.rotation.is_open:
            following = self.steps[self.rotation.step](is_fresh)
            if following is None:
                return
            self.enter(following)
            is_fresh = True

    def enter(self, step: Step) -> None:
        """Write down what comes next, before it is done."""
        self.rotation.step = step
        self.rotation.error = None
        self.rotator.save(self.rotation)

    def step_back(self, error: SpectronctlError) -> None:
        """
        Where a failure leaves the rotation when that is not where it stands.

        The first request failed for certain: as if nothing had begun, or, when it can never succeed, over. What was
        delivered is not taken back because it could not be tried.
        """
        order = ORDER[self.rotation.method]
        if order[-1] == "verifying" == self.rotation.step:
            self.rotation.step = self.settle()
            error.hint = "The new secret was delivered; 'spectronctl keys verify' tries it again."
        if self.has_begun or self.rotation.step != order[0] or _is_unknown(error):
            return
        self.rotation.step = "planned" if isinstance(error, _TRANSIENT) else "aborted"

    def redact(self, text: str) -> str:
        """What a place says may quote the secret it was given."""
        return text.replace(self.minted.secret, "[secret]") if self.minted else text

    def revoke(self, is_fresh: bool) -> Step:
        delete_key(self.client, self.rotation.context, self.rotation.key["id"])
        self.has_begun = True
        return self.after("revoking")

    def rotate(self, is_fresh: bool) -> Step:
        key_id = self.rotation.key["id"]
        self.rotation.delivered = [None] * len(self.places)
        if self.rotator.recover or not is_fresh:
            self.minted = self.renew(key_id)
        else:
            self.minted = self.rotate_once(key_id)
        return self.after("rotating")

    def rotate_once(self, key_id: str) -> MintedKey:
        """An agent that is up still may hold the old secret: whether to make another is not decided here."""
        try:
            return self.client.send(api.rotate_key(self.rotation.context, key_id))
        except RequestError as exc:
            if exc.outcome_unknown:
                exc.hint = (
                    "The old secret may be dead and the new one is lost: resuming makes another."
                )
            raise

    def mint(self, is_fresh: bool) -> Step:
        """A key that stands under the stamped name already is ours: the answer that minted it was lost."""
        for attempt in range(ATTEMPTS):
            if attempt or not is_fresh or self.rotation.successor_id:
                self.has_begun = True
                if self.adopt():
                    return self.after("minting")
            try:
                self.minted = self.client.send(self.make_request())
            except ConflictError:
                if is_fresh and not attempt:
                    taken = self.refuse_taken()
                    self.rotation.generation += 1  # whoever resumes must not take that key for ours
                    raise taken from None
            except RequestError as exc:
                if not exc.outcome_unknown or attempt == ATTEMPTS - 1:
                    raise
            else:
                self.note_successor(self.minted)
                return self.after("minting")
        raise self.refuse_taken()

    def make_request(self) -> Request[MintedKey]:
        rotation = self.rotation
        lifetime = rotation.lifetime
        return api.create_key(
            rotation.context,
            rotation.successor_name,
            principal=rotation.principal or "agent",
            scope_floor=rotation.scope_floor,
            expires_in=None if lifetime is None else round(lifetime),
        )

    def adopt(self) -> bool:
        """Give the key that an earlier attempt left under the stamped name a fresh secret, if there is one."""
        found = find_named(self.rotator, self.rotation)
        if not found:
            return False
        self.rotation.retiring += [{"id": key.id, "name": key.name} for key in found[1:]]
        self.minted = self.renew(found[0].id)
        self.note_successor(self.minted)
        return True

    def note_successor(self, minted: MintedKey) -> None:
        self.rotation.successor_id = minted.id

    def renew(self, key_id: str) -> MintedKey:
        """A fresh secret for a key whose last one nobody holds; an answer that is lost makes that secret another."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self.client.send(api.rotate_key(self.rotation.context, key_id))
            except RequestError as exc:
                if not exc.outcome_unknown:
                    raise
                self.has_begun = True
        return self.client.send(api.rotate_key(self.rotation.context, key_id))

    def refuse_taken(self) -> ConflictError:
        return ConflictError(
            f"a key named {self.rotation.successor_name!r} has just appeared:"
            f" somebody else rotates {self.rotation.name}",
            command=f"spectronctl keys list -c {self.rotation.context} --match '{self.rotation.name}*'",
        )

    def verify(self, is_fresh: bool) -> Step:
        """Try the new secret, and hold what it may do against what the old one might."""
        if self.minted is None:
            is_delivered = ORDER[self.rotation.method][-1] == "verifying"
            return self.after("verifying") if is_delivered else self.resupply()
        try:
            caller = self.client.with_key(self.minted.secret).send(
                identity.get_identity(self.rotation.context)
            )
        except AuthError as exc:
            exc.hint = (
                f"The new secret of {self.minted.name} does not work, so it was not delivered."
            )
            raise
        if self.rotation.method == "overlap":
            self.check_grants(self.minted, caller.effective_grants)
        return self.after("verifying")

    def check_kind(self, minted: MintedKey) -> None:
        """What the server says of the successor is what was asked for."""
        rotation = self.rotation
        same_kind = None in (minted.principal, rotation.principal) or (
            minted.principal == rotation.principal
        )
        same_floor = (
            "scope_floor" not in minted.model_fields_set
            or minted.scope_floor == rotation.scope_floor
        )
        if not (same_kind and same_floor):
            raise self.refuse_other(minted)

    def check_grants(self, minted: MintedKey, grants: Grants) -> None:
        if _sort(self.rotation.grants or grants) != _sort(grants):
            raise self.refuse_other(minted)

    def refuse_other(self, minted: MintedKey) -> ConflictError:
        return ConflictError(
            f"{minted.name} ({minted.id}) may do other things than {self.rotation.key['name']},"
            " so it was not delivered",
            hint="Somebody, or another version of the server, changed what such a key is granted.",
            command=f"spectronctl keys rotations abort {self.rotation.id}",
        )

    def deliver(self, is_fresh: bool) -> Step:
        if self.minted is None:
            return self.resupply()
        if self.rotation.method != "in place":
            self.check_kind(self.minted)
        self.deliver_to_all(self.minted)
        return self.after("delivering")

    def after(self, step: Step) -> Step:
        """The step that follows; when the secret is where it belongs, what is left to do."""
        order = ORDER[self.rotation.method]
        return self.settle() if step == order[-1] else order[order.index(step) + 1]

    def settle(self) -> Step:
        """From here on the overlap counts, if there is anything to delete."""
        rotation = self.rotation
        if not rotation.retiring:
            return "done"
        rotation.due_at = format_time(self.rotator.now() + timedelta(seconds=rotation.overlap))
        return "waiting"

    def deliver_to_all(self, minted: MintedKey) -> None:
        """
        Places that hold no secret that works come first, and all of them get this one, whichever of them fail.

        The others can wait: as long as nobody holds this secret, its key can be used again.
        """
        failure: SpectronctlError | None = None
        for index in sorted(range(len(self.places)), key=self.is_served):
            if failure and self.is_served(index):
                break
            try:
                self.deliver_to(index, minted)
            except SpectronctlError as exc:
                failure = failure or exc
        if failure:
            raise failure

    def is_served(self, index: int) -> int:
        """How well a place does without the new secret: not at all, while the old key lives, or for good."""
        if self.rotation.delivered[index] == "outdated":
            return 2
        return 1 if self.rotation.method == "overlap" else 0

    def deliver_to(self, index: int, minted: MintedKey) -> None:
        before = self.rotation.delivered[index]
        self.rotation.delivered[index] = "started"
        self.rotator.save(self.rotation)
        try:
            self.places[index](minted)
        except SpectronctlError:
            self.rotation.delivered[index] = before if before == "outdated" else "failed"
            raise
        self.rotation.delivered[index] = "delivered"

    def resupply(self) -> Step:
        """The secret is lost. Where a place may hold it, that key must live on, and another generation follows it."""
        rotation = self.rotation
        if rotation.method == "in place":
            return "rotating"
        if not may_be_held(rotation) or rotation.successor_id is None:
            return "minting"
        keys = self.rotator.directory.list_keys(rotation.context, since=monotonic())
        rotation.retiring.append({"id": rotation.successor_id, "name": rotation.successor_name})
        rotation.generation = next_generation(keys, rotation.name)
        rotation.successor_id = None
        rotation.delivered = [
            "outdated" if outcome in ("delivered", "outdated") else None
            for outcome in rotation.delivered
        ]
        return "minting"

    def wait(self, is_fresh: bool) -> Step | None:
        return "deleting" if self.rotation.is_due(self.rotator.now()) else None

    def delete(self, is_fresh: bool) -> Step:
        """Delete what the successor replaces, except what was in use a moment ago: that waits."""
        rotation = self.rotation
        # What was used since this run began matters to a drain, and shows in a listing from after that only.
        since = self.started_at if self.minted and rotation.drain else None
        listed = self.rotator.directory.list_keys(rotation.context, since=since)
        keys = {key.id: key for key in listed}
        self.check_successor(keys)
        waits = []
        for ref in list(rotation.retiring):
            if until := self.find_end_of_use(keys.get(ref["id"])):
                waits.append(until)
                continue
            if ref["id"] in keys:
                delete_key(self.client, rotation.context, ref["id"])
            rotation.retiring.remove(ref)
        rotation.due_at = format_time(min(waits)) if waits else None
        return "waiting" if waits else "done"

    def check_successor(self, keys: dict[str, Key]) -> None:
        successor = self.minted or keys.get(self.rotation.successor_id or "")
        successor = successor or self.find_successor()
        if successor and not has_expired(successor, self.rotator.now() + self.client.clock_offset):
            return
        raise ConflictError(
            f"the successor {self.rotation.successor_name} ({self.rotation.successor_id}) is gone or has expired,"
            f" so {self.rotation.key['name']} ({self.rotation.key['id']}) stays",
            hint="Somebody took it back. Abort this rotation, and rotate the key again.",
            command=f"spectronctl keys rotations abort {self.rotation.id}",
        )

    def find_successor(self) -> Key | None:
        """The successor, when it may be younger than the listing at hand."""
        keys = self.rotator.directory.list_keys(self.rotation.context, since=monotonic())
        return next((key for key in keys if key.id == self.rotation.successor_id), None)

    def find_end_of_use(self, key: Key | None) -> datetime | None:
        """When the key will not have been used within the drain, on our clock; None when that is so already."""
        now, offset = self.rotator.now(), self.client.clock_offset
        drain = self.rotation.drain
        if key is None or key.last_used_at is None or not drain or has_expired(key, now + offset):
            return None
        last = parse_time(key.last_used_at) or now + offset  # nobody can tell: it may be in use
        until = last + USE_RESOLUTION + timedelta(seconds=drain) - offset
        return until if until > now else None


def may_be_held(rotation: Rotation) -> bool:
    """Whether any place may hold the newest secret."""
    return any(outcome in ("started", "delivered") for outcome in rotation.delivered)


def find_named(rotator: Rotator, rotation: Rotation) -> list[Key]:
    """The keys under the successor's stamped name: one, or none, where names are unique."""
    keys = rotator.directory.list_keys(rotation.context, since=monotonic())
    return [key for key in keys if key.name == rotation.successor_name]


def delete_key(client: Client, context: str, key_id: str) -> None:
    """Revoke a key; one that is gone already will do."""
    with suppress(NotFoundError):
        client.send(api.delete_key(context, key_id))


def _sort(grants: Grants) -> Grants:
    return {verb: sorted(patterns) for verb, patterns in grants.items()}


def _is_unknown(error: SpectronctlError) -> bool:
    return isinstance(error, RequestError) and error.outcome_unknown

"""One run of one rotation: what its steps share, and in which order they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from spectronctl.api import keys as api
from spectronctl.client import Client
from spectronctl.errors import NotFoundError
from spectronctl.models.keys import Key, MintedKey
from spectronctl.operations.rotations._directory import KeyDirectory
from spectronctl.operations.rotations._rotation import Method, Rotation, Step, Uptime

ORDER: dict[Method, tuple[Step, ...]] = {
    "in place": ("rotating", "delivering", "verifying"),
    "overlap": ("minting", "verifying", "delivering"),
    "leaked": ("revoking", "minting", "delivering", "verifying"),
}

Deliver = Callable[[MintedKey], None]
"""Puts a secret in its place, and makes sure that it is there; raises SpectronctlError."""


@dataclass
class Run:
    """
    One run of one rotation; `minted` is the key with its new secret, while that is known.

    `places` stand in the order of `rotation.places`; `has_begun` says that something may have been changed already.
    """

    client: Client
    directory: KeyDirectory
    rotation: Rotation
    places: Sequence[Deliver]
    save: Callable[[Rotation], None]
    now: Callable[[], datetime]
    uptime: Callable[[], Uptime | None]
    recover: bool
    minted: MintedKey | None = None
    started_at: float = field(default_factory=monotonic)
    has_begun: bool = False

    def __post_init__(self) -> None:
        self.has_begun = self.rotation.step != "planned"

    @property
    def order(self) -> tuple[Step, ...]:
        """The steps that make the new secret and bring it where it belongs."""
        return ORDER[self.rotation.method]

    def enter(self, step: Step) -> None:
        """Write down what comes next, before it is done."""
        self.rotation.step = step
        # The message of an earlier run: this one has got past it.
        self.rotation.error = None
        self.save(self.rotation)

    def after(self, step: Step) -> Step:
        """The step that follows; when the secret is where it belongs, what is left to do."""
        order = self.order
        return self.settle() if step == order[-1] else order[order.index(step) + 1]

    def settle(self) -> Step:
        """From here on the overlap counts, if there is anything to delete."""
        rotation = self.rotation
        # In place and after a leak no old key is left that could be waited for.
        if not rotation.retiring:
            return "done"
        self.wait_until(self.server_time() + timedelta(seconds=rotation.overlap))
        return "waiting"

    def server_time(self) -> datetime:
        """The time by which keys live and overlaps end."""
        return self.now() + self.client.clock_offset

    def wait_until(self, moment: datetime) -> None:
        """Be due at that moment of the server's clock."""
        self.rotation.wait_until(moment, self.server_time(), self.uptime())

    def list_keys(self, *, since: float | None = None) -> list[Key]:
        """The keys of the context, as of `since` (on the monotonic clock) or later; None is a moment ago."""
        return self.directory.list_keys(self.rotation.context, since=since)

    def list_keys_now(self) -> list[Key]:
        """The keys of the context, asked for once more."""
        return self.list_keys(since=monotonic())

    def find_named(self) -> list[Key]:
        """The keys under the successor's stamped name: one, or none, where names are unique."""
        return [key for key in self.list_keys_now() if key.name == self.rotation.successor_name]

    def delete_key(self, key_id: str) -> None:
        """Revoke a key; one that is gone already will do."""
        with suppress(NotFoundError):
            self.client.send(api.delete_key(self.rotation.context, key_id))

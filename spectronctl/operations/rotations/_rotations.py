"""Rotations begun, resumed, waited for and given up, each kept in the ledger and in one pair of hands at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from spectronctl.api import identity
from spectronctl.client import Client
from spectronctl.errors import AuthError, BusyError, ConflictError, ForbiddenError, UsageError
from spectronctl.models.identity import Grants
from spectronctl.models.keys import MintedKey
from spectronctl.operations.clocks import find_server_time
from spectronctl.operations.rotations._ledger import Ledger
from spectronctl.operations.rotations._rotation import Rotation
from spectronctl.operations.rotations._rotator import Rotator

BUSY_SECONDS = 1.0
"""How long another process is given before one looks again."""


class OpenPlace(Protocol):
    """A place that is ready for a secret."""

    def read(self) -> str | None:
        """The secret that is there now; None where there is none, or where that cannot be known."""

    def deliver(self, minted: MintedKey) -> None:
        """Put the secret there, and make sure that it is; SpectronctlError."""


Open = Callable[[Rotation], AbstractContextManager[Sequence[OpenPlace]]]
"""Makes the places of a rotation ready, in their order; UsageError or ConfigError for one that cannot be."""


@dataclass(frozen=True)
class Signer:
    """The key that signs this run: its secret, and the absolute path of the file that it is read from."""

    secret: str | None
    path: str | None


class Rotations:
    """What is done with rotations; each may run in a thread of its own."""

    def __init__(
        self, client: Client, ledger: Ledger, signer: Signer, *, recover: bool = True
    ) -> None:
        self.ledger = ledger
        self.rotator = Rotator(client, ledger.save, recover=recover)
        self._signer = signer
        ledger.prepare()

    def begin(self, rotation: Rotation, open_places: Open) -> MintedKey | None:
        """Rotate a key, unless that is under way already; the key with the new secret, if it was delivered."""
        if rotation.error:
            raise UsageError(rotation.error)
        with ExitStack() as stack:
            # The lock first and the places last: a place is made ready (a file is opened, tried) only by the one
            # process that may deliver to it, and still before anything is sent.
            stack.enter_context(self.ledger.hold_new(rotation))
            self._refuse_self(rotation)
            places = stack.enter_context(open_places(rotation))
            if rotation.method == "overlap":
                rotation.grants = self._find_grants(rotation, places)
            return self.rotator.run(rotation, [place.deliver for place in places])

    def resume(
        self, id: str, open_places: Open, *, elsewhere: Sequence[dict[str, Any]] = ()
    ) -> Rotation:
        """Take a rotation as far as it goes now; its secret is delivered `elsewhere` from here on, if that is given."""
        with ExitStack() as stack:
            rotation = stack.enter_context(self.ledger.hold(id))
            if elsewhere and rotation.needs_secret:
                rotation.redirect(list(elsewhere))
            if rotation.is_due(self._find_time(rotation)):
                places: Sequence[OpenPlace] = ()
                if rotation.needs_secret:
                    # The journal says which program gets the secret. Places from the command line do not come out of
                    # it.
                    if not elsewhere:
                        self.ledger.check_trusted(rotation)
                    places = stack.enter_context(open_places(rotation))
                self.rotator.run(rotation, [place.deliver for place in places])
            return rotation

    def resume_idle(self, rotation: Rotation, open_places: Open) -> Rotation:
        """The same, unless another process is at it, which takes it further."""
        with suppress(BusyError):
            return self.resume(rotation.id, open_places)
        return rotation

    def wait_for(
        self, rotation: Rotation, open_places: Open, on_wait: Callable[[Rotation], object]
    ) -> Rotation:
        """Wait until the old key is gone, telling `on_wait` each time; interrupting leaves it to a later resume."""
        while rotation.step == "waiting" and rotation.due_at:
            on_wait(rotation)
            time.sleep(rotation.seconds_left(self._find_time(rotation)))
            try:
                rotation = self.resume(rotation.id, open_places)
            except BusyError:  # cron's resume is at it: look again when it is done
                time.sleep(BUSY_SECONDS)
                rotation = self.ledger.find(rotation.id)
        return rotation

    def _find_time(self, rotation: Rotation) -> datetime:
        """The server's time, which alone says that an overlap is over."""
        client = self.rotator.client
        return find_server_time(client) if rotation.step == "waiting" else client.server_time()

    def abort(self, id: str) -> tuple[Rotation, list[str]]:
        """Give a rotation up; what it is then, and the ids of the keys that stay alive. ConflictError if it is over."""
        with self.ledger.hold(id) as rotation:
            if not rotation.is_open:
                raise ConflictError(f"rotation {rotation.id} is {rotation.step} already")
            return rotation, self.rotator.abort(rotation)

    def _refuse_self(self, rotation: Rotation) -> None:
        """The key that signs this run may only be replaced where this run's key is kept."""
        own = self._signer.secret
        # A management key is no key of a context, so it cannot be the one that is rotated.
        if own is None or own.startswith("mgmt-"):
            return
        with suppress(AuthError):
            caller = self.rotator.client.send(identity.get_identity(rotation.context))
            if caller.names_key(*rotation.key.values()) and not self._keeps_own_key(rotation):
                raise UsageError(
                    f"key {rotation.key['name']} ({rotation.key['id']}) signs this very command",
                    hint="Rotate it with another key, or in place with --secret-file naming the file it is read from.",
                )

    def _keeps_own_key(self, rotation: Rotation) -> bool:
        path = self._signer.path
        if rotation.method != "in place" or path is None:
            return False
        # The next command reads the new secret from the same file, so replacing it cuts nothing off.
        return any(place.get("path") == path for place in rotation.places)

    def _find_grants(self, rotation: Rotation, places: Sequence[OpenPlace]) -> Grants | None:
        """What the old secret may do, if one of the places holds it and it works."""
        # Places usually hold the same secret: each is tried once.
        for secret in {place.read() for place in places} - {None}:
            try:
                caller = self.rotator.client.with_key(str(secret)).send(
                    identity.get_identity(rotation.context)
                )
            except (AuthError, ForbiddenError):
                continue
            return caller.effective_grants
        return None

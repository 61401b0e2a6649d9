"""The rotations of this user, as the journal keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

from spectronctl.errors import ConfigError, ConflictError, NotFoundError
from spectronctl.ground.times import parse_time
from spectronctl.local.checkpoints import KEPT
from spectronctl.local.trust import check_trusted
from spectronctl.operations.rotations._rotation import Rotation

if TYPE_CHECKING:
    from spectronctl.local.checkpoints import Journal


class Ledger:
    """Finds, holds and keeps rotations; each is in the hands of one process at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def prepare(self) -> None:
        """ConfigError when nothing can be kept."""
        self._journal.prepare()

    def list_all(self) -> tuple[list[Rotation], list[ConfigError]]:
        """Every rotation that can be read, oldest first, and why others cannot."""
        found: list[Rotation] = []
        unreadable: list[ConfigError] = []
        for path in self._journal.list_paths():
            try:
                found.append(Rotation.from_dict(self._journal.read(path)))
            except ConfigError as exc:
                unreadable.append(exc)
        return found, unreadable

    def find(self, id: str) -> Rotation:
        """The rotation with that id; NotFoundError names the near ones."""
        path = self._journal.find_path(id)
        if path is None:
            known = [rotation.id for rotation in self.list_all()[0]]
            raise NotFoundError(
                f"no rotation {id!r} in the journal of this user",
                candidates=get_close_matches(id, known),
                command="spectronctl keys rotations list",
            )
        return Rotation.from_dict(self._journal.read(path))

    def check_trusted(self, rotation: Rotation) -> None:
        """ConfigError when others may have written where the secret goes, and which program gets it."""
        if path := self._journal.find_path(rotation.id):
            check_trusted(path, runs_program=any("words" in place for place in rotation.places))

    def keeps(self, rotation: Rotation) -> bool:
        """Whether anything was written of it yet."""
        return self._journal.find_path(rotation.id) is not None

    def list_keys_in_rotation(self) -> frozenset[str]:
        """
        Ids of the keys that a rotation under way is about to retire or has just made; ConfigError if unsure.

        Of every server: ids are unique, and one server can be reached under several URLs.
        """
        found, unreadable = self.list_all()
        if unreadable:  # it may be about any key
            raise unreadable[0]
        return frozenset(
            key_id
            for rotation in found
            if rotation.is_open
            for key_id in (
                rotation.key["id"],
                rotation.successor_id,
                *(ref["id"] for ref in rotation.retiring),
            )
            if key_id
        )

    @contextmanager
    def hold(self, id: str) -> Iterator[Rotation]:
        """The rotation, with no other process at work on it; BusyError."""
        # Read once for the claim to lock, and again under the lock: the holder before us may have taken it further.
        claim = self.find(id).claim
        with self._journal.hold(claim, id):
            yield self.find(id)

    @contextmanager
    def hold_new(self, rotation: Rotation) -> Iterator[None]:
        """
        Begin a rotation: one of a key at a time, and one that never sent anything gives way.

        ConflictError names the one that is under way.
        """
        with self._journal.hold(rotation.claim, rotation.id):
            for earlier in self._list_earlier(rotation.claim):
                self._make_way(earlier)
            yield

    def _list_earlier(self, claim: str) -> list[Rotation]:
        """The rotations of a claim; ConfigError for one of them that cannot be read."""
        named = [Rotation.from_dict(document) for document in self._journal.find(claim)]
        # Files of older versions are named after the server's URL as it was typed.
        others = [one for one in self.list_all()[0] if one.claim == claim]
        return list({one.id: one for one in (*named, *others)}.values())

    def _make_way(self, earlier: Rotation) -> None:
        # It was written down and failed before it sent anything, so there is nothing to finish.
        if earlier.step == "planned":
            self._journal.remove(earlier.claim, earlier.id)
        elif earlier.is_open:
            raise ConflictError(
                f"key {earlier.name} is being rotated already: {earlier.id} is {earlier.step}"
                + (f" until {earlier.due_at}" if earlier.step == "waiting" else ""),
                candidates=[earlier.id],
                hint="Finish that rotation first, or abort it.",
                command=earlier.resume_command,
            )

    def save(self, rotation: Rotation) -> None:
        """Put it on the disk, and return when it is there."""
        self._journal.write(rotation.claim, rotation.to_dict())

    def prune(self, now: datetime) -> None:
        """Forget what was over long ago, `now` by the server's clock."""
        is_kept = {
            rotation.id: rotation.is_open or _is_recent(rotation.updated_at, now)
            for rotation in self.list_all()[0]
        }
        self._journal.prune(now, is_kept)


def _is_recent(written: str, now: datetime) -> bool:
    # Not by the file's time alone: that is our clock's, which may have been years off.
    moment = parse_time(written)
    return moment is None or now - moment < KEPT

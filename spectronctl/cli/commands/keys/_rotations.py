"""Rotations as a command line runs them: their journal, the places of their secrets, the engine."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from spectronctl.api import identity
from spectronctl.config.durations import format_duration
from spectronctl.config.journals import Journal, read_document
from spectronctl.config.locations import expand_home, local_store_url, state_dir
from spectronctl.errors import (
    AuthError,
    ConfigError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UsageError,
)
from spectronctl.operations.rotations import Deliver, Rotation, Rotator
from spectronctl.output.sinks import Place, open_sink

if TYPE_CHECKING:
    from pathlib import Path

    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.identity import Grants
    from spectronctl.models.keys import MintedKey
    from spectronctl.output.sinks import Sink

    Show = Callable[[Rotation, MintedKey], None]

LONGEST_SECRET = 4096
"""Bytes; a longer file is no secret's."""

STDOUT = "stdout"
"""The kind of the place that is this run's own output."""


def open_journal(rt: Runtime) -> Journal:
    """The journal of this user's rotations."""
    return Journal(state_dir(rt.env) / "rotations")


def find_server(rt: Runtime) -> str:
    """What tells one server's keys from another's."""
    return local_store_url(rt.env) if rt.settings.is_local else str(rt.settings.url.value)


def read_rotations(journal: Journal) -> tuple[list[Rotation], list[ConfigError]]:
    """Every rotation in the journal that can be read, oldest first, and why others cannot."""
    found: list[Rotation] = []
    unreadable: list[ConfigError] = []
    for path in journal.list_paths():
        try:
            found.append(Rotation.from_dict(read_document(path)))
        except ConfigError as exc:
            unreadable.append(exc)
    return found, unreadable


def list_keys_in_rotation(rt: Runtime) -> frozenset[str]:
    """Ids of the keys that a rotation under way is about to retire or has just made, here."""
    here = (find_server(rt), rt.context)
    found, unreadable = read_rotations(open_journal(rt))
    if unreadable:  # it may be about any key
        raise unreadable[0]
    return frozenset(
        key_id
        for rotation in found
        if rotation.is_open and (rotation.url, rotation.context) == here
        for key_id in (rotation.successor_id, *(ref["id"] for ref in rotation.retiring))
        if key_id
    )


def find_rotation(journal: Journal, id: str) -> Rotation:
    """The rotation with that id; NotFoundError names the near ones."""
    path = journal.find_path(id)
    if path is None:
        from difflib import get_close_matches

        known = [rotation.id for rotation in read_rotations(journal)[0]]
        raise NotFoundError(
            f"no rotation {id!r} in the journal of this user",
            candidates=get_close_matches(id, known),
            command="spectronctl keys rotations list",
        )
    return Rotation.from_dict(read_document(path))


def describe_rotation(rotation: Rotation) -> dict[str, Any]:
    """A rotation as it is shown."""
    shown = rotation.to_dict()
    for internal in ("generation", "successor_id", "grants", "principal", "scope_floor"):
        del shown[internal]
    shown["successor"] = {"id": rotation.successor_id, "name": rotation.successor_name}
    shown["places"] = [label_place(place) for place in rotation.places]
    return shown


def label_place(place: dict[str, Any]) -> str:
    """A place in words."""
    return STDOUT if place["kind"] == STDOUT else Place.from_dict(place).label


def resume_command(rotation: Rotation) -> str:
    """What takes a rotation further."""
    return f"spectronctl keys rotations resume {rotation.id}"


def rotate_command(rotation: Rotation) -> str:
    """What begins such a rotation again; of a command that takes the secret no word is shown."""
    words = ["spectronctl keys rotate", rotation.key["id"], "-c", rotation.context]
    if rotation.method == "overlap":
        lengths = format_duration(rotation.overlap), format_duration(rotation.drain)
        words += ["--overlap", lengths[0], "--drain", lengths[1]]
    if rotation.method == "leaked":
        words.append("--leaked")
    return " ".join([*words, *map(_write_option, rotation.places)])


def _write_option(place: dict[str, Any]) -> str:
    if place["kind"] == "file":
        return f"--secret-file {shlex.quote(place['path'])}"
    if place["kind"] == "variable":
        target = f"{place['path']}:{place['name']}"
        return f"--secret-env-file {shlex.quote(target)}"
    return "--secret-command CMD"


class Rotations:
    """Begins and resumes rotations; each may run in a thread of its own."""

    def __init__(self, rt: Runtime, *, recover: bool = True, force: bool = False) -> None:
        self.rt = rt
        self._force = force
        self.journal = open_journal(rt)
        self.rotator = Rotator(rt.client, self._save, recover=recover)
        self.journal.prepare()

    def begin(self, rotation: Rotation, show: Show | None = None) -> MintedKey | None:
        """Rotate a key, unless that is under way already; `show` puts the secret on stdout."""
        if rotation.error:
            raise UsageError(rotation.error)
        with ExitStack() as stack:
            stack.enter_context(self.journal.hold(rotation.claim, rotation.id))
            self._make_way(rotation)
            self._refuse_self(rotation)
            labels = _label_key(rotation)
            sinks = self._reserve(rotation, labels, stack, show)
            if not self._force:
                _refuse_other_files(rotation)
            if rotation.method == "overlap":
                rotation.grants = self._find_grants(rotation, sinks)
            return self.rotator.run(rotation, _make_places(rotation, sinks, labels, show))

    def resume(
        self,
        id: str,
        *,
        places: Sequence[Place] = (),
        show: Show | None = None,
    ) -> Rotation:
        """Take a rotation as far as it goes now; with `places`, its secret is delivered there from here on."""
        with ExitStack() as stack:
            rotation = stack.enter_context(self.hold(id))
            if places and rotation.needs_secret:
                rotation.redirect([place.to_dict() for place in places])
            if rotation.is_due(datetime.now(UTC)):
                labels = _label_key(rotation)
                needs = rotation.needs_secret
                sinks = self._reserve(rotation, labels, stack, show) if needs else []
                self.rotator.run(rotation, _make_places(rotation, sinks, labels, show))
            return rotation

    @contextmanager
    def hold(self, id: str) -> Iterator[Rotation]:
        """The rotation, with nobody else at work on it."""
        claim = find_rotation(self.journal, id).claim
        with self.journal.hold(claim, id):
            yield find_rotation(self.journal, id)

    def prune(self) -> None:
        """Forget what was over long ago."""
        is_open = {rotation.id: rotation.is_open for rotation in read_rotations(self.journal)[0]}
        self.journal.prune(datetime.now(UTC), is_open)

    def _save(self, rotation: Rotation) -> None:
        self.journal.write(rotation.claim, rotation.to_dict())

    def _make_way(self, rotation: Rotation) -> None:
        """One rotation of a key at a time; one that never sent anything gives way."""
        for document in self.journal.find(rotation.claim):
            earlier = Rotation.from_dict(document)
            if earlier.step == "planned":
                self.journal.remove(earlier.claim, earlier.id)
            elif earlier.is_open:
                raise ConflictError(
                    f"key {rotation.name} is being rotated already: {earlier.id} is {earlier.step}"
                    + (f" until {earlier.due_at}" if earlier.step == "waiting" else ""),
                    candidates=[earlier.id],
                    hint="Finish that rotation first, or abort it.",
                    command=resume_command(earlier),
                )

    def _refuse_self(self, rotation: Rotation) -> None:
        """The key that signs this run may only be replaced where this run's key is kept."""
        own = self.rt.clients.management_key
        if own is None or own.startswith("mgmt-"):
            return
        with suppress(AuthError):
            caller = self.rotator.client.send(identity.get_identity(rotation.context))
            if caller.principal_id in rotation.key.values() and not self._keeps_own_key(rotation):
                raise UsageError(
                    f"key {rotation.key['name']} ({rotation.key['id']}) signs this very command",
                    hint="Rotate it with another key, or in place with --secret-file naming the file it is read from.",
                )

    def _keeps_own_key(self, rotation: Rotation) -> bool:
        credential = self.rt.settings.management_credential()
        if rotation.method != "in place" or credential is None or credential.kind != "file":
            return False
        kept_at = os.path.abspath(expand_home(str(credential.value), self.rt.env))
        return any(place.get("path") == kept_at for place in rotation.places)

    def _reserve(
        self, rotation: Rotation, labels: dict[str, str], stack: ExitStack, show: Show | None
    ) -> list[Sink | None]:
        sinks: list[Sink | None] = []
        for document in rotation.places:
            if document["kind"] == STDOUT:
                if show is None:
                    raise _refuse_stdout(rotation)
                sinks.append(None)
                continue
            sink = open_sink(
                Place.from_dict(document), replace=True, env=self.rt.env, labels=labels
            )
            stack.callback(sink.discard)
            sink.reserve()
            self._refuse_own_key(sink)
            sinks.append(sink)
        return sinks

    def _refuse_own_key(self, sink: Sink) -> None:
        """A sink that holds the key of this run is named by mistake, unless that is what is rotated."""
        own = self.rt.clients.management_key
        if own and own.startswith("mgmt-") and sink.read() == own:
            raise UsageError(
                f"{sink.place.label} holds the management key that this command uses",
                hint="A context's key would replace it. Name another place.",
            )

    def _find_grants(self, rotation: Rotation, sinks: Sequence[Sink | None]) -> Grants | None:
        """What the old secret may do, if one of the places holds it and it works."""
        for secret in {sink.read() for sink in sinks if sink} - {None}:
            try:
                caller = self.rotator.client.with_key(str(secret)).send(
                    identity.get_identity(rotation.context)
                )
            except (AuthError, ForbiddenError):
                continue
            return caller.effective_grants
        return None


def _label_key(rotation: Rotation) -> dict[str, str]:
    return {"context": rotation.context, "name": rotation.name}


def _make_places(
    rotation: Rotation,
    sinks: Sequence[Sink | None],
    labels: dict[str, str],
    show: Show | None,
) -> list[Deliver]:
    to_stdout = partial(show, rotation) if show else _nowhere
    return [partial(_commit, sink, labels) if sink else to_stdout for sink in sinks]


def _commit(sink: Sink, labels: dict[str, str], minted: MintedKey) -> None:
    labels["id"] = minted.id  # a command is told whose secret it reads
    sink.commit(minted.secret)
    if sink.read() not in (None, minted.secret):
        raise ConflictError(f"{sink.place.label} changed while the new secret was put there")


def _refuse_other_files(rotation: Rotation) -> None:
    """A rotation replaces a secret unasked, but nothing else that a mistyped path may name."""
    for place in map(Place.from_dict, (d for d in rotation.places if d["kind"] == "file")):
        if place.path and place.path.is_file() and not _looks_like_secret(place.path):
            raise UsageError(
                f"{place.path} holds more than a secret",
                hint="Pass --force to replace it all the same.",
            )


def _looks_like_secret(path: Path) -> bool:
    with path.open("rb") as file:
        content = file.read(LONGEST_SECRET + 1).strip()
    return len(content) <= LONGEST_SECRET and b"\n" not in content


def _nowhere(minted: MintedKey) -> None:
    raise AssertionError("a place was opened for every secret")


def _refuse_stdout(rotation: Rotation) -> UsageError:
    return UsageError(
        f"the secret of rotation {rotation.id} was to be printed, and nothing is printed here",
        hint="Resume it alone, or name a place for it.",
        command=f"{resume_command(rotation)} --secret-file PATH",
    )

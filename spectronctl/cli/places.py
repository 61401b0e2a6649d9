"""The places of a rotation's secret: as they are written down, and made ready before there is a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectronctl.errors import ConfigError, ConflictError, SpectronctlError, UsageError
from spectronctl.output.sinks import Place, open_sink

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.keys import MintedKey
    from spectronctl.operations.rotations import OpenPlace, Rotation
    from spectronctl.output.sinks import Sink

    Show = Callable[[Rotation, MintedKey], None]

MAX_SECRET_BYTES = 4096
"""Bytes; a longer file is no secret's."""

STDOUT = "stdout"
"""The kind of the place that is this run's own output."""


def label_place(place: dict[str, Any]) -> str:
    """A place in words."""
    return STDOUT if place["kind"] == STDOUT else Place.from_dict(place).label


@contextmanager
def open_places(
    rt: Runtime, rotation: Rotation, *, show: Show | None = None, check_files: bool = False
) -> Iterator[list[OpenPlace]]:
    """
    Make the places of a rotation ready, and leave none half-done; `show` puts the secret on stdout.

    With `check_files` nothing but a secret is replaced. UsageError and ConfigError.
    """
    # One dict for the sinks and for `_SinkPlace`: the id of the key comes into it once it is known.
    labels = {"context": rotation.context, "name": rotation.name}
    places: list[OpenPlace] = []
    with ExitStack() as stack:
        for document in rotation.places:
            if document["kind"] == STDOUT:
                if show is None:
                    raise _refuse_stdout(rotation)
                places.append(_Stdout(rotation, show))
                continue
            # A secret that is left somewhere would be dead as soon as this rotation is resumed: that makes another.
            place = Place.from_dict(document)
            # Only for a command: to hide keys wipes them out of what /proc shows of this process, for good.
            env = rt.keyless_env if place.kind == "command" else {}
            sink = open_sink(place, replace=True, env=env, labels=labels, keeps=False)
            # Before `reserve`, which may fail with half of it done.
            stack.callback(sink.discard)
            sink.reserve()
            _refuse_own_key(rt, sink)
            places.append(_SinkPlace(sink, labels))
        if check_files:
            _refuse_other_files(rotation)
        yield places


@dataclass
class _Stdout:
    rotation: Rotation
    show: Show

    def read(self) -> str | None:
        return None

    def deliver(self, minted: MintedKey) -> None:
        try:
            self.show(self.rotation, minted)
        except SpectronctlError as exc:
            exc.hint = _explain_lost(self.rotation, minted)
            raise


def _explain_lost(rotation: Rotation, minted: MintedKey) -> str:
    """What became of a secret that stdout did not take, and what that means for those who use the key."""
    old = "continues to work" if rotation.method == "overlap" else "no longer works"
    return (
        f"The key {minted.name} ({minted.id}) has a new secret, which is lost. The old one {old}."
        " Resume the rotation for a fresh secret; --secret-file PATH puts it in a file."
    )


@dataclass
class _SinkPlace:
    sink: Sink
    labels: dict[str, str]

    def read(self) -> str | None:
        return self.sink.read()

    def deliver(self, minted: MintedKey) -> None:
        self.labels["id"] = minted.id  # a command is told whose secret it reads
        try:
            self.sink.commit(minted.secret)
        except ConfigError as exc:
            exc.hint = exc.hint or "The new secret is lost; resuming the rotation makes another."
            raise
        # Another process may have written there meanwhile, and a rotation that went on would delete the old key. A
        # command cannot be read back.
        if self.sink.read() not in (None, minted.secret):
            raise ConflictError(
                f"{self.sink.place.label} changed while the new secret was put there"
            )


def _refuse_own_key(rt: Runtime, sink: Sink) -> None:
    """A sink that holds the key of this run is named by mistake, unless that is what is rotated."""
    own = rt.clients.management_key
    if own and own.startswith("mgmt-") and sink.read() == own:
        raise UsageError(
            f"{sink.place.label} holds the management key that this command uses",
            hint="A context's key would replace it. Name another place.",
        )


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
        # One byte more than is allowed tells a longer file, without reading all of what may be a disk image.
        content = file.read(MAX_SECRET_BYTES + 1).strip()
    return len(content) <= MAX_SECRET_BYTES and b"\n" not in content


def _refuse_stdout(rotation: Rotation) -> UsageError:
    return UsageError(
        f"the secret of rotation {rotation.id} was to be printed, and nothing is printed here",
        hint="Resume it alone, or name a place for it.",
        command=f"{rotation.resume_command} --secret-file PATH",
    )

"""All the places that one secret goes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.output.sinks._sink import open_sink
from spectronctl.output.sinks.places import Kind, Place, check_distinct
from spectronctl.output.streams import Streams

_ORDER: tuple[Kind, ...] = ("command", "variable", "file")
"""What fails most comes first, while no other place has the secret."""


STDOUT_ROOM = 8192
"""Bytes: a key and its secret, in the longest form that they are printed in."""


def check_secret_output(
    streams: Streams,
    *,
    reveal: bool,
    has_file: bool,
    hint: str = "Write it to a file with --secret-file PATH, or show it with --reveal.",
) -> None:
    """
    Before a secret is minted: refuse to show it on a terminal unasked (UsageError).

    SpectronctlError for a stdout that should get it and cannot be written.
    """
    # stdout gets the key without its secret then, and may be anything.
    if has_file and not reveal:
        return
    if streams.stdout_is_terminal and not reveal:
        raise UsageError("the secret would be shown on this terminal", hint=hint)
    try:
        streams.check_room(STDOUT_ROOM)
    except OSError as exc:
        raise SpectronctlError(
            f"the secret cannot be written to stdout: {exc.strerror}; nothing was sent",
            hint="Write it to a file with --secret-file PATH.",
        ) from None


class SinkGroup:
    """
    The sinks of one secret: entering reserves all or none, leaving discards what was not committed.

    `is_shown` says that stdout gets the secret: it was asked for, or there is no other place. `stored` are the places
    that have it.
    """

    def __init__(
        self,
        places: Iterable[Place],
        *,
        replace: bool,
        reveal: bool,
        env: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> None:
        places = sorted(places, key=lambda place: _ORDER.index(place.kind))
        check_distinct(places)
        self._labels = dict(labels)
        # The sinks hold this very dict: the id comes into it once the key is minted.
        self._sinks = [
            open_sink(place, replace=replace, env=env, labels=self._labels) for place in places
        ]
        self._stack = ExitStack()
        self.is_shown = reveal or not places
        self.stored: list[Place] = []

    def __enter__(self) -> SinkGroup:
        with ExitStack() as stack:
            for sink in self._sinks:
                # Before it is reserved: one that fails half-way has a draft to remove as well.
                stack.callback(sink.discard)
                sink.reserve()
            # Only when all are reserved; an error before that discards them on the way out.
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def kept(self) -> Path | None:
        """Where a secret was left that could not be put in its place, if it was."""
        return next((sink.kept for sink in self._sinks if sink.kept), None)

    def commit(self, secret: str, *, id: str | None = None) -> None:
        """
        Put the secret in every place; `id` is its key's, for commands.

        Stops at the first that fails, with an error that says which places have it and which do not.
        """
        if id is not None:
            self._labels["id"] = id
        for sink in self._sinks:
            try:
                sink.commit(secret)
            except SpectronctlError as exc:
                # Appended to the sink's own error, which keeps its kind and with it the exit code.
                exc.message += self._describe_progress()
                raise
            self.stored.append(sink.place)

    def describe(self) -> str:
        """The places that have the secret, as a message names them."""
        return ", ".join(place.label for place in self.stored)

    def _describe_progress(self) -> str:
        if len(self._sinks) == 1:
            return ""
        missing = ", ".join(sink.place.label for sink in self._sinks[len(self.stored) :])
        if not self.stored:
            return f"; none of {missing} has the secret"
        return f"; the secret is in {self.describe()}, and not in {missing}"

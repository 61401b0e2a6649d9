"""The three kinds of places, behind one set of verbs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from spectronctl.output.sinks.places import Place


class Sink(Protocol):
    """
    A place that takes one secret: `reserve`, then `commit` or `discard`.

    `kept` is where a secret was left that could not be put in its place, if it was.
    """

    @property
    def place(self) -> Place: ...

    @property
    def kept(self) -> Path | None: ...

    def reserve(self) -> None:
        """Check, before there is a secret, all that can be checked; UsageError or ConfigError."""

    def commit(self, secret: str) -> None:
        """Put the secret in its place; SpectronctlError when it is not there afterwards."""

    def discard(self) -> None:
        """Leave nothing behind. Does nothing before `reserve` and after `commit`."""

    def read(self) -> str | None:
        """The secret that is there now; None for none, and where it cannot be read back."""


def open_sink(
    place: Place,
    *,
    replace: bool,
    env: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    keeps: bool = True,
) -> Sink:
    """
    The sink of a place whose placeholders are filled; nothing is touched yet.

    `replace` allows for a secret that is there already. `env` is a command's environment, to which `labels` adds
    `context`, `name` and `id` of the key, as they are when it runs. Without `keeps` a secret that cannot be put in its
    file is left nowhere: for a caller that makes another.
    """
    # Imported by kind: python-dotenv and `subprocess` are slow to import, and a file needs neither.
    if place.kind == "command":
        from spectronctl.output.sinks._commands import CommandSink

        return CommandSink(place, env=env, labels={} if labels is None else labels)
    if place.kind == "variable":
        from spectronctl.output.sinks._variables import VariableSink

        return VariableSink(place, replace=replace, keeps=keeps)
    from spectronctl.output.sinks._files import FileSink

    return FileSink(place, replace=replace, keeps=keeps)

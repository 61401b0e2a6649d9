"""Signals that a process of the server stops at, and those that it ignores."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_STOPS = ("SIGTERM", "SIGINT", "SIGHUP")
_STRAYS = ("SIGUSR1", "SIGUSR2")


def list_stops() -> list[signal.Signals]:
    """
    Those that ask for an orderly stop.

    A terminal that is closed sends SIGHUP. Under `nohup` the process starts with that one ignored, and keeps it so.
    There is nothing to reload: whatever a server reads from files, it reads at its start.
    """
    known = [signal.Signals[name] for name in _STOPS if hasattr(signal, name)]
    return [each for each in known if each.name != "SIGHUP" or not _is_ignored(each)]


@contextmanager
def ignore_strays() -> Iterator[None]:
    """Ignore signals that mean nothing here: a process that does not handle them is ended by them."""
    known = [signal.Signals[name] for name in _STRAYS if hasattr(signal, name)]  # none on Windows
    before = [signal.signal(number, signal.SIG_IGN) for number in known]
    try:
        yield
    finally:
        for number, handler in zip(known, before, strict=True):
            signal.signal(number, handler)


def _is_ignored(number: signal.Signals) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN

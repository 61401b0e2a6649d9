"""What lies on this machine: the embedded server's store, room on the disks, rotations that are not over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spectronctl.cli._reporting import format_command
from spectronctl.cli.embedded import inspect_store
from spectronctl.errors import ConfigError
from spectronctl.local.locations import NoHomeError, local_store_url, state_dir
from spectronctl.operations.diagnosis import Check, Finding, Subject

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

LOW_SPACE, MIN_SPACE = 1 << 30, 10 << 20
"""Bytes: less room than that is worth a warning; with less than that nothing can be kept."""


class Here:
    """The checks of this machine."""

    def __init__(self, rt: Runtime, subject: Subject) -> None:
        self._rt = rt
        self._subject = subject

    def check_store(self) -> Finding:
        """The store of `--profile local`: in use by whom, or free. Only that profile cannot do without."""
        is_wanted = self._subject.target.is_local
        try:
            url = local_store_url(self._rt.env)
            path, holder = inspect_store(url)
            if path is not None:
                _check_access(path)
        except ConfigError as exc:
            if is_wanted:
                raise
            return Finding(f"not in use: {exc.message}", "skipped")
        # Only looked at: opening it would make one.
        is_there = path is None or os.path.exists(path)
        facts = {"url": url, "exists": is_there if path else None, "held": holder is not None}
        if holder is not None:
            if is_wanted:
                return Finding.of(holder, facts)
            return Finding(holder.message, facts=facts)
        state = "" if is_there else ", not there yet"
        return Finding(f"{path or url}{state}", "ok" if is_wanted else "skipped", facts=facts)

    def check_disk(self) -> Finding:
        """Room where stores, journals and the config are kept."""
        with suppress(NoHomeError):
            return self._check_room(dict(_measure(self._list_places())))
        return Finding("there is no home directory, so nothing is kept here", "skipped")

    def _check_room(self, free: dict[str, int]) -> Finding:
        facts = {"places": [{"path": each, "free_bytes": left} for each, left in free.items()]}
        place, least = min(free.items(), key=lambda item: item[1])
        detail = f"{least / 1e9:.1f} GB free at {place}"
        if least < MIN_SPACE:
            error = ConfigError(
                f"the disk is full: {least / 1e6:.1f} MB free at {place}",
                hint="Nothing can be kept there: neither a journal of rotations nor a store.",
            )
            return Finding.of(error, facts)
        if least < LOW_SPACE:
            return Finding(detail, "warning", "A store needs room to grow.", facts=facts)
        return Finding(detail, facts=facts)

    def _list_places(self) -> Iterator[Path]:
        url = local_store_url(self._rt.env)
        if url.startswith("surrealkv://"):
            yield Path(url.removeprefix("surrealkv://"))
        yield state_dir(self._rt.env)

    def _find_time(self) -> datetime:
        """The server's time, where the checks before have heard it."""
        target = getattr(self._subject, "target", None)
        return target.client.server_time() if target else datetime.now(UTC)

    def check_rotations(self) -> Finding:
        """Rotations that were begun here and are not over: those of the server, and what others leave to do."""
        from spectronctl.cli.rotating import (
            find_server,
            list_elsewhere,
            name_elsewhere,
            open_ledger,
        )

        try:
            found, unreadable = open_ledger(self._rt).list_all()
        except NoHomeError as exc:
            return Finding(exc.message, "warning", exc.hint)
        server, now = find_server(self._rt), self._find_time()
        begun = [rotation for rotation in found if rotation.is_open and rotation.is_at(server)]
        due = [rotation for rotation in begun if rotation.is_due(now)]
        others = [each for each in list_elsewhere(self._rt, found) if each.is_due(now)]
        facts = {
            "open": [rotation.id for rotation in begun],
            "due": [rotation.id for rotation in due],
            "elsewhere": [rotation.id for rotation in others],
            "unreadable": len(unreadable),
        }
        if unreadable:
            first = unreadable[0]
            return Finding(first.message, "warning", first.hint, facts=facts)
        elsewhere = f"; of other servers: {name_elsewhere(others)}" if others else ""
        if not due:
            detail = f"{len(begun)} under way, none due" if begun else "none"
            return Finding(detail + elsewhere, facts=facts)
        return Finding(
            f"not finished: {', '.join(rotation.name for rotation in due)}{elsewhere}",
            "warning",
            hint="The old key stays until the rotation is resumed. It is safe to resume at any time.",
            command=format_command(self._rt, "keys", "rotations", "resume"),
            facts=facts,
        )


def list_checks(rt: Runtime, subject: Subject) -> tuple[Check, Iterator[Check]]:
    """The check of the store, which the server in this process stands on, and those that nothing stands on."""
    here = Here(rt, subject)
    others = {"disk": here.check_disk, "rotations": here.check_rotations}
    return Check("store", here.check_store, ("settings",)), (
        Check(name, run) for name, run in others.items()
    )


def _check_access(path: Path) -> None:
    """ConfigError for a store, or for the place where it would be made, that is not ours to write in."""
    # For a store that is not there yet, the directory in which it would be made.
    place = _find_existing(path)
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(
            f"the store {path} cannot be used: no right to write in {place}",
            hint="SPECTRONCTL_LOCAL_STORE names another one.",
        )


def _find_existing(path: Path) -> Path:
    # Unlike Path.exists, this takes what cannot be looked at for what is not there.
    return next(each for each in (path, *path.parents) if os.path.exists(each))


def _measure(places: Iterator[Path]) -> Iterator[tuple[str, int]]:
    for place in places:
        there = _find_existing(place)
        try:
            # What is free to this user: of the blocks that are kept for root it counts none.
            yield str(there), shutil.disk_usage(there).free
        except OSError as exc:
            raise ConfigError(f"{there} cannot be looked at: {exc.strerror}") from None

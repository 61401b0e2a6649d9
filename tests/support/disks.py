"""A small disk of a test's own, which it can fill to the last byte."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_BALLAST = "ballast"


@contextmanager
def mount_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk in memory; the test is skipped where none may be mounted."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(place)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    if made.returncode:
        pytest.skip(f"no disk can be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


def fill_disk(place: Path) -> None:
    """Leave no byte free."""
    with (place / _BALLAST).open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(os.urandom(64 * 1024))


def make_room(place: Path) -> None:
    """Undo `fill_disk`."""
    (place / _BALLAST).unlink()

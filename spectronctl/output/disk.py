"""What makes a file and its new name outlast a loss of power."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def sync_directory(directory: Path) -> None:
    """Put the names in a directory on the disk, where the system lets a directory be opened."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def close_synced(descriptor: int) -> None:
    """Close what is on the disk already, or need not be: a failure would say nothing of it."""
    with suppress(OSError):
        os.close(descriptor)

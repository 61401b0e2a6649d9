"""Directories that only their owner may enter: a store holds secrets."""

from __future__ import annotations

from pathlib import Path

from spectronctl.errors import ConfigError


def make_private_directory(path: Path) -> None:
    """Make `path` and its missing parents, all 0700; what exists is left as it is."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    try:
        for each in reversed(missing):
            # One by one: `parents=True` would make those above with whatever the umask leaves.
            each.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the directory {path} cannot be made: {error.strerror}") from error

"""Directories that only their owner may enter: a store holds secrets."""

from __future__ import annotations

from pathlib import Path

from spectronctl.errors import ConfigError
from spectronctl.ground.disk import make_directory


def make_private_directory(path: Path) -> None:
    """Make `path` and its missing parents, all 0700; what exists is left as it is."""
    try:
        make_directory(path)
    except OSError as error:
        raise ConfigError(f"the directory {path} cannot be made: {error.strerror}") from error

"""The config file from the disk: its text, what TOML makes of it, and who else may read it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from spectronctl.config.checking import build_config, refuse_value
from spectronctl.config.profiles import Config
from spectronctl.config.values import has_userinfo
from spectronctl.errors import ConfigError
from spectronctl.ground import documents
from spectronctl.ground.disk import is_absent
from spectronctl.ground.documents import DocumentError, decode_document

VERSION = 1
"""The version of the file that is written here, and the newest that is read."""


def load_config(path: Path, *, must_exist: bool = False) -> Config:
    """The config file, checked; ConfigError names the file and the line or field that is wrong."""
    text = read_text(path)
    if text is None and must_exist:
        raise ConfigError(
            f"SPECTRONCTL_CONFIG names {path}, which does not exist",
            hint="Correct the path, or unset SPECTRONCTL_CONFIG; 'spectronctl profiles add' creates the file.",
        )
    return Config(path) if text is None else build_config(parse_toml(text, path), path)


def read_text(path: Path) -> str | None:
    """The file's text, None when there certainly is no file; ConfigError."""
    try:
        if is_absent(path):
            return None
        with path.open("rb") as file:
            # Of the file that was read: the path may lead to another one by the time it is asked for its mode.
            text, mode = decode_document(file.read()), os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except DocumentError as error:
        raise ConfigError(f"{path}{error}") from None
    if os.name == "posix" and mode & 0o077:
        _check_shared(text, path)
    return text


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """What the text says; ConfigError names the line, or the version that is not known here."""
    try:
        data = documents.parse_toml(text)
    except DocumentError as error:
        raise ConfigError(f"{path}{error}") from None
    # Before any field: a newer version may give another meaning to one that is known here.
    _check_version(data.get("version", VERSION), path)
    return data


def _check_version(version: object, path: Path) -> None:
    # `version = true` is an int to isinstance.
    if type(version) is not int or version < 1:
        refuse_value(path, "version", "a whole number from 1", version)
    if version > VERSION:
        raise ConfigError(
            f"{path} has version {version}; this spectronctl knows version {VERSION}",
            hint="A newer spectronctl wrote it: upgrade, or name another file with SPECTRONCTL_CONFIG.",
        )


def _check_shared(text: str, path: Path) -> None:
    """What others can read must hold no secret."""
    if holds_secret(parse_toml(text, path)):
        raise ConfigError(
            f"{path} holds a secret and others can read it",
            hint="Make the file yours alone, and think about replacing the key.",
            command=f"chmod 600 {shlex.quote(str(path))}",
        )


def holds_secret(value: object) -> bool:
    """Whether a key, or the password of a proxy, stands in there."""
    if isinstance(value, dict):
        return isinstance(value.get("api_key"), str) or any(map(holds_secret, value.values()))
    if isinstance(value, list):
        return any(map(holds_secret, value))
    return isinstance(value, str) and has_userinfo(value)

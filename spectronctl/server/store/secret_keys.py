"""
The keys that seal the secrets of providers: given by the operator, or made beside a store on disk.

A made key is a file of its own, since a copy of the database's files must not open what is in them. A file, or a
variable, may hold several: the first one seals, the others still open.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from pathlib import Path

from spectronctl.errors import ConfigError
from spectronctl.ground.disk import replace_file

KEY_BYTES = 32
VARIABLE = "SPECTRON_SECRET_KEY"

_RULE = "must be 32 random bytes in base64, such as `openssl rand -base64 32` prints"
_MAX_FILE_BYTES = 64 * 1024


def parse_secret_keys(text: str, source: str) -> list[bytes]:
    """The keys in a text, with blanks, line ends or commas between them; ConfigError names the source, never a key."""
    words = text.replace(",", " ").split()
    if not words:
        raise ConfigError(f"{source}: there is no key in it; it {_RULE}")
    return list(dict.fromkeys(_parse_key(word, source) for word in words))


def load_secret_keys(path: Path) -> list[bytes]:
    """The keys in a file; ConfigError."""
    try:
        with path.open(encoding="ascii") as file:
            return parse_secret_keys(file.read(_MAX_FILE_BYTES), str(path))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the key {_RULE}") from None


def find_made_path(store: Path) -> Path:
    """Where the key of a store on disk lies: beside it, as what is in it is copied with it."""
    return store.with_name(f"{store.name}.secret-key")


def load_made_keys(store: Path) -> list[bytes]:
    """The keys that the store has made; none when it has made none."""
    path = find_made_path(store)
    return load_secret_keys(path) if path.exists() else []


def make_secret_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def keep_made_keys(store: Path, keys: Sequence[bytes]) -> None:
    """Put the store's keys beside it, 0600, on the disk once this returns; ConfigError."""
    path = find_made_path(store)
    content = "".join(f"{base64.b64encode(key).decode()}\n" for key in keys).encode()
    try:
        replace_file(path, content)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def _parse_key(word: str, source: str) -> bytes:
    try:
        key = base64.b64decode(word, altchars="-_" if {*word} & {*"-_"} else None, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{source}: the key {_RULE}")
    return key

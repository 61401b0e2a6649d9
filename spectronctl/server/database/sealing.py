"""
Secrets of providers, sealed at rest: AES-256-GCM, bound to the context and the provider that they are of.

A sealed secret is bytes: a version, which key sealed it, a nonce, and the ciphertext. What is text was kept before
secrets were sealed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from spectronctl.server.database.errors import UnstorableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32

_VERSION = b"\x01"
_NAME_BYTES = 8
_NONCE_BYTES = 12
_NO_KEY = (
    "config.providers: this server has no key to seal secrets with; start it with SPECTRON_SECRET_KEY or "
    "--secret-key-file"
)


class SealedError(Exception):
    """A secret that none of the keys opens. `key` names the one that sealed it, or "" where it is damaged."""

    def __init__(self, key: str) -> None:
        super().__init__(f"sealed under the key {key}" if key else "damaged")
        self.key = key


class Sealer:
    """
    Seals under the first of its keys, and opens what any of them sealed.

    Where there is none yet, `make` makes one when the first secret is sealed; without it there is no sealing.
    """

    def __init__(
        self, keys: Sequence[bytes] = (), *, make: Callable[[], bytes] | None = None
    ) -> None:
        self._keys = {_name_key(key): key for key in keys}
        self._make = make

    @property
    def names(self) -> list[str]:
        """What its keys are called, the one that seals first."""
        return [name.hex() for name in self._keys]

    def seal(self, context_id: str, provider: str, secret: str) -> bytes:
        """UnstorableError where there is no key."""
        if not self._keys:
            self._make_first()
        name, key = next(iter(self._keys.items()))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = _cipher(key).encrypt(nonce, secret.encode(), _bind(context_id, provider))
        return _VERSION + name + nonce + cipher

    def open(self, context_id: str, provider: str, kept: bytes | str) -> str:
        """The secret; SealedError."""
        if isinstance(kept, str):
            return kept
        from cryptography.exceptions import InvalidTag

        name, nonce, cipher = _split(kept)
        if name not in self._keys:
            raise SealedError(name.hex())
        try:
            opened = _cipher(self._keys[name]).decrypt(nonce, cipher, _bind(context_id, provider))
        except InvalidTag:
            raise SealedError("") from None
        return opened.decode()

    def is_current(self, kept: bytes | str) -> bool:
        """Whether it is sealed under the key that seals now."""
        return isinstance(kept, bytes) and _split(kept)[0] == next(iter(self._keys), None)

    def _make_first(self) -> None:
        if self._make is None:
            raise UnstorableError(_NO_KEY)
        key = self._make()
        self._keys = {_name_key(key): key}


def _name_key(key: bytes) -> bytes:
    # Of the key and not random, so that a key that is given anew is known again. It tells nothing of 256 random bits.
    return hashlib.sha256(b"spectron sealing key\0" + key).digest()[:_NAME_BYTES]


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    """The key's name, the nonce and the ciphertext."""
    start = len(_VERSION) + _NAME_BYTES
    end = start + _NONCE_BYTES
    return sealed[len(_VERSION) : start], sealed[start:end], sealed[end:]


def _bind(context_id: str, provider: str) -> bytes:
    # What is moved to another context, or to another provider, does not open there.
    return json.dumps([context_id, provider]).encode()


def _cipher(key: bytes) -> AESGCM:
    # Not at the top: most servers have no secret of a provider, and the library costs time to import.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)

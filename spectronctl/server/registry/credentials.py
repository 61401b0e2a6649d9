"""
Key secrets: `mgmt-{ULID}{random}` and `sk-{context_id}-{ULID}{random}`.

The ULID is the key's id, so that a secret is found by one look-up and checked by one comparison.
Only a keyed hash of it is ever stored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, field

from spectronctl.ground.ulids import ULID_PATTERN, new_ulid
from spectronctl.ground.vocabulary import CONTEXT_ID

KEY_ID = re.compile(f"cak_{ULID_PATTERN}")
MANAGEMENT_KEY_ID = re.compile(f"mgk_{ULID_PATTERN}")

_BASE62 = string.digits + string.ascii_letters
_RANDOM_LENGTH = 43  # 62^43 > 2^256
_TAIL = f"(?P<ulid>{ULID_PATTERN})[0-9A-Za-z]{{{_RANDOM_LENGTH}}}"
_MANAGEMENT_SECRET = re.compile(f"mgmt-{_TAIL}")
_CONTEXT_SECRET = re.compile(f"sk-(?P<context_id>{CONTEXT_ID.pattern})-{_TAIL}")
_LONGEST_SECRET = 200
_NO_DIGEST = bytes(hashlib.sha256().digest_size)


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A secret and what it claims to be; `context_id` is None for a management key."""

    secret: str = field(repr=False)
    key_id: str
    context_id: str | None


def new_context_key_id() -> str:
    """`cak_` and a ULID."""
    return f"cak_{new_ulid()}"


def new_management_key_id() -> str:
    """`mgk_` and a ULID."""
    return f"mgk_{new_ulid()}"


def mint_secret(key_id: str, context_id: str | None) -> str:
    """A new secret for that key, of a context or (None) of the control plane: 256 random bits."""
    random = "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_LENGTH))
    ulid = key_id.rpartition("_")[2]
    return f"mgmt-{ulid}{random}" if context_id is None else f"sk-{context_id}-{ulid}{random}"


def parse_secret(secret: str) -> Credential | None:
    """What a secret says of itself; None when no server of this kind made it."""
    # Before the patterns see it: a header may be long.
    if len(secret) > _LONGEST_SECRET:
        return None
    if found := _MANAGEMENT_SECRET.fullmatch(secret):
        return Credential(secret=secret, key_id=f"mgk_{found['ulid']}", context_id=None)
    if found := _CONTEXT_SECRET.fullmatch(secret):
        key_id = f"cak_{found['ulid']}"
        return Credential(secret=secret, key_id=key_id, context_id=found["context_id"])
    return None


def digest_secret(hash_key: bytes, secret: str) -> bytes:
    """The keyed hash that is stored in place of a secret: HMAC-SHA256, 32 bytes."""
    # A keyed hash and not a slow one: the secret has 256 random bits, so there is nothing to guess, and every request
    # pays for this.
    return hmac.new(hash_key, secret.encode(), hashlib.sha256).digest()


def is_secret(hash_key: bytes, secret: str, digest: bytes | None) -> bool:
    """Whether the digest is this secret's; None (no such key) takes the same time as a wrong one."""
    same = hmac.compare_digest(digest_secret(hash_key, secret), digest or _NO_DIGEST)
    return same and digest is not None

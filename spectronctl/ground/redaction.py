"""What may be shown of text that a server, a proxy or a library wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from spectronctl.ground.text import clean, shorten

MASK = "[secret]"
MAX_TEXT = 500
"""Characters of foreign text that reach a message."""


class Redaction:
    """Takes the secrets of one call out of text, with control characters and excess length."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # An empty secret stands between any two characters. The longest comes first: one that is a part of another
        # would leave the other's rest to be read.
        known = {form for secret in secrets for form in (secret, clean(secret)) if form.strip()}
        self._secrets = sorted(known, key=len, reverse=True)

    def apply(self, text: str, limit: int = MAX_TEXT) -> str:
        """One printable line of at most `limit` characters, without any of the secrets."""
        # Twice: cleaning changes a secret that holds blanks, and completes one broken up by control characters.
        return shorten(self._mask(clean(self._mask(text))), limit)

    def _mask(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        # A secret such as `secret` is found in the mask itself: that is none of ours.
        if any(secret in text and secret not in MASK for secret in self._secrets):
            return MASK  # the mask and what stands beside it spell a secret
        return text


def hide_keys(text: str) -> str:
    """Take out what looks like a key: one pasted in the wrong place is repeated by many a complaint."""
    return re.sub(r"\b(mgmt|sk)-[\w-]{16,}", rf"\1-{MASK}", text)


def find_secrets(body: Any) -> Iterator[str]:
    """Every string under a `providers` field of a request body, however deep."""
    # A stack and no recursion: the body is a user's, and may be nested deeper than Python calls.
    parts = [(body, False)]
    while parts:
        part, is_secret = parts.pop()
        if isinstance(part, str) and is_secret:
            yield part
        elif isinstance(part, dict):
            parts += [(inner, is_secret or name == "providers") for name, inner in part.items()]
        elif isinstance(part, list):
            parts += [(inner, is_secret) for inner in part]

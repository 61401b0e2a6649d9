"""Texts as a provider takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_TEXTS = 128
"""Texts of one request."""
MAX_REQUEST = 262_144
"""Bytes of text in one request, in UTF-8."""
MAX_TEXT = 8_000
"""
Bytes of one text that are sent, the first ones, in UTF-8.

A token is a byte at least, so this is below the 8,191 tokens that the common models take, whatever the script.
"""


def split_texts(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts, made fit to be sent, in the groups of one request each."""
    group: list[str] = []
    size = 0
    for text in texts:
        fit, length = _make_fit(text)
        if group and (len(group) == MAX_TEXTS or size + length > MAX_REQUEST):
            yield group
            group, size = [], 0
        group.append(fit)
        size += length
    if group:
        yield group


def _make_fit(text: str) -> tuple[str, int]:
    """The start of a text and its bytes; a blank for one of nothing else, since providers refuse the empty text."""
    # Cut before it is encoded, as a character has a byte at least, and again afterwards. What is left of a character
    # that the second cut divides is ignored below.
    start = text[:MAX_TEXT].encode(errors="replace")[:MAX_TEXT]
    fit = start.decode(errors="ignore")
    return (fit, len(start)) if fit.strip() else (" ", 1)

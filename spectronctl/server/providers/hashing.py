"""
The embedder that needs nothing: lexical feature hashing.

It compares spelling. Texts are near when they share words, pairs of neighbouring words, or parts of words; it knows no
semantics, so "car" and "automobile" are strangers. Every feature adds its weight, with a sign, to one of 256 places,
which a hash of its letters chooses.

The vectors are the same on every platform and Python, to the last bit: the arithmetic is what IEEE 754 leaves no choice
in (single operations in a fixed order, square roots, exact sums), and CRC-32 stands in place of `hash()`. (Characters
newer than Unicode 14 may be folded and split differently by a Python that knows them.)
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import fsum, sqrt
from unicodedata import category, normalize
from zlib import crc32

from spectronctl.server.providers.embedder import Vector

DIMENSIONS = 256
MAX_TEXT = 8_192
"""Characters of a text that are read, the first ones: 10 ms of work, 25 at worst."""

_WORD, _PAIR, _PART = range(3)  # kinds of features: the same letters of another kind hash elsewhere
_PAIR_WEIGHT = 0.5
_PART_WEIGHT = 0.5
_PART_LENGTH = 3
_MAX_WORD = 64  # letters of a word that are taken apart
_FULL_WEIGHT = 6  # letters from which on a word counts fully: short ones are mostly grammar
_ASCII_WORD = re.compile(r"[0-9a-z]+")
_SLICE = 512  # characters normalized at once: the cost of a run of marks grows with its square
_PAUSE_EVERY = 1_024  # characters, about a millisecond
_MIX = 0x9E3779B1  # odd, near 2^32 over the golden ratio: spreads the bits of a checksum upwards

Feature = tuple[int, float]


class HashingEmbedder:
    """`local/hashing`: lexical feature hashing in this process, 256 dimensions, no semantics."""

    name = "local/hashing"
    batch = 256
    is_local = True

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Vectors of length 1; other tasks run after every millisecond or so of work."""
        vectors, read = [], 0
        for text in texts:
            vectors.append(hash_text(text))
            read += len(text)
            if read >= _PAUSE_EVERY:
                read = 0
                await asyncio.sleep(0)
        return vectors

    async def close(self) -> None:
        """There is nothing to close."""


def hash_text(text: str) -> Vector:
    """256 numbers, a vector of length 1; of a text without any word, always the same one."""
    words = split_words(text)
    places = [0.0] * DIMENSIONS
    for word, count in Counter(words).items():
        weight = sqrt(count)  # the tenth time says less than the first
        for place, value in _describe_word(word):
            places[place] += weight * value
    for pair, count in Counter(pairwise(words)).items():
        place, value = _hash_feature(_PAIR, " ".join(pair), _PAIR_WEIGHT)
        places[place] += sqrt(count) * value
    # Not sum(): from Python 3.12 on it corrects what floats lose, so its last bit is another than that of 3.11.
    length = sqrt(fsum([value * value for value in places]))
    # A vector of zeros has no direction: its cosine with any other is no number, and the engine could not order by it.
    if not length:  # no word, or features that cancel out
        return [1.0, *places[1:]]
    return [value / length for value in places]


def split_words(text: str) -> list[str]:
    """Runs of letters, digits and their marks, in the compatibility form and folded to one case."""
    folded = _fold(text[:MAX_TEXT])[:MAX_TEXT]  # one character may have become eighteen
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    return "".join(char if _is_of_word(char) else " " for char in folded).split()


def _fold(text: str) -> str:
    slices = (text[at : at + _SLICE] for at in range(0, len(text), _SLICE))
    return "".join(normalize("NFKC", each) for each in slices).casefold()


@lru_cache(maxsize=4_096)
def _is_of_word(char: str) -> bool:
    return char.isalnum() or category(char).startswith("M")


@lru_cache(maxsize=8_192)
def _describe_word(word: str) -> tuple[Feature, ...]:
    """The word itself, and its parts of three letters, so that its other forms come near."""
    weight = min(1.0, (len(word) + 1) / (_FULL_WEIGHT + 1))
    parts = _cut(f"<{word[:_MAX_WORD]}>")
    whole = _hash_feature(_WORD, word, weight)
    return (whole, *(_hash_feature(_PART, part, weight * _PART_WEIGHT) for part in parts))


def _cut(word: str) -> Iterator[str]:
    return (word[at : at + _PART_LENGTH] for at in range(len(word) - _PART_LENGTH + 1))


def _hash_feature(kind: int, letters: str, weight: float) -> Feature:
    # The highest eight bits are the place, and the ninth is the sign: in a product these depend on all bits of the
    # checksum.
    mixed = crc32(letters.encode(), kind) * _MIX & 0xFFFFFFFF
    return mixed >> 24, weight if mixed & 0x800000 else -weight

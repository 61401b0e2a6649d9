"""The embedder that needs nothing, and what may be expected of it."""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import random
import struct
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.server.providers import hashing
from spectronctl.server.providers.embedder import Embedder, Vector
from spectronctl.server.providers.hashing import (
    DIMENSIONS,
    MAX_TEXT,
    HashingEmbedder,
    hash_text,
    split_words,
)

pytestmark = pytest.mark.anyio

GOLDEN = ["", "Hello, world", "Straße ÉTÉ ﬁn", "数据库 नमस्ते ab ab ab", "the quick brown fox " * 40]
PARAPHRASES = [
    ("Marta cycles to the office on Fridays", "On Friday Marta cycled to her offices"),
    ("The invoice was rejected by accounting", "Accounting rejects invoices"),
    ("She prefers window seats on long flights", "Preferred: a window seat on a long flight"),
    ("Our database migrated to the new cluster", "Migrating databases to new clusters"),
    ("He is allergic to peanuts and shellfish", "A peanut and shellfish allergy"),
    ("The customer requested a refund for shoes", "Customers requesting refunds for a shoe"),
    ("Deployments happen every second Tuesday", "Every second Tuesday a deployment happened"),
    ("Ingrid teaches violin to small children", "Ingrid, teacher of violins for a small child"),
    ("Die Rechnung wurde gestern bezahlt", "Rechnungen, die gestern bezahlt wurden"),
    (
        "Le fournisseur livre les pièces détachées",
        "La livraison d'une PIÈCE DÉTACHÉE du fournisseur",
    ),
]
SUBJECTS = "the engineer|a visitor|my neighbour|our supplier|the teacher|her brother|the new office"
VERBS = "prefers|bought|rejected|migrated|requested|paints|sold|repaired|forgot|delivered|described"
OBJECTS = (
    "green tea|old bicycles|a contract|long meetings|the garden|two tickets|der Bericht|les chats"
)
TIMES = "on Monday|every year|last winter|to the team|for a friend|by train|at home|since Tuesday"


def cosine(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def write_other_texts(count: int) -> list[str]:
    draw = random.Random(5)
    lists = [words.split("|") for words in (SUBJECTS, VERBS, OBJECTS, TIMES)]
    texts: set[str] = set()
    while len(texts) < count:
        texts.add(" ".join(draw.choice(words) for words in lists))
    return sorted(texts)


def digest_all() -> str:
    vectors = asyncio.run(HashingEmbedder().embed(GOLDEN))
    packed = b"".join(struct.pack(f"<{DIMENSIONS}d", *vector) for vector in vectors)
    return hashlib.sha256(packed).hexdigest()


def test_the_vectors_are_what_they_always_were() -> None:
    vector = hash_text("Hello, world")
    found = {place: value.hex() for place, value in enumerate(vector) if value}
    assert len(found) == 13
    assert (found[29], found[83]) == ("-0x1.d170f1c88cca9p-3", "0x1.d170f1c88cca9p-3")
    assert digest_all() == "50975ffe591677b2f631878c08ca5926ddd79ee995b877d943c863cb912a91f8"


@pytest.mark.parametrize("seed", ["0", "1", "4294967295"])
def test_another_process_makes_the_same_vectors_whatever_its_hash_seed(seed: str) -> None:
    code = "from tests.server import test_hashing; print(test_hashing.digest_all())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest_all()


@given(st.text())
def test_every_text_has_a_vector_of_length_1(text: str) -> None:
    vector = hash_text(text)
    assert len(vector) == DIMENSIONS
    assert math.isclose(cosine(vector, vector), 1)


@pytest.mark.parametrize("text", ["", " \n", "?!…", "🙂", "\ud800"])
def test_all_texts_without_a_word_share_one_vector(text: str) -> None:
    assert hash_text(text) == hash_text("") == [1.0, *[0.0] * (DIMENSIONS - 1)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't PANIC: snake_case, 42km", ["don", "t", "panic", "snake", "case", "42km"]),
        ("Straße ﬁn ①", ["strasse", "fin", "1"]),
        ("cafe\u0301 caf\u00e9", ["caf\u00e9", "caf\u00e9"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("東京 \uff12\uff10", ["東京", "20"]),
    ],
)
def test_words_are_split_in_any_script(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("near", "text", "far"),
    [
        ("indexes", "index", "orange"),
        ("the cat bites the dog", "the cat bites dogs", "the dog bites the cat"),
        ("red red red", "red", "red blue"),
    ],
    ids=["parts of words", "order of words", "repetition"],
)
def test_nearness_follows_the_letters(near: str, text: str, far: str) -> None:
    vector = hash_text(text)
    assert cosine(vector, hash_text(near)) > cosine(vector, hash_text(far))


def test_it_knows_no_semantics() -> None:
    assert abs(cosine(hash_text("car"), hash_text("automobile"))) < 0.3


def test_a_paraphrase_is_nearer_than_a_thousand_other_texts() -> None:
    others = [hash_text(text) for text in write_other_texts(1_000)]
    paraphrases = [hash_text(paraphrase) for _, paraphrase in PARAPHRASES]
    for at, (text, _) in enumerate(PARAPHRASES):
        vector = hash_text(text)
        scores = [cosine(vector, other) for other in [*paraphrases, *others]]
        assert scores.index(max(scores)) == at, text


def test_words_are_spread_evenly_over_places_and_signs() -> None:
    draw = random.Random(3)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=40)) for _ in range(1_000)]
    vectors = [hash_text(word) for word in words]
    for place in range(DIMENSIONS):
        values = [vector[place] for vector in vectors]
        assert 0.5 < sum(value**2 for value in values) * DIMENSIONS / len(words) < 2
    balance = [sum(vector[place] for vector in vectors) for place in range(DIMENSIONS)]
    assert 100 < sum(1 for total in balance if total > 0) < 156


@pytest.mark.parametrize("char", ["a ", "é中", "ﷺ", "x"])
def test_only_the_start_of_a_long_text_is_read(char: str) -> None:
    start = (char * MAX_TEXT)[:MAX_TEXT]
    assert hash_text(start + "and more of it" * 80_000) == hash_text(start)


def test_the_work_for_any_text_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def normalize(form: str, text: str) -> str:
        sizes.append(len(text))
        return unicodedata.normalize(form, text)  # type: ignore[arg-type]

    monkeypatch.setattr(hashing, "normalize", normalize)
    words = split_words("\ufdfa" * 1_000_000)  # a ligature of eighteen characters
    assert sum(map(len, words)) <= MAX_TEXT == sum(sizes)
    assert max(sizes) <= 512


async def test_other_tasks_run_while_many_texts_are_embedded() -> None:
    embedder: Embedder = HashingEmbedder()
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    texts = [f"a text of some forty characters, number {n}" for n in range(256)]
    assert await embedder.embed(texts) == [hash_text(text) for text in texts]
    counting.cancel()
    assert turns >= 256 * 40 // 1_024
    await embedder.close()


async def test_no_texts_have_no_vectors() -> None:
    assert await HashingEmbedder().embed([]) == []

"""
How well memories fit the words of a query, by statistics of a region alone (BM25).

The engine counts over all of its table: how rare a word is would tell what other regions speak of.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spectronctl.server.recall.rows import Candidate

_SATURATION, _LENGTH = 1.2, 0.75  # k1 and b, as the engine has them


@dataclass(frozen=True)
class Words:
    """A region's rows: how many there are, how many words they have, and those with one of the terms."""

    terms: Sequence[str]
    rows: int
    words: int
    found: Sequence[Mapping[str, Any]]


def score_words(region: Words) -> list[Candidate]:
    """The rows found, the best first; of equals the oldest."""
    counted = [(row, Counter(row["words"])) for row in region.found]
    weights = {
        term: _weigh(region.rows, sum(term in counts for _, counts in counted))
        for term in region.terms
    }
    scored = [
        Candidate(
            id=row["id"],
            text=row["text"],
            scopes=row["scopes"],
            # No division by zero: a row that was found has a word, and is counted in the region's.
            score=_score(counts, weights, counts.total() * region.rows / region.words),
        )
        for row, counts in counted
    ]
    return sorted(scored, key=lambda each: (-each.score, each.id))


def _weigh(rows: int, holding: int) -> float:
    """How much a term says: above 0, and the more, the fewer rows hold it."""
    return math.log(1 + (rows - holding + 0.5) / (holding + 0.5))


def _score(counts: Mapping[str, int], weights: Mapping[str, float], length: float) -> float:
    """`length` is how long the row is, with 1 for the mean of the region."""
    damping = _SATURATION * (1 - _LENGTH + _LENGTH * length)
    return sum(
        weight * counts[term] * (_SATURATION + 1) / (counts[term] + damping)
        for term, weight in weights.items()
    )

"""Embedders of others, over HTTP as OpenAI speaks it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isfinite
from typing import Any

from spectronctl.server.providers.embedder import Vector
from spectronctl.server.providers.errors import ProviderError
from spectronctl.server.providers.http import ProviderHttp
from spectronctl.server.providers.texts import MAX_TEXTS, split_texts


class RemoteEmbedder:
    """
    `openai/MODEL`, or a model of another provider that speaks the same protocol: `POST BASE/embeddings`.

    Of a text the first 8,000 bytes are sent.
    """

    batch = MAX_TEXTS
    is_local = False

    def __init__(self, name: str, base_url: str, secret: str, *, allow_private: bool) -> None:
        self.name = name
        self._dimensions: int | None = None
        headers = {"Authorization": f"Bearer {secret}"}
        self._http = ProviderHttp(base_url, headers, allow_private=allow_private)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Vectors as the provider made them, all that this embedder ever makes of one length; ProviderError."""
        return [vector for group in split_texts(texts) for vector in await self._ask(group)]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _ask(self, texts: list[str]) -> list[Vector]:
        body = {
            "model": self.name.partition("/")[2],
            "input": texts,
            "encoding_format": "float",
        }
        parse = partial(parse_vectors, count=len(texts))
        vectors = await self._http.post("/embeddings", body, parse, model=self.name)
        # A provider may put another model behind the same name: vectors of two lengths cannot be compared, so they must
        # not get as far as the index.
        length = len(vectors[0])
        self._dimensions = self._dimensions or length
        if length != self._dimensions:
            raise ProviderError(
                f"{self.name}: its vectors have {length} numbers, and had {self._dimensions} before"
            )
        return vectors


def parse_vectors(content: Any, *, count: int) -> list[Vector]:
    """The vectors of `count` texts in their order; ValueError."""
    items = content.get("data") if isinstance(content, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("it has no list of objects named data")
    if len(items) != count:
        raise ValueError(f"{len(items)} vectors for {count} texts")
    # By their index and not as they come: servers that embed in parallel need not keep the order.
    found = {_parse_index(item): _parse_vector(item) for item in items}
    if found.keys() != set(range(count)):
        raise ValueError("not every text has an index of its own")
    vectors = [found[index] for index in range(count)]
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError("its vectors are of several lengths")
    return vectors


def _parse_index(item: dict[str, Any]) -> int:
    index = item.get("index")
    if isinstance(index, bool) or not isinstance(index, int):
        raise ValueError("a vector has no index")
    return index


def _parse_vector(item: dict[str, Any]) -> Vector:
    values = item.get("embedding")
    # By type, in one pass without a line of Python per number: there may be half a million. True and false are out with
    # it.
    if not isinstance(values, list) or not {float, int}.issuperset(map(type, values)):
        raise ValueError("an embedding is no list of numbers")
    try:
        vector = list(map(float, values))
    except OverflowError:
        raise ValueError("an embedding holds a number that is too large") from None
    # pydantic_core reads NaN and Infinity, which are no JSON, without a complaint.
    if not all(map(isfinite, vector)):
        raise ValueError("an embedding holds a number that is not finite")
    if not any(vector):
        raise ValueError("an embedding is empty, or of only zeros")
    return vector

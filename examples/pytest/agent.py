"""A little agent: what it hears it keeps in Spectron, and finds again. It needs nothing but the standard library."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen


class Agent:
    """Remembers on behalf of the holder of the key."""

    def __init__(self, url: str, context: str, key: str) -> None:
        self._base = f"{url}/api/v1/{context}"
        self._key = key

    def hear(self, text: str) -> None:
        """Keep what was said."""
        self._post("/facts", {"text": text, "infer": "none", "memory_category": "knowledge"})

    def recall(self, question: str) -> list[str]:
        """What was said that has to do with the question, the nearest first."""
        hits = self._post("/query", {"query": question, "mode": "hybrid"})["hits"]
        return [hit["text"] for hit in hits]

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        request = Request(self._base + path, json.dumps(body).encode(), headers)
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

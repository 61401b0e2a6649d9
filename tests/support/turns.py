"""A session on a server made of a list: it grows while it is read, fails when told to, and answers many at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import httpx

from spectronctl.api import sessions

SESSION = "session:1"
TURNS = sessions.list_turns("acme", SESSION)


def turn(seq: int) -> dict[str, Any]:
    role = ("user", "assistant")[seq % 2]
    return {
        "id": f"turn:{seq}",
        "session": SESSION,
        "role": role,
        "content": f"words {seq}",
        "seq": seq,
        "createdAt": "2026-05-01T12:30:00Z",
    }


class Turns:
    """
    `total` turns from seq `base` on, at most `cap` at once.

    Before each answer the next number of `growth` is appended; requests whose number is in `failing` get a 503.
    """

    def __init__(
        self,
        total: int,
        *,
        base: int = 1,
        cap: int = 500,
        growth: Iterable[int] = (),
        failing: Iterable[int] = (),
    ) -> None:
        self.turns = [turn(base + n) for n in range(total)]
        self.asked: list[tuple[int, int]] = []
        self._base = base
        self._cap = cap
        self._growth = iter(growth)
        self._failing = set(failing)
        self._requests = 0
        self._lock = threading.Lock()

    def append(self, count: int = 1) -> None:
        start = self._base + len(self.turns)
        self.turns += [turn(start + n) for n in range(count)]

    def answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.append(next(self._growth, 0))
        self._requests += 1
        if self._requests in self._failing:
            return httpx.Response(503, headers={"Retry-After": "0"})
        params = request.url.params
        offset, limit = int(params["offset"]), int(params["limit"])
        self.asked.append((offset, limit))
        return self.answer_turns(self.turns[offset : offset + min(limit, self._cap)])

    def answer_turns(self, turns: list[dict[str, Any]]) -> httpx.Response:
        return httpx.Response(200, json={"turns": turns})

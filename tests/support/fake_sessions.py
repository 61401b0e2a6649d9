"""A server of sessions in a dictionary, with idempotency keys and a network that loses what it is told to lose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import httpx

SESSIONS = "/api/v1/acme/sessions"
BATCH = "/api/v1/acme/facts/batch"

Fault = Literal["", "lost", "landed", "late", "503", "429", "killed", "killed landed"]
"""
What becomes of a write: lost on the way there, or on the way back; carried out only after the next request; refused for
now. `killed` takes the importing process with it.
"""


class KilledError(Exception):
    """The process ends here."""


@dataclass
class Pending:
    """A write that the server still carries out."""

    key: str
    carry_out: Callable[[], Any]


class Memory:
    """Answers the data plane of context acme; each write takes the next of `faults`."""

    def __init__(self, faults: Iterable[Fault] = (), *, keeps_keys: bool = True) -> None:
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        self.stored: dict[str, tuple[Any, Any]] = {}
        self.requests: list[httpx.Request] = []
        self._faults = iter(faults)
        self._keeps_keys = keeps_keys
        self._pending: list[Pending] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        landing, self._pending = self._pending, []
        answer = self._read(request) if request.method == "GET" else self._write(request, landing)
        for write in landing:
            write.carry_out()
        return answer

    def add_session(self, contents: Iterable[str] = ()) -> str:
        name = f"session:{len(self.sessions) + 1}"
        self.sessions[name] = []
        self._append(name, [{"role": "user", "content": text} for text in contents])
        return name

    @property
    def is_busy(self) -> bool:
        return bool(self._pending)

    def _read(self, request: httpx.Request) -> httpx.Response:
        _, _, rest = request.url.path.partition(f"{SESSIONS}/")
        name, _, what = rest.partition("/")
        if name not in self.sessions or what != "turns":
            return httpx.Response(404, json={"detail": "nothing there"})
        offset, limit = (int(request.url.params[each]) for each in ("offset", "limit"))
        return httpx.Response(200, json={"turns": self.sessions[name][offset : offset + limit]})

    def _write(self, request: httpx.Request, landing: list[Pending]) -> httpx.Response:
        key, body = request.headers["Idempotency-Key"], json.loads(request.content)
        if any(write.key == key for write in landing):
            return httpx.Response(409, json={"detail": "still in flight"})
        fault = next(self._faults, "")
        if fault in ("503", "429"):
            return httpx.Response(int(fault), headers={"Retry-After": "0"})
        if fault == "late":
            self._pending.append(Pending(key, lambda: self._carry_out(request, key, body)))
        elif fault in ("", "landed", "killed landed"):
            answer = self._carry_out(request, key, body)
        if fault.startswith("killed"):
            raise KilledError
        if fault:
            raise httpx.ReadError("connection reset")
        return answer

    def _carry_out(self, request: httpx.Request, key: str, body: Any) -> httpx.Response:
        before, answer = self.stored.get(key, (body, None))
        if before != body:
            return httpx.Response(409, json={"detail": "another body"})
        if answer is None:
            answer = self._create() if request.url.path == SESSIONS else self._store(body)
            if self._keeps_keys:
                self.stored[key] = body, answer
        return httpx.Response(answer[0], json=answer[1])

    def _create(self) -> tuple[int, Any]:
        return 201, {"id": self.add_session(), "scopes": [], "createdAt": "2026-05-01T00:00:00Z"}

    def _store(self, body: Any) -> tuple[int, Any]:
        name = body["session_id"]
        if name not in self.sessions:
            return 404, {"detail": "no such session"}
        ids = self._append(name, body["messages"])
        return 200, {"sessionId": name, "turnIds": ids, "extractions": []}

    def _append(self, name: str, messages: list[dict[str, Any]]) -> list[str]:
        turns = self.sessions[name]
        for message in messages:
            seq = len(turns) + 1
            place = {"id": f"turn:{seq}", "session": name, "seq": seq, "createdAt": "2026-05-01"}
            turns.append(message | place)
        return [turn["id"] for turn in turns[-len(messages) :]]

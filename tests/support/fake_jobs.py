"""A server of jobs that goes by a script: what becomes of a start, and what each look at a job finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import httpx

from spectronctl.ground.times import format_time

Start = Literal["", "lost", "landed", "503"]
"""What becomes of a start: its answer is lost on the way there, or on the way back; refused for now."""

Look = dict[str, Any] | int | Exception
"""What a look at a job finds: fields that have changed, or a status without a body, or no answer."""


def make_job(number: int, status: str = "queued", **fields: Any) -> dict[str, Any]:
    progress = {"done": 0, "total": None}
    return {
        "id": f"job_{number}",
        "kind": "reindex",
        "status": status,
        "progress": progress,
        "error": None,
        "cancel_requested": False,
        "created_at": format_time(datetime.now(UTC)),
    } | fields


def reach(done: int, total: int | None = 10, status: str = "running") -> dict[str, Any]:
    return {"status": status, "progress": {"done": done, "total": total}}


@dataclass
class JobServer:
    """Answers the jobs of any context; at the end of the script a look finds what the last one found."""

    looks: Iterable[Look] = ()
    starts: Iterable[Start] = ()
    jobs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lists: bool = True
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._looks, self._starts = iter(self.looks), iter(self.starts)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        context, _, rest = request.url.path.removeprefix("/api/v1/contexts/").partition("/")
        what = rest.removeprefix("lifecycle/")
        self.asked.append(f"{request.method} {what}")
        jobs = self.jobs.setdefault(context, [])
        if what == "reindex":
            return self._start(jobs)
        if what == "jobs":
            status = 200 if self.lists else 500
            return httpx.Response(status, json={"jobs": jobs, "has_more": False})
        found = [job for job in jobs if f"jobs/{job['id']}" == what]
        if not found:
            return httpx.Response(404, json={"detail": "no such job"})
        return self._look(found[0])

    def _start(self, jobs: list[dict[str, Any]]) -> httpx.Response:
        fate = next(self._starts, "")
        if fate == "503":
            return httpx.Response(503)
        if fate == "lost":
            raise httpx.ReadError("connection reset")
        running = [job for job in jobs if job["status"] in {"queued", "running"}]
        if not running:
            jobs.append(make_job(len(jobs) + 1))
        if fate == "landed":
            raise httpx.ReadError("connection reset")
        if running:
            return httpx.Response(409, json={"detail": f"{running[0]['id']} is under way"})
        return httpx.Response(202, json={"job_id": jobs[-1]["id"], "status": "queued"})

    def _look(self, job: dict[str, Any]) -> httpx.Response:
        look = next(self._looks, {})
        if isinstance(look, Exception):
            raise look
        if isinstance(look, int):
            return httpx.Response(look)
        job |= look
        return httpx.Response(200, json=job)

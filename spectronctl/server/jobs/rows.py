"""Jobs as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """
    Work that takes longer than a request.

    `payload` is JSON, in the words of its kind; `total` is None until it is counted.
    """

    id: str
    context_id: str
    kind: str
    payload: Mapping[str, Any]
    status: str
    done: int = 0
    total: int | None = None
    error: str | None = None
    cancel_requested: bool = False
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class ClaimedJob:
    """A job, and the word that makes it ours until another worker claims it."""

    job: JobRow
    claim: str


class LostJobError(Exception):
    """Another worker has taken the job over, or it is gone with its context."""

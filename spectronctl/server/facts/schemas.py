"""What writes to conversations respond with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from spectronctl.server.http.responses import PlaneAnswer


class FactAnswer(PlaneAnswer):
    """A text that was kept as it is."""

    mode: Literal["none"] = "none"
    session_id: str
    turn_id: str
    chunk_id: str


class BatchAnswer(PlaneAnswer):
    """A conversation that was kept as it is: its turns, in the order of the messages."""

    session_id: str
    turn_ids: list[str]
    extractions: list[dict[str, Any]] = Field(default_factory=list)

"""Facts and whole conversations, written."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic reads typing's own only from Python 3.12 on

from spectronctl.models._base import Model


class Message(TypedDict):
    """One message of a conversation to store; `ts` (RFC 3339) is when it was said."""

    role: str
    content: str
    ts: NotRequired[str]


class StoredFact(Model):
    """Response of `POST /{context}/facts`; `chunk_id` and `turn_id` come with `infer: none`."""

    session_id: str
    mode: str | None = None
    chunk_id: str | None = None
    turn_id: str | None = None
    extraction: Any = None


class StoredBatch(Model):
    """Response of `POST /{context}/facts/batch`; `turn_ids` are in the order of the messages."""

    session_id: str
    turn_ids: list[str]
    extractions: list[Any] = Field(default_factory=list)

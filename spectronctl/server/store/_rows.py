"""What the store keeps and hands out, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ContextRow:
    """A registered context. `providers` names the configured providers; their secrets stay in the database."""

    id: str
    namespace: str
    database: str
    config: Mapping[str, Any] = field(default_factory=dict)
    providers: tuple[str, ...] = ()
    enforcement_blocked: bool = False
    admin_external_id: str | None = None
    admin_display_name: str | None = None
    schema_version: int = 0
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """A key of a context. `digest` is the keyed hash of its secret."""

    id: str
    context_id: str
    name: str
    principal: str
    scope_floor: Any = None
    digest: bytes = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ManagementKeyRow:
    """A key of the control plane."""

    id: str
    name: str
    digest: bytes = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OntologyRow:
    """What extraction looks for in a context. `etag` is the strong tag of exactly this content, in its quotes."""

    entity_types: list[str] = field(default_factory=list)
    attribute_keys: dict[str, list[str]] = field(default_factory=dict)
    relation_labels: list[str] = field(default_factory=list)
    etag: str


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """
    A conversation.

    `longest_turn` is the characters of the longest text that a turn of it ever had. `deleting`: its deletion has begun,
    and it is not to be seen any more.
    """

    id: str
    scopes: list[list[str]]
    metadata: Any = None
    turn_count: int = 0
    longest_turn: int = 0
    deleting: bool = False


@dataclass(frozen=True, kw_only=True)
class TurnRow:
    """
    A turn to append; its place in the session is the store's to give.

    `labelled_by` is the turn of the same write that keeps the labels of both: a batch keeps its labels once.
    """

    id: str
    role: str
    content: str
    labels: tuple[str, ...] = ()
    labelled_by: str | None = None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class ChunkRow:
    """A literal memory, said in a turn; `vector` and who made it, where it could be made, and for which table."""

    id: str
    turn_id: str
    text: str
    memory_category: str | None = None
    created_at: datetime
    embedder: str | None = None
    vector: list[float] | None = field(default=None, repr=False)
    slot: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredChunk:
    """A memory as it is kept."""

    id: str
    text: str
    scopes: list[list[str]]


@dataclass(frozen=True, kw_only=True)
class BrokenReference:
    """A memory whose `field` names what is not there."""

    row: str
    field: str
    target: str
    scopes: list[list[str]]


@dataclass(frozen=True, kw_only=True)
class SearchIndex:
    """What recall looks through: which of the two tables serves, and what its vectors are."""

    slot: str
    embedder: str
    dimension: int


@dataclass(frozen=True, kw_only=True)
class Build:
    """How far the table that does not serve is filled: the last memory in it, and how many there are."""

    slot: str
    dimension: int
    cursor: str = ""
    done: int = 0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A memory that a query comes near: `score` is the higher, the nearer."""

    id: str
    text: str
    scopes: list[list[str]]
    score: float


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """Work that takes longer than a request. `total` is None while nobody has counted."""

    id: str
    context_id: str
    kind: str
    embedder: str
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
    """A job, and the word that makes it ours until somebody else claims it."""

    job: JobRow
    claim: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a recall looks through: a turn (its `seq`), or a memory (its `scopes`)."""

    text: str
    role: str | None = None
    seq: int | None = None
    scopes: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The right to do one write: of one principal, under one Idempotency-Key, for one request."""

    principal: str
    key: str
    fingerprint: bytes
    claim: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a write leaves with itself, in one transaction, so that it is never done twice: its answer."""

    reservation: Reservation
    answer: str

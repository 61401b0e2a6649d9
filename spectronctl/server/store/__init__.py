"""
Where the server keeps things. `Store` is what the routes need; SurrealDB is the one way to be it.

The control plane lives in namespace `spectron`, database `metadata`; every context has a
(namespace, database) of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from spectronctl.server.database.values import check_value
from spectronctl.server.idempotency.rows import Receipt, Reservation
from spectronctl.server.jobs.rows import ClaimedJob, JobRow
from spectronctl.server.memory.rows import (
    BrokenReference,
    Build,
    Candidate,
    ChunkRow,
    SearchIndex,
    StoredChunk,
)
from spectronctl.server.ontology.rows import OntologyRow
from spectronctl.server.registry.rows import ContextRow, KeyRow, ManagementKeyRow
from spectronctl.server.sessions.rows import Found, SessionRow, TurnRow

if TYPE_CHECKING:
    from spectronctl.server.access.scopes import Region

__all__ = [
    "ContextRow",
    "KeyRow",
    "ManagementKeyRow",
    "OntologyRow",
    "SessionRow",
    "TurnRow",
    "ChunkRow",
    "StoredChunk",
    "BrokenReference",
    "SearchIndex",
    "Build",
    "Candidate",
    "JobRow",
    "ClaimedJob",
    "Found",
    "Reservation",
    "Receipt",
    "LostJobError",
    "Store",
    "check_value",
]


class LostJobError(Exception):
    """Another worker has taken the job over, or it is gone with its context."""


class Store(Protocol):
    """
    Reads answer None (or False) for what is not there; writes raise `ProblemError` 409 for what is taken.

    Where a `region` is asked for, nothing outside of it has any part in the answer: not in limits, counts or scores.
    """

    async def close(self) -> None: ...
    async def ping(self) -> None:
        """Raise unless the database takes a write: 503, within 20 seconds."""

    async def read_hash_key(self) -> bytes:
        """The 32 bytes that key the hashes of secrets: made once per store, the same for every server on it."""

    async def create_context(
        self,
        row: ContextRow,
        *,
        providers: Mapping[str, str],
    ) -> ContextRow:
        """
        Register, create the database, migrate it; 409 for a taken id or (namespace, database).

        Half-way failures undo exactly what this call made: a database that was there before stays.
        """

    async def get_context(self, context_id: str) -> ContextRow | None: ...
    async def list_contexts(self, *, after: str | None, limit: int) -> list[ContextRow]:
        """At most `limit` rows with an id greater than `after`, in order of id."""

    async def update_context(
        self,
        context_id: str,
        *,
        config: Mapping[str, Any],
        providers: Mapping[str, str | None],
        enforcement_blocked: bool | None,
    ) -> ContextRow | None:
        """Deep-merge `config`; None clears a field or a provider. Concurrent updates all take effect."""

    async def delete_context(self, context_id: str) -> bool:
        """Drop the bound database, the keys and the registry entry; never the namespace."""

    async def create_key(self, row: KeyRow) -> None:
        """409 when the context already has a key of that name."""

    async def get_key(self, context_id: str, key_id: str) -> KeyRow | None: ...
    async def list_keys(self, context_id: str, *, after: str | None, limit: int) -> list[KeyRow]:
        """At most `limit` rows with an id greater than `after`, in order of id."""

    async def rotate_key(self, context_id: str, key_id: str, digest: bytes) -> KeyRow | None: ...
    async def delete_key(self, context_id: str, key_id: str) -> bool: ...
    async def touch_key(self, context_id: str, key_id: str) -> None:
        """Note that a key was used, at most once a minute."""

    async def create_management_key(self, row: ManagementKeyRow) -> None: ...
    async def get_management_key(self, key_id: str) -> ManagementKeyRow | None: ...
    async def list_management_keys(self) -> list[ManagementKeyRow]: ...
    async def delete_management_key(self, key_id: str) -> bool: ...
    async def touch_management_key(self, key_id: str) -> None:
        """Note that a key was used, at most once a minute."""

    async def get_ontology(self, context: ContextRow) -> OntologyRow:
        """The context's ontology; an empty one where none was set."""

    async def set_ontology(
        self, context: ContextRow, row: OntologyRow, *, expected: Collection[str] | None
    ) -> None:
        """Replace it as a whole; 412, and nothing changed, unless its tag is among those `expected` (None: any)."""

    async def delete_ontology(
        self, context: ContextRow, *, expected: Collection[str] | None
    ) -> None:
        """Leave none; 412 as for `set_ontology`."""

    async def create_session(
        self, context: ContextRow, row: SessionRow, *, receipt: Receipt | None
    ) -> None: ...
    async def get_session(
        self, context: ContextRow, region: Region, session_id: str
    ) -> SessionRow | None: ...
    async def list_sessions(
        self, context: ContextRow, region: Region, *, after: str, before: str | None, limit: int
    ) -> list[SessionRow]:
        """At most `limit` rows with ids between the two, in order of id; none that is being deleted."""

    async def delete_session(
        self, context: ContextRow, session_id: str, *, with_memories: bool
    ) -> bool:
        """
        Delete it with its turns and memories, and finish the deletions that a crash cut short.

        False, and nothing is deleted, when it has memories and goes without them only.
        """

    async def append_turns(
        self,
        context: ContextRow,
        session: SessionRow,
        turns: Sequence[TurnRow],
        *,
        is_new: bool,
        chunk: ChunkRow | None,
        receipt: Receipt | None,
    ) -> None:
        """All or nothing, with consecutive `seq` from `turn_count` on; 404 when the session is gone."""

    async def read_turns(
        self, context: ContextRow, region: Region, session_id: str, *, offset: int, limit: int
    ) -> tuple[SessionRow | None, str | AsyncIterator[str]]:
        """
        The session, and a JSON array of turns as they are answered: a long transcript is never unpacked.

        A long array comes in pieces, which raise a problem when a turn is gone meanwhile.
        """

    def find_texts(
        self,
        context: ContextRow,
        region: Region,
        session: SessionRow,
        words: Sequence[str],
        *,
        most: int,
    ) -> AsyncIterator[list[Found]]:
        """
        Those of the session's newest `most` turns, and of the region's newest other memories, with one of the words.

        Turns first, each kind from the newest on, and of each text its start.
        """

    async def reserve_write(self, context: ContextRow, wanted: Reservation) -> str | None:
        """None: go on. Else the answer that this write had; 409 for another body, or while it is in flight."""

    async def release_write(self, context: ContextRow, reservation: Reservation) -> None:
        """Let the next one try; does nothing after the write was done."""

    async def read_provider(self, context_id: str, name: str) -> str | None:
        """The secret of a provider, for a request to it; None when it has none."""

    async def read_index(self, context: ContextRow) -> SearchIndex: ...
    async def open_build(self, context: ContextRow, claimed: ClaimedJob) -> Build | None:
        """
        What this job has built so far; None for nothing.

        From now on nobody but the claim can change a build of this context: not who worked on this job, or another.
        """

    async def begin_build(
        self, context: ContextRow, claimed: ClaimedJob, *, dimension: int
    ) -> Build:
        """
        An empty table, with indexes for vectors of that many numbers, beside the one that serves.

        `LostJobError` when another worker has opened the build.
        """

    async def list_chunks(
        self, context: ContextRow, region: Region, *, after: str, limit: int
    ) -> list[StoredChunk]:
        """At most `limit` memories with an id greater than `after`, in order of id."""

    async def count_chunks(self, context: ContextRow, region: Region) -> int: ...
    async def add_to_build(
        self,
        context: ContextRow,
        claimed: ClaimedJob,
        build: Build,
        chunks: Sequence[StoredChunk],
        vectors: Sequence[list[float]],
    ) -> Build:
        """All or nothing, with how far it has come; `LostJobError` when another worker has taken the job over."""

    async def switch_to_build(
        self, context: ContextRow, claimed: ClaimedJob, build: Build, *, embedder: str
    ) -> None:
        """From now on the built table serves; `LostJobError` as above."""

    async def close_build(self, context: ContextRow, claimed: ClaimedJob) -> None:
        """Empty the table that does not serve, and forget a build that was in it; `LostJobError` as above."""

    async def list_unindexed(
        self, context: ContextRow, region: Region, *, after: str, limit: int
    ) -> list[StoredChunk]:
        """At most `limit` memories, with an id greater than `after`, that have no vector where recall looks."""

    async def index_chunks(
        self,
        context: ContextRow,
        index: SearchIndex,
        chunks: Sequence[StoredChunk],
        vectors: Sequence[list[float] | None],
    ) -> None:
        """Give memories their place where recall looks; nothing happens when `index` no longer serves."""

    async def find_near(
        self,
        context: ContextRow,
        region: Region,
        index: SearchIndex,
        vector: list[float],
        *,
        most: int,
        least: float = -1.0,
    ) -> list[Candidate] | None:
        """
        The memories whose vectors are nearest, the nearest first; `score` is the cosine, from -1 to 1.

        Any of those below `least` may be missing: it takes less time to look no farther.
        None when `index` no longer serves.
        """

    async def find_words(
        self, context: ContextRow, region: Region, index: SearchIndex, query: str, *, most: int
    ) -> list[Candidate] | None:
        """The memories with some of the query's words, the best (BM25) first; None as above."""

    async def read_cached_vector(
        self, context: ContextRow, region: Region, embedder: str, query: str
    ) -> list[float] | None: ...
    async def cache_vector(
        self, context: ContextRow, region: Region, embedder: str, query: str, vector: list[float]
    ) -> None:
        """Keep a query's vector for a day, for callers of that region."""

    async def list_expired(
        self,
        context: ContextRow,
        region: Region,
        category: str,
        *,
        before: datetime,
        after: str,
        limit: int,
    ) -> list[StoredChunk]:
        """At most `limit` memories of a category from before that time, with an id greater than `after`, by id."""

    async def delete_chunks(self, context: ContextRow, ids: Sequence[str]) -> int:
        """How many there were."""

    async def prune_cache(self, context: ContextRow, region: Region) -> int:
        """Take out the outdated vectors of the region's own queries, of all for the whole: how many there were."""

    async def list_broken(
        self, context: ContextRow, region: Region, *, limit: int
    ) -> list[BrokenReference]:
        """At most `limit` memories of each kind whose session, turn or place where recall looks is missing."""

    async def list_unscoped(self, context: ContextRow, region: Region) -> dict[str, list[str]]:
        """Table → ids of what nobody tagged, so that no key with a scope floor sees it."""

    async def read_vector(
        self, context: ContextRow, region: Region, index: SearchIndex, chunk_id: str
    ) -> list[float] | None: ...

    async def create_job(self, context: ContextRow, *, kind: str, embedder: str) -> JobRow:
        """409, naming it, while a job of that kind is queued or running in the context."""

    async def get_job(self, context_id: str, job_id: str) -> JobRow | None: ...
    async def list_jobs(self, context_id: str, *, after: str | None, limit: int) -> list[JobRow]:
        """At most `limit` rows with an id greater than `after`, in order of id: the oldest first."""

    async def cancel_job(self, context_id: str, job_id: str) -> JobRow | None:
        """Cancel a queued job, ask the worker of a running one to stop; a finished one stays as it is."""

    async def wait_for_job(self, seconds: float) -> None:
        """Until this store queues a job, or for that long."""

    async def claim_job(self) -> ClaimedJob | None:
        """The oldest job that is queued, or whose worker is dead; None when there is nothing to do."""

    async def renew_job(self, claimed: ClaimedJob, *, done: int, total: int | None) -> bool | None:
        """A sign of life, with the progress: whether to stop; None when the job is no longer ours."""

    async def release_job(self, claimed: ClaimedJob) -> None:
        """Let the next worker go on at once."""

    async def finish_job(
        self,
        claimed: ClaimedJob,
        status: str,
        *,
        error: str | None = None,
        done: int,
        total: int | None,
    ) -> None:
        """Note how it ended; nothing happens when the job is no longer ours."""

    async def prune_jobs(self) -> None:
        """Take out jobs that ended more than 30 days ago."""

    async def list_schema_versions(self) -> dict[str, int]:
        """Context id → the version that its database's schema is at."""

    @property
    def schema_version(self) -> int:
        """The version that this server brings every context to."""

"""The tree of scopes, and what is erased of it."""

from __future__ import annotations

from spectronctl.models._base import Model


class Scope(Model):
    """
    A node of the tree. `path` ends with a slash on servers that write it as the product does.

    `tombstoned_at` (RFC 3339) is there when nothing is written at or below it any more.
    """

    path: str
    created_at: str | None = None
    tombstoned_at: str | None = None
    display_name: str | None = None
    description: str | None = None


class ErasedRows(Model):
    """How many rows of each kind; `queries` are cached vectors of queries."""

    sessions: int = 0
    turns: int = 0
    memories: int = 0
    queries: int = 0


class Forgotten(Model):
    """
    Response of `POST /{context}/scopes/forget`: rows that are gone, or with `dry_run` would be.

    `rows` and `co_owned`, which of them are tagged outside of the scope too, are there only on servers that tell them.
    """

    forgotten: int
    dry_run: bool | None = None
    rows: ErasedRows | None = None
    co_owned: ErasedRows | None = None

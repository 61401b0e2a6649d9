"""Which schema the database of each context has, from `GET /migrations`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from spectronctl.models._base import Model


class SchemaVersion(Model):
    """The schema of one context's database."""

    context_id: str
    version: int | str | None = None


class Migrations(Model):
    """
    Response of `GET /migrations`: the newest schema, each context's own, and those that are not at it.

    Of `behind` and `failures` some servers give ids, others objects with a `context_id` and an `error`.
    """

    schema_version: int | str | None = None
    contexts: list[SchemaVersion] = Field(default_factory=list)
    behind: list[Any] = Field(default_factory=list)
    failures: list[Any] = Field(default_factory=list)

"""What the server says about itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Health(BaseModel):
    """The server responds."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(BaseModel):
    """The server responds, and its database does."""

    status: Literal["ready"] = "ready"


class VerbList(BaseModel):
    """The verbs that a grant may name."""

    verbs: list[str]


class SchemaVersion(BaseModel):
    """How far the schema of one context's database is."""

    context_id: str
    version: int


class Migrations(BaseModel):
    """Schema versions: the one this server brings every context to, and each context's."""

    schema_version: int
    contexts: list[SchemaVersion]
    behind: list[str] = Field(description="Ids of the contexts below `schema_version`")
    failures: list[str] = Field(description="Ids of those above it: a newer server made them")

"""Contexts, as responses show them."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, Field, JsonValue

from spectronctl.server.registry.rows import ContextRow


class ContextAnswer(BaseModel):
    """A context: its own database, keys and configuration."""

    id: str
    namespace: str
    database: str
    config: dict[str, JsonValue] = Field(
        description="`token_limit`, `retention_days`, `models` (of a stage; `embedding` is `local/hashing` "
        "unless set, which compares words and knows no semantics), `providers_configured` (names, never "
        "the secrets), `provider_urls` (of those that speak OpenAI's protocol elsewhere), `memory_ttl` (of a "
        "category: `7d`, `12h`) and whatever else was set"
    )
    enforcement_blocked: bool = Field(
        default=False, description="Present when true: the context's own keys are refused"
    )
    created_at: datetime


class ContextPage(BaseModel):
    """Contexts in the order of their ids."""

    contexts: list[ContextAnswer]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


def show_context(row: ContextRow) -> ContextAnswer:
    """A context with the names of its providers in place of their secrets."""
    config = dict(row.config)
    if row.providers:
        config["providers_configured"] = sorted(row.providers)
    answer = ContextAnswer(
        id=row.id,
        namespace=row.namespace,
        database=row.database,
        config=config,
        created_at=row.created_at.astimezone(UTC),
    )
    if row.enforcement_blocked:
        answer.enforcement_blocked = True
    return answer

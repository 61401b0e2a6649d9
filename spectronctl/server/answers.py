"""What the server answers: the documented shapes (contract, "Management plane", "Errors"), and rows shown in them."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from spectronctl.models.identity import Grants
from spectronctl.server.store import ContextRow, KeyRow


class Problem(BaseModel):
    """RFC 7807 problem details: every error of this server."""

    type: str = Field(description="`https://spectron.dev/errors/` and what kind of problem it is")
    title: str
    status: int
    detail: str = Field(description="What is wrong with this request, and the way out")
    message: str = Field(description="The detail once more, for clients that look for it here")
    instance: str = Field(description="The path that was asked for")
    request_id: str = Field(description="The same as the `X-Request-Id` header: find it in the log")
    retry_after: int | None = Field(default=None, description="Seconds to wait, where that helps")


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


class KeyAnswer(BaseModel):
    """A key of a context, without its secret."""

    id: str
    name: str
    principal: str
    scope_floor: JsonValue
    created_at: datetime
    last_used_at: datetime | None = Field(description="To within a minute")
    expires_at: datetime | None
    status: Literal["active", "expired"]


class MintedKeyAnswer(KeyAnswer):
    """A key just created or rotated: the only answer that holds its secret."""

    secret: str


class KeyPage(BaseModel):
    """Keys in the order of their ids."""

    keys: list[KeyAnswer]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(BaseModel):
    """The server answers, and its database does."""

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


class PlaneAnswer(BaseModel):
    """An answer of the data plane, which writes camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Identity(PlaneAnswer):
    """The caller: the grants of its principal, what its key narrows them to, and what is left."""

    principal_id: str
    kind: Literal["agent", "service"]
    display_name: str
    grants: Grants
    token_grants: Grants | None = Field(default=None, description="Present when the key narrows")
    effective_grants: Grants
    delegated_principal_id: str | None = Field(default=None, description="Present when delegating")


def describe_problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI part for answers that are problems; `default` stands for those any route may give."""
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema}}
    named: dict[int | str, dict[str, Any]] = {
        int(status): {"description": status.phrase, "content": content} for status in statuses
    }
    return named | {"default": {"description": "Any other error", "content": content}}


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
        created_at=_in_utc(row.created_at),
    )
    if row.enforcement_blocked:
        answer.enforcement_blocked = True
    return answer


def show_key(row: KeyRow) -> KeyAnswer:
    """A key as lists show it."""
    return KeyAnswer(**_describe_key(row))


def show_minted_key(row: KeyRow, secret: str) -> MintedKeyAnswer:
    """A key with its secret, this once."""
    return MintedKeyAnswer(**_describe_key(row), secret=secret)


def is_expired(row: KeyRow) -> bool:
    """Whether the key's time is over."""
    return row.expires_at is not None and row.expires_at <= datetime.now(UTC)


def _describe_key(row: KeyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "principal": row.principal,
        "scope_floor": row.scope_floor,
        "created_at": _in_utc(row.created_at),
        "last_used_at": row.last_used_at and _in_utc(row.last_used_at),
        "expires_at": row.expires_at and _in_utc(row.expires_at),
        "status": "expired" if is_expired(row) else "active",
    }


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)

"""Contexts, as requests ask for them and as responses show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from spectronctl.ground.vocabulary import CONTEXT_ID, CONTEXT_ID_RULE, Category
from spectronctl.server.database.values import MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_JSON_VALUES
from spectronctl.server.http.bodies import Body, Strict
from spectronctl.server.http.fields import PRINTABLE, Count, EntryName
from spectronctl.server.http.limits import KIB, MAX_PROVIDERS, MAX_SECRET
from spectronctl.server.http.problems import invalid, reserved
from spectronctl.server.providers.choice import (
    LOCAL,
    LOCAL_MODELS,
    LOCAL_RULE,
    MODEL,
    URL_RULE,
    parse_base_url,
)
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.traces.retention import MAX_DAYS
from spectronctl.server.upkeep.lifetimes import LIFETIME_RULE, parse_lifetime

RESERVED_NAMESPACE = "spectron"
RESERVED_IDS = frozenset(
    {"audit", "contexts", "health", "management-keys", "migrations", "ready", "verbs"}
)


def check_context_id(context_id: str) -> None:
    """400 with the rule, or 422 for an id that would hide one of the server's own routes."""
    if not CONTEXT_ID.fullmatch(context_id):
        raise invalid(f"context id: {CONTEXT_ID_RULE}")
    # The data plane begins with the context's id: one called `contexts` could not be told from the management plane.
    if context_id in RESERVED_IDS:
        raise reserved(f"context id: {context_id} is a path of the server itself; choose another")


def _check_namespace(namespace: str) -> str:
    if namespace == RESERVED_NAMESPACE:
        raise reserved(f"namespace: {RESERVED_NAMESPACE} is the server's own; choose another")
    return namespace


def _check_model(model: str) -> str:
    if not MODEL.fullmatch(model):
        raise ValueError("must be provider/model, such as openai/gpt-4o-mini")
    return model


def _check_embedding(model: str) -> str:
    if model.startswith(f"{LOCAL}/") and model not in LOCAL_MODELS:
        raise ValueError(f"{LOCAL_RULE}, and it names another")
    return model


def _check_remote(provider: str) -> str:
    if provider == LOCAL:
        raise ValueError("local models run in this server, so they have no URL")
    return provider


def _check_url(url: str) -> str:
    if parse_base_url(url) is None:
        raise ValueError(URL_RULE)
    return url


def _check_lifetime(lifetime: str) -> str:
    if parse_lifetime(lifetime) is None:
        raise ValueError(LIFETIME_RULE)
    return lifetime


def _check_secret(secret: str) -> str:
    if any(map(str.isspace, secret)):
        raise ValueError("must be without white space")
    return secret


_Name = Annotated[str, Field(min_length=1, max_length=255), PRINTABLE]
_Model = Annotated[
    str,
    AfterValidator(_check_model),
    Field(json_schema_extra={"pattern": r"^[^\s/]+/\S+$"}, examples=["openai/gpt-4o-mini"]),
]
_Url = Annotated[
    str,
    Field(max_length=2048, examples=["https://llm.acme.example/v1"]),
    AfterValidator(_check_url),
]
_Lifetime = Annotated[str, AfterValidator(_check_lifetime), Field(examples=["7d", "12h"])]
_Secret = Annotated[
    str,
    Field(min_length=1, max_length=MAX_SECRET, json_schema_extra={"pattern": r"^\S+$"}),
    AfterValidator(_check_secret),
]


class Models(Strict):
    """A model for each stage, as `provider/model`; a null clears it."""

    model_config = ConfigDict(extra="allow")

    embedding: Annotated[_Model, AfterValidator(_check_embedding)] | None = None
    __pydantic_extra__: dict[EntryName, _Model | None]


_Days = Annotated[int, Field(ge=1, le=MAX_DAYS)]


class TraceRetention(Strict):
    """Days for which traces of each kind are kept; a null restores the default."""

    model_config = ConfigDict(extra="allow")

    decision_days: _Days | None = None
    retrieval_days: _Days | None = None
    response_days: _Days | None = None


class Config(Strict):
    """A context's configuration: these fields and any others, of at most 64 KiB; a null clears a field."""

    model_config = ConfigDict(extra="allow")

    token_limit: Count | None = None
    retention_days: Count | None = None
    models: Models | None = None
    provider_urls: dict[Annotated[EntryName, AfterValidator(_check_remote)], _Url | None] | None = (
        None
    )
    allow_self_service_keys: bool | None = None
    max_token_ttl_seconds: Annotated[int, Field(ge=1, le=36_525 * 86_400)] | None = None
    memory_ttl: dict[Category, _Lifetime | None] | None = None
    trace_retention: TraceRetention | None = None
    providers: (
        Annotated[dict[EntryName, _Secret | None], Field(max_length=MAX_PROVIDERS)] | None
    ) = Field(default_factory=dict, repr=False, description="Their secrets, which never come back")
    providers_configured: Any = Field(
        default=None, description="Passed over: a response may be sent back as it came"
    )

    @property
    def settings(self) -> dict[str, Any]:
        """What was given, without the secrets of providers."""
        given = _list_given(self)
        given.pop("providers", None)
        # Taken and dropped, so that what `contexts get` prints can be edited and sent back as it is.
        given.pop("providers_configured", None)
        for name in ("models", "trace_retention"):
            if (model := getattr(self, name)) is not None:
                given[name] = _list_given(model)
        return given


_CONFIG = (
    f"At most {MAX_JSON_BYTES // KIB} KiB of JSON, {MAX_JSON_VALUES:,} names and values, "
    f"and {MAX_JSON_DEPTH} levels, all of it together"
)


class ContextBody(Body):
    """Body of `POST /contexts/{id}`."""

    EXAMPLE: ClassVar = {
        "namespace": "acme",
        "database": "prod",
        "config": {"token_limit": 1000000, "retention_days": 90},
    }

    namespace: Annotated[_Name, AfterValidator(_check_namespace)]
    database: _Name
    config: Config | None = Field(default=None, description=_CONFIG)
    admin_external_id: _Name | None = None
    admin_display_name: _Name | None = None


class ContextPatchBody(Body):
    """Body of `PATCH /contexts/{id}`: a deep merge, where an explicit null inside `config` clears a field."""

    EXAMPLE: ClassVar = {"config": {"retention_days": 30}}

    config: Config = Field(default_factory=Config, description=_CONFIG)
    enforcement_blocked: bool | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What is set beside `config`; a null takes `enforcement_blocked` away."""
        given = {name: value for name, value in _list_given(self).items() if name != "config"}
        if "enforcement_blocked" in given:
            given["enforcement_blocked"] = bool(given["enforcement_blocked"])
        return given


def _list_given(model: BaseModel) -> dict[str, Any]:
    """The fields that the request had, documented or not. Not a dump: free JSON may be too deep for one."""
    return {name: value for name, value in model if name in model.model_fields_set}


class ContextResponse(BaseModel):
    """A context: its own database, keys and configuration."""

    id: str
    namespace: str
    database: str
    config: dict[str, JsonValue] = Field(
        description="`token_limit`, `retention_days`, `models` (of a stage; `embedding` is `local/hashing` "
        "unless set, which compares words and knows no semantics), `providers_configured` (names, never "
        "the secrets), `provider_urls` (of those that speak OpenAI's protocol elsewhere), `memory_ttl` (of a "
        "category: `7d`, `12h`), `trace_retention` (`decision_days`, `retrieval_days`, `response_days`) "
        "and whatever else was set"
    )
    enforcement_blocked: bool = Field(
        default=False, description="Present when true: models that cost tokens are not asked"
    )
    created_at: datetime


class ContextPage(BaseModel):
    """Contexts in the order of their ids."""

    contexts: list[ContextResponse]
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page")
    has_more: bool


def format_context(row: ContextRow) -> ContextResponse:
    """A context with the names of its providers in place of their secrets."""
    config = dict(row.config)
    if row.providers:
        config["providers_configured"] = sorted(row.providers)
    shown = {name: getattr(row, name) for name in ContextResponse.model_fields}
    shown |= {"config": config, "created_at": row.created_at.astimezone(UTC)}
    # What is not set is absent: routes leave out what was not given here.
    given = {name: value for name, value in shown.items() if value is not None}
    return ContextResponse(**{name: value for name, value in given.items() if value is not False})

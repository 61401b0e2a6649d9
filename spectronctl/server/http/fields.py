"""
What a request may say (contract, "Management plane").

Pure functions over decoded JSON. Each refusal names the field by its path (`config.models.extraction`) and the rule,
and never shows the value: it may be a secret. What a value of any other field may be, is the store's to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from spectronctl.ground.vocabulary import CATEGORIES, CONTEXT_ID, CONTEXT_ID_RULE, PRINCIPALS
from spectronctl.server.http.limits import (
    MAX_PROVIDERS,
    MAX_SCOPE_SEGMENTS,
    MAX_SCOPES,
    MAX_SCOPES_BYTES,
    MAX_SECRET,
)
from spectronctl.server.http.problems import invalid, reserved
from spectronctl.server.memory.lifetimes import LIFETIME_RULE, read_lifetime
from spectronctl.server.providers.choice import (
    LOCAL,
    LOCAL_MODELS,
    LOCAL_RULE,
    MODEL,
    URL_RULE,
    read_base_url,
)
from spectronctl.server.registry.rows import ContextRow

RESERVED_NAMESPACE = "spectron"
RESERVED_IDS = frozenset({"contexts", "health", "ready", "verbs", "migrations"})

_LONGEST_LIFE = timedelta(days=36_525)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SECRET = re.compile(rf"\S{{1,{MAX_SECRET}}}")
SCOPE_SEGMENT = re.compile(r"[^\s/*]{1,128}")


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What a PATCH changes. `providers` is None when all of them are to be forgotten."""

    config: Mapping[str, Any]
    providers: Mapping[str, str | None] | None = field(repr=False)
    enforcement_blocked: bool | None


@dataclass(frozen=True, kw_only=True)
class KeyRequest:
    """The key that a caller asks for."""

    name: str
    principal: str
    scope_floor: Any
    expires_at: datetime | None


def check_context_id(context_id: str) -> None:
    """400 with the rule, or 422 for an id that would hide one of the server's own routes."""
    if not CONTEXT_ID.fullmatch(context_id):
        raise invalid(f"context id: {CONTEXT_ID_RULE}")
    if context_id in RESERVED_IDS:
        raise reserved(f"context id: {context_id} is a path of the server itself; choose another")


def read_context(
    context_id: str, body: Mapping[str, Any], *, now: datetime
) -> tuple[ContextRow, dict[str, str]]:
    """The context that a POST asks for, and the secrets of its providers."""
    check_context_id(context_id)
    namespace = _read_text(body, "namespace", longest=255)
    if namespace == RESERVED_NAMESPACE:
        raise reserved(f"namespace: {RESERVED_NAMESPACE} is the server's own; choose another")
    database = _read_text(body, "database", longest=255)
    config = body.get("config")
    settings, providers = _split_config({} if config is None else config)
    row = ContextRow(
        id=context_id,
        namespace=namespace,
        database=database,
        config=settings,
        admin_external_id=_read_optional_text(body, "admin_external_id"),
        admin_display_name=_read_optional_text(body, "admin_display_name"),
        created_at=now,
    )
    return row, {name: secret for name, secret in (providers or {}).items() if secret is not None}


def read_patch(body: Mapping[str, Any]) -> Patch:
    """What a PATCH asks for; a null inside `config` clears that field."""
    settings, providers = _split_config(body.get("config", {}))
    blocked = body.get("enforcement_blocked", False)
    if blocked is not None and not isinstance(blocked, bool):
        raise invalid("enforcement_blocked: must be true or false")
    return Patch(
        config=settings,
        providers=providers,
        enforcement_blocked=bool(blocked) if "enforcement_blocked" in body else None,
    )


def read_key(body: Mapping[str, Any], *, now: datetime) -> KeyRequest:
    """The key that a POST asks for."""
    name = _read_text(body, "name", longest=128)
    principal = body.get("principal", PRINCIPALS[0])
    if principal not in PRINCIPALS:
        raise invalid(f"principal: must be {' or '.join(PRINCIPALS)}")
    floor = body.get("scope_floor")
    if floor is not None:
        _check_scope_floor(floor)
    expires_at = _read_expiry(body, now)
    return KeyRequest(name=name, principal=principal, scope_floor=floor, expires_at=expires_at)


def _split_config(config: Any) -> tuple[dict[str, Any], dict[str, str | None] | None]:
    if not isinstance(config, dict):
        raise invalid("config: must be an object; to clear one of its fields, send that as null")
    settings = dict(config)
    providers = settings.pop("providers", {})
    settings.pop("providers_configured", None)  # an answer sent back as it came
    for name in ("token_limit", "retention_days"):
        _check_count(settings.get(name), f"config.{name}")
    _check_models(settings.get("models"))
    _check_provider_urls(settings.get("provider_urls"))
    _check_lifetimes(settings.get("memory_ttl"))
    _check_providers(providers)
    return settings, providers


def _check_count(value: Any, path: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**63:
        raise invalid(f"{path}: must be an integer, at least 1 and below 2^63")


def _check_models(models: Any) -> None:
    if models is None:
        return
    if not isinstance(models, dict):
        raise invalid("config.models: must be an object of stage to provider/model")
    for stage, model in models.items():
        path = _join("config.models", _check_name(stage, "config.models"))
        if model is not None and not (isinstance(model, str) and MODEL.fullmatch(model)):
            raise invalid(f"{path}: must be provider/model, such as openai/gpt-4o-mini")
    embedding = models.get("embedding") or ""
    if embedding.startswith(f"{LOCAL}/") and embedding not in LOCAL_MODELS:
        raise invalid(f"config.models.embedding: {LOCAL_RULE}, and it names another")


def _check_provider_urls(urls: Any) -> None:
    if urls is None:
        return
    if not isinstance(urls, dict):
        raise invalid("config.provider_urls: must be an object of provider to URL")
    for name, url in urls.items():
        path = _join("config.provider_urls", _check_name(name, "config.provider_urls"))
        if name == LOCAL:
            raise invalid(f"{path}: local models run in this server, so they have no URL")
        if url is not None and read_base_url(url) is None:
            raise invalid(f"{path}: {URL_RULE}")


def _check_lifetimes(lifetimes: Any) -> None:
    if lifetimes is None:
        return
    if not isinstance(lifetimes, dict):
        raise invalid("config.memory_ttl: must be an object of memory category to duration")
    for category, lifetime in lifetimes.items():
        path = _join("config.memory_ttl", _check_name(category, "config.memory_ttl"))
        if category not in CATEGORIES:
            raise invalid(f"{path}: no such category of memories: {', '.join(CATEGORIES)}")
        if lifetime is not None and read_lifetime(lifetime) is None:
            raise invalid(f"{path}: {LIFETIME_RULE}")


def _check_providers(providers: Any) -> None:
    if providers is None:
        return
    if not isinstance(providers, dict):
        raise invalid("config.providers: must be an object of provider to secret")
    if len(providers) > MAX_PROVIDERS:
        raise invalid(f"config.providers: must be at most {MAX_PROVIDERS}")
    for name, secret in providers.items():
        path = _join("config.providers", _check_name(name, "config.providers"))
        if secret is not None and not (isinstance(secret, str) and _SECRET.fullmatch(secret)):
            raise invalid(
                f"{path}: must be a string of 1 to {MAX_SECRET} characters without white space"
            )


def _check_scope_floor(floor: Any) -> None:
    """`{"org": "acme"}`, or as the data plane spells scopes: a path, or several of them."""
    paths = _split_scope_floor(floor)
    names = [name for path in paths for name in path]
    if len(paths) > MAX_SCOPES or any(len(path) > MAX_SCOPE_SEGMENTS for path in paths):
        raise invalid(
            f"scope_floor: must be at most {MAX_SCOPES} paths of {MAX_SCOPE_SEGMENTS} names each"
        )
    if not names or not all(isinstance(one, str) and SCOPE_SEGMENT.fullmatch(one) for one in names):
        raise invalid(
            'scope_floor: must be an object of names such as {"org": "acme"}, a path such as org/acme, or a '
            "list of paths, of names without /, * or white space; leave it out for a key of the whole context"
        )
    if sum(len(one.encode(errors="surrogatepass")) for one in names) > MAX_SCOPES_BYTES:
        raise invalid(f"scope_floor: must be at most {MAX_SCOPES_BYTES} bytes in all")


def _split_scope_floor(floor: Any) -> list[list[Any]]:
    """Its paths, as lists of their names; none for what is no floor."""
    if isinstance(floor, dict):
        return [[*floor, *floor.values()]]
    paths = [floor] if isinstance(floor, str) else floor
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return []
    return [path.strip("/").split("/") for path in paths]


def _read_expiry(body: Mapping[str, Any], now: datetime) -> datetime | None:
    at, seconds = body.get("expires_at"), body.get("expires_in")
    if at is not None and seconds is not None:
        raise invalid("expires_at, expires_in: give one of them, not both")
    if seconds is not None:
        _check_count(seconds, "expires_in")
        # compared as numbers first: a timedelta of 2^63 seconds cannot be made
        seconds = min(seconds, int(_LONGEST_LIFE.total_seconds()) + 1)
        expires, path = now + timedelta(seconds=seconds), "expires_in"
    elif at is not None:
        expires, path = read_instant(at, "expires_at"), "expires_at"
    else:
        return None
    if not now < expires <= now + _LONGEST_LIFE:
        raise invalid(f"{path}: must lie in the future, within 100 years")
    return expires


def read_instant(value: Any, path: str) -> datetime:
    """A time in RFC 3339, in UTC; 400 naming `path` for anything else."""
    try:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise invalid(f"{path}: must be a time with its zone as in RFC 3339: 2026-01-15T10:00:00Z")


def _read_text(body: Mapping[str, Any], name: str, *, longest: int) -> str:
    value = body.get(name)
    if isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= longest:
        return value
    raise invalid(f"{name}: must be a string of 1 to {longest} printable characters, not blank")


def _read_optional_text(body: Mapping[str, Any], name: str) -> str | None:
    return None if body.get(name) is None else _read_text(body, name, longest=255)


def _check_name(name: str, path: str) -> str:
    if re.fullmatch(r"\S{1,128}", name) and name.isprintable():
        return name
    raise invalid(f"{path}: a name in it must be 1 to 128 printable characters, no white space")


def _join(path: str, name: str) -> str:
    shown = name if len(name) <= 64 else f"{name[:61]}..."
    return f"{path}.{shown}" if path else shown

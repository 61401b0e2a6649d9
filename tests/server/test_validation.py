from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from spectronctl.server.contexts.schemas import (
    RESERVED_IDS,
    Config,
    ContextBody,
    ContextPatchBody,
    check_context_id,
)
from spectronctl.server.http.bodies import parse_body
from spectronctl.server.http.problems import ProblemError
from spectronctl.server.keys.schemas import KeyBody
from spectronctl.server.recall.schemas import QueryBody
from spectronctl.server.upkeep.schemas import FsckBody

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)


def parse_context(body: dict[str, Any]) -> Config:
    config = parse_body(ContextBody, body).config
    assert config is not None
    return config


def parse_patch(body: dict[str, Any]) -> ContextPatchBody:
    return parse_body(ContextPatchBody, body)


def refusal_of_context(**body: Any) -> ProblemError:
    whole = {"namespace": "acme", "database": "prod", **body}
    with pytest.raises(ProblemError) as caught:
        parse_body(ContextBody, whole)
    return caught.value


def refusal_of_key(**body: Any) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        parse_body(KeyBody, {"name": "app", "principal": "agent", **body}).find_expiry(NOW)
    return caught.value


@pytest.mark.parametrize("good", ["a", "7", "acme-prod", "a--b", "a" * 63])
def test_a_good_context_id_passes(good: str) -> None:
    check_context_id(good)


@pytest.mark.parametrize("bad", ["", "-a", "a-", "Acme", "a_b", "a.b", "a" * 64, "é", "a\n", "a b"])
def test_a_bad_context_id_is_told_the_rule(bad: str) -> None:
    with pytest.raises(ProblemError, match="lowercase letters, digits and hyphens") as caught:
        check_context_id(bad)
    assert caught.value.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("taken", sorted(RESERVED_IDS))
def test_an_id_that_would_hide_a_route_is_reserved(taken: str) -> None:
    with pytest.raises(ProblemError) as caught:
        check_context_id(taken)
    assert caught.value.status == HTTPStatus.UNPROCESSABLE_ENTITY


def test_the_servers_own_namespace_is_reserved() -> None:
    assert refusal_of_context(namespace="spectron").status == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"namespace": None}, "namespace"),
        ({"namespace": " "}, "namespace"),
        ({"namespace": "a" * 256}, "namespace"),
        ({"namespace": "a\0b"}, "namespace"),
        ({"namespace": "\ud800"}, "namespace"),
        ({"database": 7}, "database"),
        ({"admin_external_id": 7}, "admin_external_id"),
        ({"config": []}, "config"),
        ({"config": "x"}, "config"),
        ({"config": False}, "config"),
        ({"config": {"token_limit": 0}}, "config.token_limit"),
        ({"config": {"token_limit": True}}, "config.token_limit"),
        ({"config": {"token_limit": 1.5}}, "config.token_limit"),
        ({"config": {"token_limit": 2**63}}, "config.token_limit"),
        ({"config": {"retention_days": "90"}}, "config.retention_days"),
        ({"config": {"models": []}}, "config.models"),
        ({"config": {"models": {"extraction": "gpt-4o"}}}, "config.models.extraction"),
        ({"config": {"models": {"extraction": "/gpt-4o"}}}, "config.models.extraction"),
        ({"config": {"models": {"extraction": "openai/"}}}, "config.models.extraction"),
        ({"config": {"models": {"extraction": ["openai/x"]}}}, "config.models.extraction"),
        ({"config": {"models": {"": "openai/x"}}}, "config.models"),
        ({"config": {"models": {"embedding": "local/future"}}}, "config.models.embedding"),
        ({"config": {"models": {"embedding": "local"}}}, "config.models.embedding"),
        ({"config": {"provider_urls": "https://a"}}, "config.provider_urls"),
        ({"config": {"provider_urls": {"a b": "https://a"}}}, "config.provider_urls"),
        ({"config": {"provider_urls": {"local": "https://a"}}}, "config.provider_urls.local"),
        ({"config": {"provider_urls": {"acme": "http://acme"}}}, "config.provider_urls.acme"),
        ({"config": {"provider_urls": {"acme": "acme"}}}, "config.provider_urls.acme"),
        ({"config": {"provider_urls": {"acme": ""}}}, "config.provider_urls.acme"),
        ({"config": {"provider_urls": {"acme": {"url": "x"}}}}, "config.provider_urls.acme"),
        ({"config": {"memory_ttl": "7d"}}, "config.memory_ttl"),
        ({"config": {"memory_ttl": {"": "7d"}}}, "config.memory_ttl"),
        ({"config": {"memory_ttl": {"contexts": "7d"}}}, "config.memory_ttl.contexts"),
        ({"config": {"memory_ttl": {"context": "soon"}}}, "config.memory_ttl.context"),
        ({"config": {"memory_ttl": {"context": 7}}}, "config.memory_ttl.context"),
        ({"config": {"memory_ttl": {"context": "999ms"}}}, "config.memory_ttl.context"),
        ({"config": {"memory_ttl": {"context": "36526d"}}}, "config.memory_ttl.context"),
        ({"config": {"memory_ttl": {"identity": ["7d"]}}}, "config.memory_ttl.identity"),
        ({"config": {"providers": "sk"}}, "config.providers"),
        ({"config": {"providers": {"openai": ""}}}, "config.providers.openai"),
        ({"config": {"providers": {"openai": "sk\n"}}}, "config.providers.openai"),
        ({"config": {"providers": {"open ai": "sk"}}}, "config.providers"),
    ],
)
def test_a_bad_field_of_a_context_is_named(body: dict[str, Any], field: str) -> None:
    refusal = refusal_of_context(**body)
    assert refusal.status == HTTPStatus.BAD_REQUEST
    assert refusal.detail.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"models": {"embedding": "local/future"}}, "local/hashing"),
        ({"memory_ttl": {"contexts": "7d"}}, "identity, knowledge or context"),
        ({"memory_ttl": {"context": "a week"}}, "12h or 7d"),
        ({"provider_urls": {"acme": "http://acme"}}, "https://llm.acme.example/v1"),
        ({"provider_urls": {"acme": "http://acme"}}, "the provider's key"),
    ],
)
def test_a_refusal_names_what_would_be_good(config: dict[str, Any], named: str) -> None:
    assert named in refusal_of_context(config=config).detail


def test_what_an_embedder_and_memories_need_is_kept_as_given() -> None:
    config = {
        "models": {"embedding": "local/hashing", "extraction": "local/llama"},
        "provider_urls": {"acme": "https://llm.acme.example/v1", "ollama": "http://[::1]:1/v1"},
        "memory_ttl": {"context": "12h", "knowledge": "36525d", "identity": "1s"},
    }
    body = {"namespace": "acme", "database": "prod", "config": config}
    assert parse_context(body).settings == config


@pytest.mark.parametrize(
    "config",
    [
        {"models": {"embedding": None}},
        {"provider_urls": None},
        {"provider_urls": {"acme": None}},
        {"memory_ttl": None},
        {"memory_ttl": {"context": None, "identity": None}},
    ],
)
def test_a_null_clears_what_an_embedder_and_memories_need(config: dict[str, Any]) -> None:
    assert parse_patch({"config": config}).config.settings == config


def test_a_refusal_never_shows_the_password_in_a_url() -> None:
    refusal = refusal_of_context(config={"provider_urls": {"acme": "https://a:sentinel@acme"}})
    assert "without credentials" in refusal.detail
    assert "sentinel" not in refusal.detail


def test_a_refusal_never_shows_a_providers_secret() -> None:
    refusal = refusal_of_context(config={"providers": {"openai": "sk-sentinel "}})
    assert "sentinel" not in refusal.detail


def test_a_long_name_is_cut_in_the_refusal() -> None:
    refusal = refusal_of_context(config={"models": {"s" * 128: "none"}})
    assert refusal.detail.startswith(f"config.models.{'s' * 61}...: ")


def test_secrets_are_taken_out_of_a_contexts_config() -> None:
    config = {
        "token_limit": 2**63 - 1,
        "models": {"new_stage": "openrouter/meta/llama-3"},
        "providers": {"openai": "sk", "gone": None},
        "providers_configured": ["openai"],
        "anything": {"else": [1, None]},
    }
    parsed = parse_context({"namespace": "acme", "database": "prod", "config": config, "x": 1})
    assert parsed.providers == {"openai": "sk", "gone": None}
    assert set(parsed.settings) == {"token_limit", "models", "anything"}
    assert parsed.settings["models"] == config["models"]


def test_a_patch_tells_an_absent_field_from_a_null() -> None:
    assert parse_patch({}).settings == {}
    assert parse_patch({"enforcement_blocked": None}).settings == {"enforcement_blocked": False}
    assert parse_patch({"enforcement_blocked": True}).settings == {"enforcement_blocked": True}
    assert parse_patch({}).config.providers == {}
    assert parse_patch({"config": {}}).config.providers == {}
    assert parse_patch({"config": {"providers": None}}).config.providers is None
    cleared = parse_patch({"config": {"token_limit": None}}).config
    assert cleared.settings == {"token_limit": None}


def test_a_patch_does_not_show_secrets_in_its_repr() -> None:
    assert "sentinel" not in repr(parse_patch({"config": {"providers": {"openai": "sentinel"}}}))


@pytest.mark.parametrize("body", [{"config": None}, {"enforcement_blocked": 1}])
def test_a_bad_patch_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ProblemError, match=f"^{next(iter(body))}: "):
        parse_patch(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a" * 129}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"principal": "root"}, "principal"),
        ({"principal": ["agent"]}, "principal"),
        ({"scope_floor": {}}, "scope_floor"),
        ({"scope_floor": {"org": 7}}, "scope_floor"),
        ({"scope_floor": {"org": "a/b"}}, "scope_floor"),
        ({"scope_floor": {"": "acme"}}, "scope_floor"),
        ({"scope_floor": "org/*"}, "scope_floor"),
        ({"scope_floor": "/"}, "scope_floor"),
        ({"scope_floor": []}, "scope_floor"),
        ({"scope_floor": [["org/acme"]]}, "scope_floor"),
        ({"scope_floor": 7}, "scope_floor"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
        ({"expires_in": 2**62}, "expires_in"),
        ({"expires_at": "2026-01-15T10:00:00Z"}, "expires_at"),
        ({"expires_at": "2126-03-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2027-01-01"}, "expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "2027-13-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-23:59"}, "expires_at"),
        ({"expires_at": 1_800_000_000}, "expires_at"),
        ({"expires_in": 1, "expires_at": "2027-01-01T00:00:00Z"}, "expires_at, expires_in"),
    ],
)
def test_a_bad_field_of_a_key_is_named(body: dict[str, Any], field: str) -> None:
    refusal = refusal_of_key(**body)
    assert refusal.status == HTTPStatus.BAD_REQUEST
    assert refusal.detail.startswith(f"{field}: ")


@pytest.mark.parametrize("floor", [{"org": "acme"}, "org/acme/", ["org/acme", "org/beta"]])
def test_a_scope_floor_is_kept_as_given(floor: Any) -> None:
    assert parse_body(KeyBody, {"name": "app", "scope_floor": floor}).scope_floor == floor


@pytest.mark.parametrize(
    "text", ["2026-01-15T12:00:00+01:00", "2026-01-15t11:00:00.000000000z", "2026-01-15 11:00:00Z"]
)
def test_every_rfc_3339_spelling_of_an_expiry_is_read(text: str) -> None:
    body = parse_body(KeyBody, {"name": "app", "expires_at": text})
    assert body.find_expiry(NOW) == NOW + timedelta(hours=1)


def test_a_key_is_an_agent_without_end_unless_said_otherwise() -> None:
    wanted = parse_body(KeyBody, {"name": "app", "expires_in": None, "scope_floor": None})
    assert (wanted.principal, wanted.find_expiry(NOW), wanted.scope_floor) == ("agent", None, None)


@pytest.mark.parametrize("name", ["duplicate_threshold", "duplicateThreshold"])
def test_either_spelling_of_a_name_is_read(name: str) -> None:
    assert parse_body(FsckBody, {name: 0.5}).duplicate_threshold == 0.5
    with pytest.raises(ProblemError, match=r"^duplicateThreshold: must be a number$"):
        parse_body(FsckBody, {name: "x"})


def test_a_null_gives_way_to_the_other_spelling() -> None:
    for scopes in (
        {"scope_floor": None, "scopeFloor": "a"},
        {"scope_floor": "a", "scopeFloor": None},
    ):
        assert parse_body(KeyBody, {"name": "app", **scopes}).scope_floor == "a"


def test_both_spellings_must_agree() -> None:
    assert parse_body(KeyBody, {"name": "a", "expires_in": 1, "expiresIn": 1}).expires_in == 1
    with pytest.raises(ProblemError, match=r"^expires_in, expiresIn: give one of them, not both$"):
        parse_body(KeyBody, {"name": "a", "expires_in": 1, "expiresIn": 2})


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "query: must be given"),
        ({"query": 7}, "query: must be a string"),
        ({"query": " "}, "query: must not be blank"),
        ({"query": "x" * 10_001}, "query: must be at most 10000 characters"),
        ({"query": "\ud800"}, "query: must be valid Unicode text"),
        ({"query": "x", "k": 1.5}, "k: must be an integer"),
        ({"query": "x", "k": 0}, "k: must be at least 1"),
        ({"query": "x", "mode": "magic"}, "mode: must be hybrid, vector, bm25 or graph"),
    ],
)
def test_a_rule_says_what_the_field_must_be(body: dict[str, Any], detail: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_body(QueryBody, body)
    assert caught.value.detail == detail

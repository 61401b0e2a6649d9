"""What a seed may hold; every problem is named with its place."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from spectronctl.models.seeds import Seed, find_problems, name_variable

FOREIGN = "contexts[0].{}: JSON has no value for {}; write it as text, in quotes"


def with_context(**fields: Any) -> dict[str, Any]:
    return {"contexts": [{"id": "acme", **fields}]}


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        ([], ["an object is needed, with the field contexts"]),
        ({}, ["contexts: is missing"]),
        ({"contexts": []}, ["contexts: must not be empty"]),
        ({"contexts": [1]}, ["contexts[0]: must be an object"]),
        (
            {"contexts": [{}], "contxts": []},
            ["contexts[0].id: is missing", "contxts: is not known here"],
        ),
        (with_context(keys=[{}]), ["contexts[0].keys[0].name: is missing"]),
        (
            with_context(keys=[{"name": "a", "principal": "boss", "expires_in": "soon"}]),
            [
                "contexts[0].keys[0].principal: must be 'agent' or 'supervisor'",
                "contexts[0].keys[0].expires_in: must be a valid integer, unable to parse string as an integer",
            ],
        ),
        (
            with_context(
                sessions=[{"turns": [{"role": "user", "content": "x", "ts": "2026-05-01"}]}]
            ),
            ["contexts[0].sessions[0].turns[0].ts: must have timezone info"],
        ),
        (
            with_context(facts=[{"text": "x", "memory_category": "gossip"}]),
            ["contexts[0].facts[0].memory_category: must be 'identity', 'knowledge' or 'context'"],
        ),
        *(
            (
                with_context(config={"a": {"b": [1, value]}}),
                [FOREIGN.format("config.a.b[1]", value)],
            )
            for value in (date(2026, 1, 1), float("nan"), float("-inf"), time(7))
        ),
        (
            with_context(keys=[{"name": "k", "scope_floor": {"day": date(2026, 1, 1)}}]),
            [FOREIGN.format("keys[0].scope_floor.day", "2026-01-01")],
        ),
        (
            with_context(sessions=[{"scopes": [date(2026, 1, 1)], "metadata": {"x": math.inf}}]),
            [
                FOREIGN.format("sessions[0].scopes[0]", "2026-01-01"),
                FOREIGN.format("sessions[0].metadata.x", "inf"),
            ],
        ),
        (
            with_context(facts=[{"text": "x", "scopes": [math.nan]}]),
            [FOREIGN.format("facts[0].scopes[0]", "nan")],
        ),
        (
            with_context(sessions=[{"metadata": {1: 2}}]),
            ["contexts[0].sessions[0].metadata: the name 1 is no text; write it in quotes"],
        ),
        (with_context(config=[]), ["contexts[0].config: must be an object"]),
        (
            with_context(ontology={"entity_types": ["A", "A"], "relation_labels": None}),
            [
                "contexts[0].ontology.entity_types[1]: A stands at entity_types[0] already",
                "contexts[0].ontology.relation_labels: must be a list of names, not null",
            ],
        ),
        (
            {"contexts": [{"id": "a", "database": "d"}, {"id": "b", "database": "d"}]},
            ["contexts[1].database: test/d is what contexts[0].database comes to already"],
        ),
        (
            {
                "contexts": [
                    {"id": "a-b", "keys": [{"name": "c"}]},
                    {"id": "a", "keys": [{"name": "b.c"}]},
                ]
            },
            [
                "contexts[1].keys[0].name: SPECTRON_API_KEY_A_B_C is what contexts[0].keys[0].name comes to already"
            ],
        ),
    ],
)
def test_every_problem_is_named_with_its_place(document: Any, problems: list[str]) -> None:
    assert find_problems(document) == problems


def test_a_date_is_a_time_where_a_time_belongs() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    facts, turns = (
        [{"text": "x", "observed_at": now}],
        [{"role": "user", "content": "x", "ts": now}],
    )
    assert find_problems(with_context(facts=facts, sessions=[{"turns": turns}])) == []
    assert find_problems(with_context(config={"names": ("a", "b")})) == []


def test_a_value_is_not_repeated_in_a_complaint() -> None:
    (problem,) = find_problems(with_context(config={"providers": {}}, namespace={"s3cret": 1}))
    assert "s3cret" not in problem


def test_little_is_needed() -> None:
    assert find_problems(with_context()) == []
    (context,) = Seed.model_validate(with_context()).contexts
    assert context.bound_to == ("test", "acme")
    assert context.load_ontology() is None


@pytest.mark.parametrize(
    ("context", "key", "name"),
    [
        ("acme", "planner", "SPECTRON_API_KEY_ACME_PLANNER"),
        ("acme-test", "app agent.g2", "SPECTRON_API_KEY_ACME_TEST_APP_AGENT_G2"),
    ],
)
def test_a_key_has_a_variable_that_shells_can_read(context: str, key: str, name: str) -> None:
    assert name_variable(context, key) == name

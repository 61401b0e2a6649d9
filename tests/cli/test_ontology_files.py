"""Ontology files of every wrong shape: all that is wrong is named, and nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spectronctl.models import ontology as rules
from spectronctl.models.ontology import find_problems, join_problems
from tests.support.command_tree import OWN_SAMPLES
from tests.support.commandline import CommandLine
from tests.support.server import Server

FILE = OWN_SAMPLES["ontology", "FILE|-"]
MANY = [f"n{n}" for n in range(200)]

SHAPES: list[tuple[Any, list[str]]] = [
    ([], ["an object is needed, with the fields entity_types, attribute_keys, relation_labels"]),
    (None, ["an object is needed"]),
    ("Person", ["an object is needed"]),
    ({"entity_type": []}, ["entity_type: is not a field of an ontology"]),
    ({"entityTypes": []}, ["entityTypes: is not a field"]),
    ({"entity_types": None}, ["entity_types: must be a list of names, not null"]),
    ({"entity_types": "Person"}, ["entity_types: must be a list of names, not a string"]),
    ({"entity_types": {"Person": []}}, ["entity_types: must be a list of names, not an object"]),
    ({"entity_types": [True]}, ["entity_types[0]: must be a string, not true"]),
    ({"entity_types": ["A", 1.5]}, ["entity_types[1]: must be a string, not a number"]),
    ({"entity_types": [["A"]]}, ["entity_types[0]: must be a string, not a list"]),
    ({"entity_types": [{}]}, ["entity_types[0]: must be a string, not an object"]),
    ({"entity_types": ["A", ""]}, ["entity_types[1]: must not be empty or blank"]),
    ({"entity_types": [" \u3000"]}, ["entity_types[0]: must not be empty or blank"]),
    ({"entity_types": ["A" * 129]}, ["entity_types[0]: is longer than 128 characters"]),
    ({"entity_types": ["A\tB"]}, ["entity_types[0]: holds a character that cannot be printed"]),
    ({"entity_types": ["A\u202e"]}, ["entity_types[0]: holds a character"]),
    ({"entity_types": ["A\ud800"]}, ["entity_types[0]: holds a character"]),
    (
        {"entity_types": ["A", "B", "A", "A"]},
        ["entity_types[2]: A stands at entity_types[0] already", "entity_types[3]: A stands at"],
    ),
    (
        {"attribute_keys": []},
        ["attribute_keys: must be an object of lists by entity type, not a list"],
    ),
    (
        {"attribute_keys": None},
        ["attribute_keys: must be an object of lists by entity type, not null"],
    ),
    ({"attribute_keys": {"Ghost": ["a"]}}, ["attribute_keys.Ghost: is not among the entity_types"]),
    (
        {"entity_types": ["person"], "attribute_keys": {"Person": ["a"]}},
        ["attribute_keys.Person: is not among the entity_types"],
    ),
    ({"entity_types": ["A"], "attribute_keys": {"A": "a"}}, ["attribute_keys.A: must be a list"]),
    ({"entity_types": ["A"], "attribute_keys": {"A": None}}, ["attribute_keys.A: must be a list"]),
    (
        {"entity_types": ["A"], "attribute_keys": {"A": ["a", "b", "a"]}},
        ["attribute_keys.A[2]: a stands at attribute_keys.A[0] already"],
    ),
    (
        {"entity_types": ["A"], "attribute_keys": {"A": [3]}},
        ["attribute_keys.A[0]: must be a string"],
    ),
    ({"attribute_keys": {"": []}}, ["attribute_keys.: must not be empty or blank"]),
    ({"attribute_keys": {"a\nb": []}}, [r"attribute_keys.a\nb: holds a character"]),
    ({"attribute_keys": {"x" * 200: []}}, [f"attribute_keys.{'x' * 61}...: is longer than 128"]),
    ({"relation_labels": ["a", "a"]}, ["relation_labels[1]: a stands at relation_labels[0]"]),
    ({"relation_labels": {}}, ["relation_labels: must be a list of names, not an object"]),
    (
        {"entity_types": [""], "relation_labels": [""], "more": 1},
        ["more: is not a field", "entity_types[0]: must not", "relation_labels[0]: must not"],
    ),
]


@pytest.mark.parametrize(("body", "says"), SHAPES, ids=range(len(SHAPES)))
@pytest.mark.parametrize("verb", ["set", "diff", "validate"])
def test_every_wrong_shape_is_named_with_its_path(
    run: CommandLine, server: Server, tmp_path: Path, body: Any, says: list[str], verb: str
) -> None:
    server.asked()
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(body))
    result = run(f"ontology {verb} {file} -c acme-prod -o json")
    assert (result.code, result.out, server.asked()) == (7, "", [])
    error = result.error
    assert (error["kind"], error["status"]) == ("invalid", None)
    head, *told = error["message"].split("\n")
    assert (head, len(told)) == (f"{file} is not an ontology:", len(says))
    for text, start in zip(told, says, strict=True):
        assert text.startswith(start)


@pytest.mark.parametrize(("body", "says"), SHAPES, ids=range(len(SHAPES)))
def test_the_server_refuses_the_same_by_the_same_rules(
    acme: CommandLine, server: Server, body: Any, says: list[str]
) -> None:
    import httpx

    answer = server.handle_request(
        httpx.Request(
            "PUT",
            "http://spectron.test/api/v1/contexts/acme-prod/ontology",
            headers={"API-KEY": server.key, "Content-Type": "application/json"},
            content=json.dumps(body).encode(),
        )
    )
    assert answer.status_code == 400
    detail = json.loads(answer.read())["detail"]
    if isinstance(body, dict):
        assert detail == join_problems(find_problems(body))


def test_a_file_in_order_passes_without_a_key_or_a_server(run_alone: CommandLine) -> None:
    result = run_alone(f"ontology validate {FILE}")
    assert (result.code, result.out) == (0, "")
    assert result.err == (
        f"{FILE} is valid (entity types: 2, attribute keys: 2, relation labels: 1).\n"
    )
    assert run_alone("ontology validate - -o json", stdin='{"entity_types": ["A"]}').json == {
        "file": "stdin",
        "valid": True,
        "entity_types": 1,
        "attribute_keys": 0,
        "relation_labels": 0,
    }
    assert run_alone("ontology validate - -o csv", stdin="{}").out.splitlines() == [
        "file,valid,entity_types,attribute_keys,relation_labels",
        "stdin,true,0,0,0",
    ]


def test_yaml_that_means_something_else_than_text_gets_a_hint(run_alone: CommandLine) -> None:
    text = "entity_types: [yes, 2024, null, 2024-01-15]"
    error = run_alone("ontology validate - -o json", stdin=text).error
    assert error["message"].split("\n") == [
        "stdin is not an ontology:",
        "entity_types[0]: must be a string, not true",
        "entity_types[1]: must be a string, not a number",
        "entity_types[2]: must be a string, not null",
        "entity_types[3]: must be a string, not a time",
    ]
    assert "in quotes" in error["hint"]
    numbers = "entity_types: [A]\nattribute_keys: {2024: [x]}"
    error = run_alone("ontology validate - -o json", stdin=numbers).error
    assert "attribute_keys.2024: must be a string, not a number" in error["message"]


def test_people_get_a_line_for_each_problem(run_alone: CommandLine) -> None:
    result = run_alone("ontology validate -", stdin="entity_types: [A, A, '']")
    assert (result.code, result.out) == (7, "")
    assert result.err.splitlines() == [
        "error: stdin is not an ontology:",
        "  entity_types[1]: A stands at entity_types[0] already",
        "  entity_types[2]: must not be empty or blank",
    ]


def test_a_text_that_is_made_of_itself_is_refused(run_alone: CommandLine) -> None:
    for text in ("&a [*a]", "entity_types: &a [*a]", "attribute_keys: &a {A: *a}"):
        assert run_alone("ontology validate -", stdin=text).code == 7


def test_sizes_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_problems({"entity_types": MANY, "attribute_keys": {"n0": MANY}}) == []
    monkeypatch.setattr(rules, "MAX_TYPES", 100)
    monkeypatch.setattr(rules, "MAX_RELATION_LABELS", 101)
    monkeypatch.setattr(rules, "MAX_KEYS_OF_A_TYPE", 102)
    body = {"entity_types": MANY, "attribute_keys": {"n0": MANY}, "relation_labels": MANY}
    assert find_problems(body) == [
        "entity_types: has 200 names, and 100 are the most",
        "attribute_keys.n0: has 200 names, and 102 are the most",
        "relation_labels: has 200 names, and 101 are the most",
    ]
    monkeypatch.setattr(rules, "MAX_KEYS", 199)
    assert find_problems({"entity_types": ["n0"], "attribute_keys": {"n0": MANY}}) == [
        "attribute_keys: has 200 names for 1 types, and 199 names for 100 types are the most"
    ]
    # A few lines of YAML can stand for many names: they are counted before any is looked at.
    monkeypatch.setattr(rules, "MAX_TYPES", 3)
    many = dict.fromkeys(MANY, MANY)
    assert len(find_problems({"attribute_keys": many})) == 1


def test_after_twenty_the_rest_is_counted() -> None:
    told = join_problems(find_problems({"entity_types": [""] * 25})).split("; ")
    assert len(told) == 21
    assert told[-1] == "and 5 more"


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("/nowhere/ontology.yaml", "/nowhere/ontology.yaml: No such file or directory"),
        ("HOME", "Is a directory"),
        ("HOME/broken.toml", "broken.toml, line 1, column 16: not TOML: Invalid value"),
        ("HOME/broken.json", "broken.json, line 1, column 19: not JSON"),
        ("HOME/broken.yaml", "broken.yaml, line 1, column "),
    ],
)
def test_what_cannot_be_read_is_usage(
    run: CommandLine, server: Server, file: str, says: str
) -> None:
    for suffix, text in {
        "toml": "entity_types = ",
        "json": '{"entity_types": [',
        "yaml": "a: [}",
    }.items():
        (run.home / f"broken.{suffix}").write_text(text)
    server.asked()
    for verb in ("set", "diff", "validate"):
        result = run(f"ontology {verb} {file.replace('HOME', str(run.home))} -c acme-prod")
        assert (result.code, result.out, server.asked()) == (2, "", [])
        assert says in result.err
        assert "Traceback" not in result.err

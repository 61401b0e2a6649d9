"""`spectronctl ontology get|set|diff|delete` against a real server in memory."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectronctl.models.ontology import find_problems
from tests.support.command_tree import OWN_SAMPLES
from tests.support.commandline import CommandLine
from tests.support.faults import Fault, lose_answer, lose_request, truncate_answer
from tests.support.server import Server

URL = "/api/v1/contexts/acme-prod/ontology"
FILE = OWN_SAMPLES["ontology", "FILE|-"]
EMPTY: dict[str, Any] = {"entity_types": [], "attribute_keys": {}, "relation_labels": []}
PEOPLE = {
    "entity_types": ["Person", "Company"],
    "attribute_keys": {"Person": ["name", "age"]},
    "relation_labels": ["works_for"],
}
LESS = json.dumps({"entity_types": ["Person", "City"], "attribute_keys": {"Person": ["name"]}})
CHANGES = [
    "- attribute Person.age",
    "- entity type Company",
    "- relation works_for",
    "+ entity type City",
]


@pytest.fixture
def people(acme: CommandLine, server: Server) -> CommandLine:
    """The command line, with an ontology in its context."""
    assert acme(f"ontology set {FILE}").code == 0
    server.asked()
    return acme


def read(run: CommandLine) -> Any:
    return run("ontology get -o json").json


# get


def test_json_is_the_servers_body(acme: CommandLine) -> None:
    assert read(acme) == EMPTY
    acme(f"ontology set {FILE}")
    assert acme("ontology get -o json").out == json.dumps(PEOPLE, indent=2) + "\n"
    assert yaml.safe_load(acme("ontology get -o yaml").out) == PEOPLE
    assert json.loads(acme("ontology get -o jsonl").out) == PEOPLE


def test_a_table_has_a_row_for_each_type_and_each_relation(people: CommandLine) -> None:
    assert people("ontology get").out == (
        "KIND         NAME       ATTRIBUTE_KEYS\n"
        "entity type  Person     name,age\n"
        "entity type  Company    -\n"
        "relation     works_for  -\n"
    )
    assert people("ontology get -o name").out.split() == ["Person", "Company"]
    assert people("ontology get --columns name --sort -name --no-header").out.split() == [
        "works_for",
        "Person",
        "Company",
    ]
    assert list(csv.reader(io.StringIO(people("ontology get -o csv").out))) == [
        ["kind", "name", "attribute_keys"],
        ["entity type", "Person", '["name","age"]'],
        ["entity type", "Company", "[]"],
        ["relation", "works_for", ""],
    ]
    assert people("ontology get --query 'attribute_keys.Person'").out.split() == ["name", "age"]


def test_an_empty_one_says_so(acme: CommandLine) -> None:
    result = acme("ontology get")
    assert (result.code, result.out) == (0, "KIND  NAME  ATTRIBUTE_KEYS\n")
    assert "No names in the ontology." in result.err


def test_a_hundred_types_are_read_in_eighty_columns(acme: CommandLine) -> None:
    keys = [f"attribute_{n}" for n in range(12)]
    body = {
        "entity_types": [f"EntityType{n}" for n in range(100)],
        "attribute_keys": {f"EntityType{n}": keys for n in range(0, 100, 10)},
        "relation_labels": [f"relation_{n}" for n in range(20)],
    }
    assert acme("ontology set -", stdin=json.dumps(body)).code == 0
    env = {"COLUMNS": "80"}
    lines = acme("ontology get --color never", env=env, terminal=True).out.splitlines()
    assert max(map(len, lines)) <= 80
    for name in (*body["entity_types"], *body["relation_labels"]):
        assert sum(f" {name} " in f"{line} " for line in lines) == 1
    # Names are never broken in two: a line ends between them.
    words = Counter(word for line in lines for word in re.split("[ ,]+", line))
    assert [words[key] for key in keys] == [10] * 12
    assert len(lines) < 100 + 20 + 1 + 10 * 4


# set


def test_set_replaces_all_and_shows_the_difference(people: CommandLine) -> None:
    result = people("ontology set - --yes", stdin=LESS)
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == [
        *CHANGES,
        "Changed the ontology of context acme-prod.",
    ]
    assert read(people) == {**json.loads(LESS), "relation_labels": []}


def test_set_asks_only_when_something_goes(acme: CommandLine, server: Server) -> None:
    first = acme(f"ontology set {FILE} -o json")
    assert (first.code, first.json) == (0, PEOPLE)
    server.asked()
    refused = acme("ontology set - -o json", stdin=LESS)
    assert (refused.code, refused.out, server.asked()) == (2, "", [f"GET {URL}"])
    assert "Remove attribute Person.age, entity type Company" in refused.error["message"]


def test_a_person_is_asked_after_the_difference_was_shown(
    people: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "less.json"
    file.write_text(LESS)
    declined = people(f"ontology set {file}", stdin="n\n", terminal=True)
    assert declined.code == 1
    assert declined.err.index("- entity type Company") < declined.err.index("[y/N]")
    assert "Nothing was changed." in declined.err
    assert read(people) == PEOPLE
    assert people(f"ontology set {file}", stdin="y\n", terminal=True).code == 0
    assert read(people)["entity_types"] == ["Person", "City"]


def test_the_context_can_be_named_as_consent(people: CommandLine) -> None:
    assert people("ontology set - --confirm other", stdin=LESS).code == 2
    assert people("ontology set - --confirm acme-prod", stdin=LESS).code == 0


def test_a_protected_profile_wants_the_name_where_something_goes(people: CommandLine) -> None:
    people("profiles add prod --url http://spectron.test --protected")
    line = "ontology set - --profile prod"
    more = json.dumps({**PEOPLE, "relation_labels": ["works_for", "knows"]})
    assert people(line, stdin=more).code == 0
    assert people(f"{line} --yes", stdin=LESS).code == 2
    assert people(f"{line} --confirm acme-prod", stdin=LESS).code == 0


def test_without_a_difference_nothing_is_sent(people: CommandLine, server: Server) -> None:
    for body in (PEOPLE, {**PEOPLE, "attribute_keys": {"Person": ["name", "age"], "Company": []}}):
        result = people("ontology set - -o json", stdin=json.dumps(body))
        assert (result.code, result.json) == (0, PEOPLE)
        assert "is up to date: nothing was sent" in result.err
        assert server.asked() == [f"GET {URL}"]


def test_another_order_is_a_difference(people: CommandLine) -> None:
    turned = {
        **PEOPLE,
        "entity_types": ["Company", "Person"],
        "attribute_keys": {"Person": ["age", "name"]},
    }
    result = people("ontology set -", stdin=json.dumps(turned))
    assert result.err.splitlines()[:2] == [
        "~ order of entity_types",
        "~ order of attribute_keys.Person",
    ]
    assert read(people) == turned


def test_set_sends_the_tag_of_what_was_shown(people: CommandLine, server: Server) -> None:
    people("ontology set - --yes", stdin=LESS)
    got, put = server.requests[:2]
    assert (got.method, put.method) == ("GET", "PUT")
    assert put.headers["If-Match"].strip('"').isalnum()


def test_set_never_overwrites_what_came_in_between(people: CommandLine, server: Server) -> None:
    def come_between(request: Any, inner: Any) -> Any:
        people("ontology add --relation likes")
        return inner.handle_request(request)

    server.faults.append(come_between)
    result = people("ontology set - --yes -o json", stdin=LESS)
    assert (result.code, result.out, result.error["status"]) == (6, "", 412)
    assert "another client changed" in result.error["message"]
    assert read(people)["relation_labels"] == ["works_for", "likes"]


@pytest.mark.parametrize("fault", [lose_answer, truncate_answer])
def test_a_lost_answer_is_read_back(people: CommandLine, server: Server, fault: Fault) -> None:
    server.faults.append(fault)
    result = people("ontology set - --yes -o json", stdin=LESS)
    assert (result.code, result.json["entity_types"]) == (0, ["Person", "City"])
    assert server.asked() == [f"GET {URL}", f"PUT {URL}", f"GET {URL}"]


def test_a_lost_request_is_told_and_not_repeated(people: CommandLine, server: Server) -> None:
    server.faults.append(lose_request)
    result = people("ontology set - --yes -o json", stdin=LESS)
    assert (result.code, result.error["kind"]) == (9, "network")
    assert "safe to run this again" in result.error["hint"]
    assert server.asked() == [f"GET {URL}", f"PUT {URL}", f"GET {URL}"]
    assert read(people) == PEOPLE


def test_what_get_prints_can_be_set_again(
    people: CommandLine, server: Server, tmp_path: Path
) -> None:
    for suffix, shape in (("json", "json"), ("yaml", "yaml"), ("yml", "yaml"), ("txt", "json")):
        file = tmp_path / f"ontology.{suffix}"
        file.write_text(people(f"ontology get -o {shape}").out)
        assert people(f"ontology set {file}").code == 0
        assert people("ontology set -", stdin=file.read_text()).code == 0
    assert f"PUT {URL}" not in server.asked()


NAMES = st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable() and text.strip())
LISTS = st.lists(NAMES, unique=True, max_size=5)


@st.composite
def ontologies(draw: st.DrawFn) -> dict[str, Any]:
    types = draw(LISTS)
    owners = draw(st.lists(st.sampled_from(types), unique=True)) if types else []
    body = {
        "entity_types": types,
        "attribute_keys": {name: draw(LISTS) for name in owners},
        "relation_labels": draw(LISTS),
    }
    assert find_problems(body) == []
    return body


@pytest.mark.parametrize("suffix", ["json", "toml", "yaml"])
def test_every_ontology_survives_in_every_format(
    acme: CommandLine, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"ontology.{suffix}"
    dump = {"json": json.dumps, "toml": tomli_w.dumps, "yaml": yaml.safe_dump}[suffix]

    @given(body=ontologies())
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def check(body: dict[str, Any]) -> None:
        file.write_text(dump(body), encoding="utf-8")  # type: ignore[operator]
        assert acme("ontology delete --yes").code == 0
        result = acme(f"ontology set {file}")
        assert result.code == 0, result.err
        again = read(acme)
        filled = {name: keys for name, keys in body["attribute_keys"].items() if keys}
        if body["entity_types"] or body["relation_labels"]:
            assert again == body
        else:
            assert (again, filled) == (EMPTY, {})
        for shape in ("json", "yaml"):
            printed = acme(f"ontology get -o {shape}").out
            assert acme("ontology diff - --exit-code", stdin=printed).code == 0

    check()


# diff


def test_diff_shows_lines_to_people_and_an_object_to_programs(
    people: CommandLine, server: Server
) -> None:
    result = people("ontology diff -", stdin=LESS)
    assert (result.code, result.out.splitlines(), result.err) == (0, CHANGES, "")
    assert people("ontology diff - -o json", stdin=LESS).json == {
        "different": True,
        "removed": {
            "entity_types": ["Company"],
            "attribute_keys": {"Person": ["age"]},
            "relation_labels": ["works_for"],
        },
        "added": {**EMPTY, "entity_types": ["City"]},
        "reordered": [],
    }
    table = people("ontology diff - -o csv", stdin=LESS).out.splitlines()
    assert table[:2] == ["change,kind,entity_type,name", "removed,attribute,Person,age"]
    shaped = people("ontology diff - --columns change,name --no-header", stdin=LESS).out
    assert shaped.splitlines()[-1].split() == ["added", "City"]
    assert set(server.asked()) == {f"GET {URL}"}


@pytest.mark.parametrize("shape", ["table", "json"])
def test_diff_says_by_its_exit_code_whether_there_is_one(people: CommandLine, shape: str) -> None:
    line = f"ontology diff - -o {shape}"
    assert people(f"{line} --exit-code", stdin=LESS).code == 20
    assert people(line, stdin=LESS).code == 0
    same = people(f"{line} --exit-code", stdin=json.dumps(PEOPLE))
    assert same.code == 0
    assert "No differences." in same.err
    assert same.out == "" or same.json["different"] is False


def test_diff_says_what_set_does(people: CommandLine) -> None:
    lines = people("ontology diff -", stdin=LESS).out.splitlines()
    assert people("ontology set - --yes", stdin=LESS).err.splitlines()[:-1] == lines
    assert people("ontology diff - --exit-code", stdin=LESS).code == 0


# delete


def test_delete_asks_and_leaves_none(people: CommandLine, server: Server) -> None:
    declined = people("ontology delete", stdin="n\n", terminal=True)
    assert (declined.code, server.asked()) == (1, [])
    assert "Nothing was deleted." in declined.err
    done = people("ontology delete --yes -o json")
    assert (done.code, done.json) == (0, {"context": "acme-prod", "deleted": True})
    assert read(people) == EMPTY
    again = people("ontology delete --confirm acme-prod")
    assert (again.code, again.out) == (0, "")
    assert "Deleted the ontology of context acme-prod." in again.err


@pytest.mark.parametrize(
    "line", ["get", f"set {FILE}", f"diff {FILE}", "delete --yes", "add --relation x"]
)
def test_a_context_that_is_not_there_is_exit_5(run: CommandLine, line: str) -> None:
    result = run(f"ontology {line} -c missing -o json")
    assert (result.code, result.out, result.error["kind"]) == (5, "", "not_found")


@pytest.mark.parametrize(
    "line", ["get", f"set {FILE}", f"diff {FILE}", "delete --yes", "add --relation x"]
)
def test_a_context_must_be_chosen(run: CommandLine, server: Server, line: str) -> None:
    server.asked()
    assert run(f"ontology {line}").code == 2
    assert server.asked() == []

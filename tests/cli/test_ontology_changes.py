"""`spectronctl ontology add|remove`: small changes that lose none of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from spectronctl.operations.ontologies import _writing
from tests.support.command_tree import OWN_SAMPLES
from tests.support.commandline import CommandLine
from tests.support.faults import Fault, lose_answer, lose_request, truncate_answer
from tests.support.server import Server

URL = "/api/v1/contexts/acme-prod/ontology"
FILE = OWN_SAMPLES["ontology", "FILE|-"]
PEOPLE = {
    "entity_types": ["Person", "Company"],
    "attribute_keys": {"Person": ["name", "age"]},
    "relation_labels": ["works_for"],
}


@pytest.fixture
def people(acme: CommandLine, server: Server) -> CommandLine:
    """The command line, with an ontology in its context."""
    assert acme(f"ontology set {FILE}").code == 0
    server.asked()
    return acme


def read(run: CommandLine) -> Any:
    return run("ontology get -o json").json


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses take no time, and are as long as their jitter allows."""
    taken: list[float] = []
    now = [1000.0]

    def sleep(seconds: float) -> None:
        taken.append(seconds)
        now[0] += seconds

    clock = SimpleNamespace(sleep=sleep, monotonic=lambda: now[0])
    monkeypatch.setattr(_writing, "time", clock)
    monkeypatch.setattr(_writing, "random", lambda: 1.0)
    return taken


def change_first(run: CommandLine, *lines: str) -> Fault:
    """Another client is faster."""

    def fault(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        for line in lines:
            assert run(line).code == 0
        return inner.handle_request(request)

    return fault


# What is added


def test_names_are_added_at_the_end(people: CommandLine) -> None:
    result = people(
        "ontology add --entity-type City --entity-type Country --attribute Person=email,phone"
        " --attribute City=name --attribute 'City=area, mayor' --relation knows"
    )
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == [
        "+ attribute Person.email",
        "+ attribute Person.phone",
        "+ entity type City",
        "+ attribute City.name",
        "+ attribute City.area",
        "+ attribute City.mayor",
        "+ entity type Country",
        "+ relation knows",
        "Changed the ontology of context acme-prod.",
    ]
    assert read(people) == {
        "entity_types": ["Person", "Company", "City", "Country"],
        "attribute_keys": {
            "Person": ["name", "age", "email", "phone"],
            "City": ["name", "area", "mayor"],
        },
        "relation_labels": ["works_for", "knows"],
    }


def test_what_is_there_is_no_request(people: CommandLine, server: Server) -> None:
    result = people("ontology add --entity-type Person --attribute Person=age -o json")
    assert (result.code, result.json) == (0, PEOPLE)
    assert server.asked() == [f"GET {URL}"]
    assert result.err.splitlines() == [
        "Already in the ontology:  entity type Person, attribute Person.age.",
        "Nothing was changed.",
    ]


def test_only_what_is_new_is_added(people: CommandLine) -> None:
    result = people("ontology add --relation works_for --relation knows --relation knows")
    assert result.err.splitlines() == [
        "+ relation knows",
        "Already in the ontology:  relation works_for.",
        "Changed the ontology of context acme-prod.",
    ]


def test_attributes_want_their_type(people: CommandLine, server: Server) -> None:
    result = people("ontology add --attribute Persn=name -o json")
    assert (result.code, result.out, server.asked()) == (7, "", [f"GET {URL}"])
    assert "--entity-type Persn" in result.error["hint"]
    assert result.error["candidates"] == ["Person"]
    assert people("ontology add --attribute City=name --entity-type City").code == 0
    assert read(people)["attribute_keys"]["City"] == ["name"]


# What is removed


def test_a_type_takes_its_attributes_with_it_and_says_so(people: CommandLine) -> None:
    result = people("ontology remove --entity-type Person --yes -o json")
    assert result.json == {
        "entity_types": ["Company"],
        "attribute_keys": {},
        "relation_labels": ["works_for"],
    }
    assert result.err.splitlines()[:3] == [
        "- entity type Person",
        "- attribute Person.name",
        "- attribute Person.age",
    ]
    assert read(people) == result.json


def test_attributes_and_relations_are_removed_alone(people: CommandLine) -> None:
    line = "ontology remove --attribute Person=name --relation works_for --confirm acme-prod"
    assert people(line).code == 0
    assert read(people) == {
        **PEOPLE,
        "attribute_keys": {"Person": ["age"]},
        "relation_labels": [],
    }
    assert people("ontology remove --attribute Person=age --yes").code == 0
    assert read(people)["attribute_keys"] == {}


def test_what_is_not_there_is_no_request(people: CommandLine, server: Server) -> None:
    line = "ontology remove --entity-type Ghost --attribute Ghost=a --attribute Person=b --yes"
    result = people(line)
    assert (result.code, server.asked()) == (0, [f"GET {URL}"])
    assert result.err.splitlines() == [
        "Not in the ontology: entity type Ghost, attribute Ghost.a, attribute Person.b.",
        "Nothing was changed.",
    ]


def test_removing_asks_by_name(people: CommandLine, server: Server) -> None:
    declined = people("ontology remove --entity-type Person", stdin="n\n", terminal=True)
    assert (declined.code, server.asked()) == (1, [f"GET {URL}"])
    question = "Remove entity type Person, attribute Person.name, attribute Person.age from"
    assert question in declined.err
    assert "Nothing was changed." in declined.err
    assert people("ontology remove --entity-type Person", stdin="y\n", terminal=True).code == 0


def test_a_question_names_the_first_few(acme: CommandLine) -> None:
    acme("ontology add " + " ".join(f"--relation r{n}" for n in range(9)))
    asked = acme("ontology set -", stdin="{}").err
    assert "relation r4 and 4 more from the ontology" in asked


@pytest.mark.parametrize("verb", ["add", "remove --yes"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("", "nothing was named"),
        ("--entity-type ''", "--entity-type: a name must not be empty or blank"),
        ("--entity-type ' '", "must not be empty or blank"),
        (f"--relation {'x' * 129}", "--relation: a name is longer than 128 characters"),
        ("--relation 'a\tb'", r"cannot be printed: 'a\tb'"),
        ("--attribute Person", "TYPE=KEY,KEY is needed"),
        ("--attribute =name", "--attribute: a name must not be empty"),
        ("--attribute Person=", "--attribute: a name must not be empty"),
        ("--attribute Person=a,,b", "--attribute: a name must not be empty"),
    ],
)
def test_what_is_no_name_is_refused_before_anything_is_sent(
    people: CommandLine, server: Server, verb: str, options: str, says: str
) -> None:
    result = people(f"ontology {verb} {options}")
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert says in result.err


# At the same time as others


def test_a_change_by_another_is_kept(
    people: CommandLine, server: Server, pauses: list[float]
) -> None:
    for name in ("a", "b", "c"):
        server.faults.append(change_first(people, f"ontology add --relation {name}"))
        # The other one's own write comes next, and is let through.
        server.faults.append(lambda request, inner: inner.handle_request(request))
    assert people("ontology add --relation mine -o json").code == 0
    assert read(people)["relation_labels"] == ["works_for", "a", "b", "c", "mine"]
    assert pauses == [0.05, 0.1, 0.2]


def test_no_more_is_removed_than_was_agreed_to(
    people: CommandLine, server: Server, pauses: list[float]
) -> None:
    server.faults += [
        change_first(people, "ontology add --attribute Person=email"),
        lambda request, inner: inner.handle_request(request),
    ]
    result = people("ontology remove --entity-type Person", stdin="y\nn\n", terminal=True)
    assert result.code == 1
    assert result.err.count("[y/N]") == 2
    assert "Remove attribute Person.email from" in result.err
    assert read(people)["attribute_keys"] == {"Person": ["name", "age", "email"]}


def answer(status: int, **settings: Any) -> Callable[..., httpx.Response]:
    return lambda request, inner: httpx.Response(status, request=request, **settings)


def test_it_gives_up_within_the_timeout(
    people: CommandLine, server: Server, pauses: list[float]
) -> None:
    server.faults += [answer(412)] * 99
    result = people("ontology add --relation mine --timeout 5s -o json")
    assert (result.code, result.out) == (6, "")
    assert (result.error["kind"], result.error["status"]) == ("conflict", 412)
    assert "another client changed" in result.error["message"]
    assert 4 <= sum(pauses) <= 5
    assert max(pauses) == 1.0


def test_it_gives_up_after_a_hundred_times(
    people: CommandLine, server: Server, pauses: list[float]
) -> None:
    server.faults += [answer(412)] * 200
    assert people("ontology add --relation mine --timeout 1h").code == 6
    assert server.asked().count(f"PUT {URL}") == 100


def test_another_conflict_is_not_repeated(
    people: CommandLine, server: Server, pauses: list[float]
) -> None:
    server.faults.append(answer(409, json={"detail": "the context is being moved"}))
    result = people("ontology add --relation mine -o json")
    assert (result.code, pauses) == (6, [])
    assert "is being moved" in result.error["message"]


@pytest.mark.parametrize("fault", [lose_answer, truncate_answer])
@pytest.mark.parametrize("line", ["add --relation mine", "remove --relation works_for --yes"])
def test_a_lost_answer_is_read_back(
    people: CommandLine, server: Server, fault: Fault, line: str
) -> None:
    server.faults.append(fault)
    result = people(f"ontology {line} -o json")
    assert result.code == 0
    assert server.asked() == [f"GET {URL}", f"PUT {URL}", f"GET {URL}"]
    assert result.json == read(people) != PEOPLE


def test_a_lost_answer_is_settled_although_others_went_on(
    people: CommandLine, server: Server
) -> None:
    def lose(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        inner.handle_request(request).read()
        people("ontology add --relation theirs")
        raise httpx.ReadError("connection reset", request=request)

    server.faults.append(lose)
    result = people("ontology add --relation mine -o json")
    assert result.json["relation_labels"] == ["works_for", "mine", "theirs"]


def test_a_lost_request_is_told_and_not_repeated(people: CommandLine, server: Server) -> None:
    server.faults.append(lose_request)
    result = people("ontology add --relation mine -o json")
    assert (result.code, result.error["kind"]) == (9, "network")
    assert "may still come; it is safe to run this again" in result.error["hint"]
    assert read(people) == PEOPLE


def test_what_cannot_be_read_back_is_unknown(people: CommandLine, server: Server) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if request.method == "PUT":
            raise httpx.ReadError("connection reset", request=request)
        if "PUT" in asked:
            raise httpx.ConnectError("Connection refused", request=request)
        return server.handle_request(request)

    asked: list[str] = []
    people.transport = httpx.MockTransport(answer)
    result = people("ontology add --relation mine --retries 0 -o json")
    assert (result.code, asked) == (9, ["GET", "PUT", "GET"])
    assert "is unknown" in result.error["hint"]
    assert result.error["command"] == "spectronctl ontology get -c acme-prod"


# Servers that name no versions


class Untagged(httpx.BaseTransport):
    """A server without ETags, or with weak ones; `meanwhile` is what others do before the next answer."""

    def __init__(self, tag: str | None) -> None:
        self.headers = [] if tag is None else [(b"ETag", tag.encode())]
        self.body: dict[str, Any] = json.loads(json.dumps(PEOPLE))
        self.requests: list[httpx.Request] = []
        self.meanwhile: list[Callable[[], None]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "PUT":
            assert "If-Match" not in request.headers
            self.body = json.loads(request.read())
        shown = httpx.Response(200, json=self.body, headers=self.headers, request=request)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return shown

    def rename(self) -> None:
        self.body["relation_labels"] = [*self.body["relation_labels"], "theirs"]


@pytest.fixture(params=[None, 'W/"weak"', "no quotes", '"é"'])
def untagged(request: pytest.FixtureRequest, run: CommandLine) -> Untagged:
    other = Untagged(request.param)
    run.transport = other
    run.env["SPECTRON_CONTEXT_ID"] = "acme-prod"
    return other


def test_without_a_tag_it_looks_once_more_and_writes(run: CommandLine, untagged: Untagged) -> None:
    for line in ("add --relation mine", "remove --entity-type Company --yes", "set - --yes"):
        assert run(f"ontology {line}", stdin=json.dumps({"relation_labels": ["last"]})).code == 0
        assert [request.method for request in untagged.requests] == ["GET", "GET", "PUT"]
        untagged.requests.clear()
    assert untagged.body["relation_labels"] == ["last"]


def test_without_a_tag_a_change_that_is_seen_is_kept(
    run: CommandLine, untagged: Untagged, pauses: list[float]
) -> None:
    untagged.meanwhile = [untagged.rename]
    assert run("ontology add --relation mine").code == 0
    assert untagged.body["relation_labels"] == ["works_for", "theirs", "mine"]
    untagged.meanwhile = [untagged.rename]
    result = run("ontology set - --yes -o json", stdin="{}")
    assert (result.code, result.error["status"]) == (6, None)
    assert untagged.body["relation_labels"] == ["works_for", "theirs", "mine", "theirs"]


def test_fields_that_a_server_adds_are_shown_and_not_sent_back(
    run: CommandLine, untagged: Untagged
) -> None:
    untagged.body["revision"] = 7
    assert run("ontology get -o json").json["revision"] == 7
    assert run("ontology add --relation mine").code == 0
    assert set(untagged.body) == set(PEOPLE)


def test_what_a_terminal_would_act_on_is_spelt_out(run: CommandLine, untagged: Untagged) -> None:
    untagged.body["relation_labels"] = ["a\x1b[31mb\nc"]
    for line in ("get", "diff -", "set - --yes"):
        result = run(f"ontology {line}", stdin="{}")
        assert result.code == 0
        assert "\x1b" not in result.out + result.err
        assert r"a\x1b[31mb\nc" in result.out + result.err

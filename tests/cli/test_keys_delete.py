"""`spectronctl keys delete`: several at once, all or none, and never a guess."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.support.commandline import CommandLine
from tests.support.server import Server

KEYS = "/api/v1/contexts/acme-prod/keys"


@pytest.fixture
def ids(acme: CommandLine) -> dict[str, str]:
    names = ("app", "app.g2", "batch", "ci")
    return {name: acme(f"keys create {name} -o json").json["id"] for name in names}


def left(run: CommandLine) -> list[str]:
    return run("keys list -o name").out.split()


def test_one_key_is_one_object_and_several_are_a_list(
    acme: CommandLine, ids: dict[str, str]
) -> None:
    one = acme("keys delete ci --yes -o json")
    assert one.json == {"id": ids["ci"], "name": "ci", "deleted": True}
    several = acme(f"keys delete batch {ids['app']} --yes -o json")
    assert several.json == [
        {"id": ids["batch"], "name": "batch", "deleted": True, "error": None},
        {"id": ids["app"], "name": "app", "deleted": True, "error": None},
    ]
    assert left(acme) == ["app.g2"]


def test_people_and_csv_are_told_of_each(acme: CommandLine, ids: dict[str, str]) -> None:
    result = acme("keys delete batch ci --yes")
    assert result.out == ""
    assert "Deleted key batch." in result.err
    assert "Deleted key ci." in result.err
    table = acme("keys delete app.g2 missing --yes --if-missing ok -o csv").out.splitlines()
    assert table == [
        "id,name,deleted,error",
        f"{ids['app.g2']},app.g2,true,",
        ",missing,false,",
    ]


def test_a_query_runs_over_the_list(acme: CommandLine, ids: dict[str, str]) -> None:
    assert acme("keys delete batch ci --yes --query '[].name' -o csv").out.split() == [
        "batch",
        "ci",
    ]


def test_all_are_resolved_over_one_listing_before_any_is_deleted(
    acme: CommandLine, server: Server, ids: dict[str, str]
) -> None:
    server.asked()
    result = acme("keys delete batch missing ci --yes -o json")
    assert (result.code, result.out) == (5, "")
    assert server.asked() == [f"GET {KEYS}"]
    assert left(acme) == list(ids)


def test_missing_ones_may_be_left_out(acme: CommandLine, server: Server) -> None:
    acme("keys create batch")
    result = acme("keys delete missing batch --yes --if-missing ok -o json")
    assert [(one["name"], one["deleted"]) for one in result.json] == [
        ("missing", False),
        ("batch", True),
    ]
    server.asked()
    assert acme("keys delete a b --yes --if-missing ok").code == 0
    assert server.asked() == [f"GET {KEYS}"]


def test_the_same_key_twice_is_one_deletion(
    acme: CommandLine, server: Server, ids: dict[str, str]
) -> None:
    server.asked()
    result = acme(f"keys delete batch {ids['batch']} batch --yes -o json")
    assert result.json == [{"id": ids["batch"], "name": "batch", "deleted": True, "error": None}]
    assert [line for line in server.asked() if line.startswith("DELETE")] == [
        f"DELETE {KEYS}/{ids['batch']}"
    ]


def test_a_logical_name_of_several_generations_is_not_guessed(
    acme: CommandLine, ids: dict[str, str]
) -> None:
    error = acme("keys delete app --yes -o json").error
    assert (error["kind"], error["exit_code"]) == ("conflict", 6)
    assert error["candidates"] == [f"{ids[name]} ({name})" for name in ("app", "app.g2")]
    assert left(acme) == list(ids)

    assert acme("keys delete app.g2 --yes").code == 0
    assert acme("keys delete app --yes").code == 0


def test_one_question_names_all(acme: CommandLine, ids: dict[str, str]) -> None:
    declined = acme("keys delete batch ci", stdin="n\n", terminal=True)
    assert (declined.code, declined.out) == (1, "")
    assert declined.err.count("[y/N]") == 1
    assert f"batch ({ids['batch']}), ci ({ids['ci']})" in declined.err
    assert left(acme) == list(ids)
    assert acme("keys delete batch ci", stdin="y\n", terminal=True).code == 0
    assert left(acme) == ["app", "app.g2"]


def refuse(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    return httpx.Response(403, json={"detail": "not this one"}, request=request)


def go_on(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    return inner.handle_request(request)


def test_a_deletion_that_fails_keeps_no_other_and_each_has_its_result(
    acme: CommandLine, server: Server, ids: dict[str, str]
) -> None:
    def refuse_ci(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        act = refuse if request.url.path.endswith(ids["ci"]) else go_on
        return act(request, inner)

    server.faults += [refuse_ci] * 4
    result = acme("keys delete ci app.g2 batch --yes -o json")
    assert result.code == 1
    assert [(each["name"], each["deleted"]) for each in result.json] == [
        ("ci", False),
        ("app.g2", True),
        ("batch", True),
    ]
    assert "not this one" in result.json[0]["error"]
    assert [each["error"] for each in result.json[1:]] == [None, None]
    error = json.loads(result.err.splitlines()[-1])
    assert error["message"] == "1 of 3 keys failed"
    assert "--if-missing ok" in error["hint"]
    assert left(acme) == ["app", "ci"]


@pytest.mark.parametrize(("if_missing", "code"), [("fail", 1), ("ok", 0)])
def test_a_key_that_vanishes_meanwhile_is_a_missing_one(
    acme: CommandLine, server: Server, ids: dict[str, str], if_missing: str, code: int
) -> None:
    def vanish(request: httpx.Request, inner: httpx.BaseTransport) -> Any:
        inner.handle_request(request).read()
        return inner.handle_request(request)

    server.faults.append(vanish)
    result = acme(f"keys delete batch ci --yes --if-missing {if_missing} -o json")
    assert result.code == code
    assert sorted(one["deleted"] for one in result.json) == [False, True]

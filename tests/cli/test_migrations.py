"""`spectronctl migrations status`, on the real server and on others' shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.commandline import CommandLine

BODY = {
    "schema_version": 4,
    "contexts": [
        {"context_id": "a-new", "version": 5},
        {"context_id": "b-now", "version": 4},
        {"context_id": "c-old", "version": 3},
        {"context_id": "d-stuck", "version": 3},
    ],
    "behind": ["c-old", {"context_id": "d-stuck"}, "f-lost"],
    "failures": ["a-new", {"context_id": "d-stuck", "error": "no space"}, "e-gone"],
}


@pytest.fixture
def told(tmp_path: Path) -> CommandLine:
    """A server that says `BODY`."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=BODY))
    return CommandLine(tmp_path, transport, {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-1"})


def test_the_real_server_is_current(run: CommandLine) -> None:
    run("contexts create acme-prod --namespace acme --database prod")
    run("contexts create beta --namespace acme --database beta")
    body = run("migrations status -o json").json
    newest = body["schema_version"]
    table = run("migration status --no-header").out.split()
    assert table == [
        *("acme-prod", str(newest), str(newest), "current"),
        *("beta", str(newest), str(newest), "current"),
    ]
    assert [each["context_id"] for each in body["contexts"]] == ["acme-prod", "beta"]


def test_each_context_stands_somewhere_to_the_newest(told: CommandLine) -> None:
    lines = told("migrations status --no-header").out.splitlines()
    assert [line.split(maxsplit=4) for line in lines] == [
        ["a-new", "5", "4", "ahead", "-"],
        ["b-now", "4", "4", "current", "-"],
        ["c-old", "3", "4", "behind", "-"],
        ["d-stuck", "3", "4", "failed", "no space"],
        ["f-lost", "-", "4", "behind", "-"],
        ["e-gone", "-", "4", "failed", "-"],
    ]


def test_programs_get_the_servers_own_words(told: CommandLine) -> None:
    assert told("migrations status -o json").json == BODY
    assert told("migrations status -o name").out.split()[:2] == ["a-new", "b-now"]
    assert told("migrations status --query schema_version -o json").json == 4
    assert told("migrations status -o csv --columns context,state").out.splitlines()[1] == (
        "a-new,ahead"
    )


@pytest.mark.parametrize(
    ("context", "narrowed"),
    [
        ("b-now", {"contexts": BODY["contexts"][1:2], "behind": [], "failures": []}),  # type: ignore[index]
        ("e-gone", {"contexts": [], "behind": [], "failures": ["e-gone"]}),
    ],
)
def test_a_context_that_is_typed_narrows_it(
    told: CommandLine, context: str, narrowed: dict[str, Any]
) -> None:
    result = told(f"migrations status -c {context} -o json")
    assert result.json == {"schema_version": 4, **narrowed}


def test_a_context_from_the_environment_does_not_narrow_it(told: CommandLine) -> None:
    result = told("migrations status -o json", env={"SPECTRON_CONTEXT_ID": "b-now"})
    assert result.json == BODY


def test_an_unknown_context_is_not_found(told: CommandLine) -> None:
    result = told("migrations status -c missing -o json")
    assert (result.code, result.out, result.error["kind"]) == (5, "", "not_found")

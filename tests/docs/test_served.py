"""The table in README of what the server serves, against its routes and the product's documented data plane."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.support.server import Server
from tools.documents import README

DOCUMENTED = (Path(__file__).parent / "data_plane.txt").read_text().split("\n")[:-1]
"""`METHOD path` of every operation that the product's description of its data plane holds."""

ROW = re.compile(r"^\| ((?:`[\w-]+`(?:, )?)+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


def name_resource(operation: str) -> str:
    """`documents` of `GET /api/v1/{context_id}/documents/{id}`, `health` of `GET /api/v1/health`."""
    _, _, path = operation.partition(" /api/v1/")
    return path.removeprefix("{context_id}/").partition("/")[0]


def shape(operation: str) -> str:
    """The operation whatever its parameters are called."""
    return re.sub(r"\{\w+\}", "{}", operation)


@pytest.fixture(scope="module")
def served() -> set[str]:
    """What the server's own description holds with a response of success."""
    from spectronctl.server.app import create_app

    app: FastAPI = create_app(None)  # type: ignore[arg-type]
    return {
        shape(f"{method.upper()} {path}")
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
        if any(status.startswith("2") for status in operation["responses"])
    }


def test_the_list_is_that_of_the_product() -> None:
    assert len(DOCUMENTED) == len(set(DOCUMENTED)) == 56
    assert len({operation.split()[1] for operation in DOCUMENTED}) == 48


def test_readme_says_how_much_is_served(served: set[str]) -> None:
    counts = {True: Counter[str](), False: Counter[str]()}
    for operation in DOCUMENTED:
        counts[shape(operation) in served][name_resource(operation)] += 1
    text = README.read_text()
    assert f"({len(DOCUMENTED)} documented operations" in text
    told = []
    for names, served_count, other_count in ROW.findall(text):
        resources = re.findall(r"[\w-]+", names)
        told += resources
        found = [sum(counts[which][name] for name in resources) for which in (True, False)]
        assert found == [int(served_count), int(other_count)], names
    assert sorted(told) == sorted(counts[True] | counts[False])


def test_what_is_documented_and_not_served_is_501(served: set[str], server: Server) -> None:
    assert find_unlike(501, served, server) == []


def find_unlike(status: int, served: set[str], server: Server) -> list[str]:
    """The documented operations that are not served, and answer an operator otherwise."""
    import httpx

    key = {"Authorization": f"Bearer {server.key}"}
    with httpx.Client(transport=server, base_url="http://spectron.test", headers=key) as client:
        body = {"namespace": "acme", "database": "prod"}
        client.post("/api/v1/contexts/acme-prod", json=body).raise_for_status()
        found = []
        for operation in DOCUMENTED:
            method, path = operation.split()
            path = re.sub(r"\{\w+\}", "x", path.replace("{context_id}", "acme-prod"))
            if shape(operation) not in served:
                answered = client.request(method, path).status_code
                found += [f"{operation}: {answered}"] if answered != status else []
        return found

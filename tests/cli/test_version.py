"""`spectronctl version --check-server`, on the real server and on others at the network's edge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl import __version__
from tests.support.commandline import CommandLine
from tests.support.server import Server

Change = Callable[[dict[str, Any]], Any]


class Altered(httpx.BaseTransport):
    """The real server, some of whose answers are altered on the way."""

    def __init__(self, inner: httpx.BaseTransport, changes: dict[str, Change | int]) -> None:
        self.inner = inner
        self.changes = changes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        change = self.changes.get(request.url.path)
        if isinstance(change, int):
            return httpx.Response(change, json={"detail": "as the test wants it"})
        answer = self.inner.handle_request(request)
        if change is None:
            return answer
        body = json.loads(answer.read())
        changed = change(body)
        return httpx.Response(answer.status_code, json=body if changed is None else changed)


def alter(run: CommandLine, server: Server, **changes: Change | int) -> CommandLine:
    paths = {
        "health": "/api/v1/health",
        "contexts": "/api/v1/contexts",
        "description": "/openapi.json",
    }
    altered = {paths[name]: change for name, change in changes.items()}
    return CommandLine(run.home, Altered(server, altered), {"SPECTRON_URL": "http://spectron.test"})


def say(version: str | None) -> Change:
    return lambda body: body.update(version=version)


def test_the_real_server_goes_with_this_client(run: CommandLine, server: Server) -> None:
    server.asked()
    del run.env["SPECTRON_MANAGEMENT_API_KEY"]
    result = run("version --check-server -o json")
    assert result.code == 0
    assert result.json["server"] == result.json["spectronctl"] == __version__
    assert (result.json["compatibility"], result.json["missing"]) == ("compatible", [])
    assert server.asked() == ["GET /api/v1/health", "GET /api/v1/contexts", "GET /openapi.json"]
    assert run("version --check-server -o name").out == "compatible\n"


@pytest.mark.parametrize(
    ("version", "code", "verdict"),
    [
        ("0.0.9", 20, "older"),
        ("7.0.0", 20, "newer"),
        (f"{__version__}.post1", 0, "compatible"),
        (None, 0, "unknown"),
    ],
)
def test_another_version_of_our_server_is_told(
    version: str | None, code: int, verdict: str, run: CommandLine, server: Server
) -> None:
    result = alter(run, server, health=say(version))("version --check-server -o json")
    assert (result.code, result.json["compatibility"]) == (code, verdict)
    assert result.json["server"] == (version or "unknown")


def test_versions_of_others_servers_do_not_compare(run: CommandLine, server: Server) -> None:
    def disown(body: dict[str, Any]) -> None:
        del body["info"]["x-implementation"]
        del body["paths"]["/api/v1/{context_id}/sessions"]["get"]

    others = alter(run, server, health=say("7.0.0"), description=disown)
    found = others("version --check-server -o json")
    assert (found.code, found.json["compatibility"]) == (0, "unknown")
    assert found.json["missing"] == ["GET /api/v1/{}/sessions"]
    table = [line.split() for line in others("version --check-server").out.splitlines()]
    assert ["server", "7.0.0"] in table


def test_only_planes_that_are_described_can_miss_a_route(run: CommandLine, server: Server) -> None:
    def keep_data_plane(body: dict[str, Any]) -> None:
        for path in list(body["paths"]):
            if "{context_id}/" not in path or "/contexts/" in path:
                del body["paths"][path]

    found = alter(run, server, description=keep_data_plane)("version --check-server -o json")
    assert found.json["missing"] == []


@pytest.mark.parametrize(
    "description",
    [
        404,
        401,
        405,
        500,
        lambda _: [1],
        lambda _: {"paths": 5, "info": []},
        lambda _: {"paths": {"/x": 1}},
    ],
)
def test_a_server_without_a_description_is_unknown(
    description: Any, run: CommandLine, server: Server
) -> None:
    found = alter(run, server, description=description)(
        "version --check-server -o json --retries 0"
    )
    assert (found.code, found.json["compatibility"]) == (0, "unknown")
    assert not found.json["missing"]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_a_management_plane_is_an_error(
    status: int, run: CommandLine, server: Server
) -> None:
    result = alter(run, server, contexts=status)("version --check-server -o json")
    assert (result.code, result.out) == (9, "")
    assert (result.error["kind"], result.error["status"]) == ("not_available", status)
    assert "no management plane" in result.error["message"]


def test_no_answer_is_an_error(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    run = CommandLine(tmp_path, httpx.MockTransport(refuse))
    result = run("version --check-server --retries 0 -o json")
    assert (result.code, result.out, result.error["kind"]) == (9, "", "network")


def test_the_servers_own_version_alone(run: CommandLine, server: Server) -> None:
    told = alter(run, server, health=say("7.0.0"))("version --server -o json")
    assert (told.code, told.json["server"]) == (0, "7.0.0")
    assert "server" not in run("version -o json").json

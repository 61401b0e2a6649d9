"""`spectronctl keys rotate` when some of it fails: one key of many, the trial of a secret, the end of a wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from spectronctl.local.checkpoints import Journal
from spectronctl.local.locations import state_dir
from spectronctl.operations.rotations import BUSY_SECONDS
from tests.support.commandline import CommandLine
from tests.support.server import Server


class Edge(httpx.BaseTransport):
    """The server, except where a request is answered here."""

    def __init__(
        self, server: Server, refuses: Callable[[httpx.Request], bool], status: int
    ) -> None:
        self.server = server
        self.refuses = refuses
        self.status = status

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.refuses(request):
            return httpx.Response(self.status, json={"message": "not now"}, request=request)
        return self.server.handle_request(request)


def is_trial(request: httpx.Request) -> bool:
    return request.url.path.endswith("/me")


def works(run: CommandLine, secret: str) -> bool:
    return run("whoami --api-key-file -", stdin=secret).code == 0


def test_a_key_of_many_that_cannot_be_rotated_fails_alone(
    acme: CommandLine, tmp_path: Path
) -> None:
    acme(f"keys create short --expires-in 1h --secret-file {tmp_path}/short.key")
    acme(f"keys create long --secret-file {tmp_path}/long.key")
    line = f"keys rotate --all --overlap 2h --secret-file '{tmp_path}/{{name}}.key'"

    planned = {row["name"]: row["error"] for row in acme(f"{line} --dry-run -o json").json}
    assert planned["long"] is None
    assert "--overlap is longer" in planned["short"]

    result = acme(f"{line} --yes -o json")
    assert result.code == 1
    assert {row["name"]: row["rotation"]["step"] for row in result.json} == {
        "short": "planned",
        "long.g2": "waiting",
    }
    assert "--overlap is longer" in result.err
    assert acme("keys list -o name").out.split() == ["short", "long", "long.g2"]


@pytest.mark.parametrize("how", ["", "--leaked"])
def test_a_printed_secret_that_could_not_be_tried_is_a_warning(
    how: str, acme: CommandLine, server: Server
) -> None:
    acme("keys create agent")
    acme.transport = Edge(server, is_trial, 403)
    result = acme(f"keys rotate agent {how} --yes")
    acme.transport = server
    assert result.code == 0
    assert works(acme, result.out)
    assert "could not be tried: not now (403" in result.err
    assert acme("keys rotations list -o json").json == []


def test_a_stored_secret_that_could_not_be_tried_is_an_error_that_is_over(
    acme: CommandLine, server: Server, tmp_path: Path
) -> None:
    acme(f"keys create agent --secret-file {tmp_path}/agent.key")
    acme.transport = Edge(server, is_trial, 403)
    result = acme(f"keys rotate agent --yes --secret-file {tmp_path}/agent.key -o json")
    acme.transport = server
    assert (result.code, result.out) == (4, "")
    assert "was delivered" in result.error["hint"]
    assert works(acme, (tmp_path / "agent.key").read_text())
    assert acme("keys rotations list -o json").json == []


def test_one_that_fails_in_the_end_does_not_keep_the_others(
    acme: CommandLine, server: Server, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        acme(f"keys create {name} --secret-file {tmp_path}/{name}.key")
    kept = acme("keys get one -o json").json["id"]
    acme.transport = Edge(server, lambda r: r.method == "DELETE" and kept in r.url.path, 403)
    result = acme(
        f"keys rotate --all --overlap 1s --drain 0s --wait --yes -o json --secret-file '{tmp_path}/{{name}}.key'"
    )
    assert result.code == 1
    assert {row["name"]: row["rotation"]["step"] for row in result.json} == {
        "one.g2": "deleting",
        "two.g2": "done",
    }
    assert "keys rotations resume" in result.err
    assert sorted(acme("keys list -o name").out.split()) == ["one", "one.g2", "two.g2"]


def test_a_wait_outlives_another_process_at_the_same_rotation(
    acme: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(f"keys create agent --secret-file {tmp_path}/agent.key")
    journal = Journal(state_dir({"HOME": str(acme.home)}) / "rotations")
    nap, other = time.sleep, ExitStack()
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        nap(seconds)
        naps.append(seconds)
        if len(naps) == 1:  # the overlap is over, and another process is quicker
            (path,) = journal.list_paths()
            other.enter_context(journal.hold(path.name.partition(".")[0]))
        else:
            other.close()

    monkeypatch.setattr("spectronctl.operations.rotations._rotations.time.sleep", sleep)
    result = acme(
        f"keys rotate agent --overlap 1s --drain 0s --wait --yes --secret-file {tmp_path}/agent.key"
    )
    assert result.code == 0, result.err
    assert naps[1] == BUSY_SECONDS
    assert acme("keys list -o name").out.split() == ["agent.g2"]

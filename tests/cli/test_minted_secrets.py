"""A secret from a server that lies is written nowhere, whichever command asked for it."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import httpx
import pytest

from tests.support.commandline import CommandLine
from tests.support.server import Server

BAD = [
    "sk-x'; touch PWNED; #",
    "sk-a b",
    "sk-a\n",
    "sk-\u00e9",
    "$(id)",
    "`id`",
    "",
    "sk-" + "x" * 5000,
]


class Liar(httpx.BaseTransport):
    """A server that calls something else a secret."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.secret = ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.server.handle_request(request)
        document = json.loads(answer.read() or b"{}")
        if "secret" in document:
            document["secret"] = self.secret
        return httpx.Response(answer.status_code, json=document, request=request)


@pytest.fixture
def acme(run: CommandLine, server: Server, tmp_path: Path) -> CommandLine:
    assert run("contexts create acme-prod --namespace acme --database prod").code == 0
    run.env |= {"SPECTRON_CONTEXT_ID": "acme-prod", "PATH": os.environ["PATH"]}
    assert run(f"keys create app --secret-file {tmp_path}/app.key").code == 0
    return run


@pytest.mark.parametrize("secret", BAD)
def test_a_secret_that_is_no_plain_token_is_written_nowhere(
    acme: CommandLine, server: Server, tmp_path: Path, secret: str
) -> None:
    folder = tmp_path / "sinks"
    folder.mkdir()
    assert acme("keys create bot").code == 0
    liar = Liar(server)
    liar.secret = secret
    acme.transport = liar
    command = shlex.quote(f"sh -c 'cat > {folder}/piped'")
    places = (
        f"--secret-file {folder}/key --secret-env-file {folder}/.env:KEY --secret-command {command}"
    )
    lines = [
        f"keys create new {places}",
        "keys create new2",
        f"keys create new3 --recover {places}",
        f"keys create app --if-exists rotate --yes {places}",
        f"keys rotate app --overlap 1h --yes {places}",
        "exec --key app -- true",
        f"contexts clone acme-prod acme-b --namespace b --database b --secret-file '{folder}/{{name}}'",
        f"keys rotate bot --leaked --yes {places}",
    ]
    for line in lines:
        result = acme(f"{line} -o json")
        assert (result.code, result.out) == (9, ""), line
        assert "no plain token" in result.err
        assert os.listdir(folder) == []
        assert len(secret) < 3 or secret not in result.err


def test_the_error_tells_how_to_delete_the_key_that_is_there(
    acme: CommandLine, server: Server
) -> None:
    liar = Liar(server)
    liar.secret = "a b"
    acme.transport = liar
    command = acme("keys create new -o json").error["command"]
    assert acme("keys get new -o name").out == "new\n"
    assert acme(command.removeprefix("spectronctl ") + " --yes").code == 0
    assert acme("keys get new").code == 5


def test_a_program_is_lent_no_such_key_and_none_is_left(acme: CommandLine, server: Server) -> None:
    liar = Liar(server)
    liar.secret = "a b"
    acme.transport = liar
    assert acme("exec --key app -- true").code == 9
    assert acme("keys list -o name").out == "app\n"

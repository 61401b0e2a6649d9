"""`spectronctl whoami` on either plane, and on both, against a real server in memory."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from spectronctl.config.credentials import digest
from tests.support.commandline import CommandLine
from tests.support.server import Server


@pytest.fixture
def agent(acme: CommandLine) -> CommandLine:
    """The command line with a key for each plane, and no context chosen."""
    acme.env["SPECTRON_API_KEY"] = acme("keys create app --scope-floor org=acme").out.strip()
    del acme.env["SPECTRON_CONTEXT_ID"]
    return acme


def test_without_a_context_the_management_key_is_meant(agent: CommandLine, server: Server) -> None:
    server.asked()
    me = agent("whoami -o json").json
    assert me == {
        "principal_id": "operator",
        "server": "http://spectron.test",
        "key": digest(server.key),
        "source": "SPECTRON_MANAGEMENT_API_KEY",
    }
    assert server.asked() == ["GET /api/v1/contexts"]
    assert agent("whoami -c acme-prod --plane management -o json").json == me
    assert agent("whoami -o name").out == "operator\n"


def test_with_a_context_its_key_is_meant(agent: CommandLine) -> None:
    me = agent("whoami -c acme-prod -o json").json
    assert (me["key_name"], me["kind"]) == ("app", "agent")
    assert me["effective_grants"]["memory:read"] == ["org/acme/*"]
    assert (
        agent("whoami --plane context -o json", env={"SPECTRON_CONTEXT_ID": "acme-prod"}).json == me
    )
    assert agent("whoami --plane context").code == 2


def test_both_planes_in_one_answer(agent: CommandLine, server: Server) -> None:
    both = agent("whoami --plane both -c acme-prod -o json").json
    assert both["management"] == {
        "key": digest(server.key),
        "source": "SPECTRON_MANAGEMENT_API_KEY",
        "accepted": True,
        "identity": {"principal_id": "operator"},
        "problem": None,
    }
    context = both["context"]
    assert context["identity"] == agent("whoami -c acme-prod -o json").json
    assert (context["source"], context["accepted"]) == ("SPECTRON_API_KEY", True)
    assert context["key"] == digest(agent.env["SPECTRON_API_KEY"])
    rows = agent("whoami --plane both -c acme-prod --no-header").out.splitlines()
    assert [row.split()[:3] for row in rows] == [
        ["management", "operator", "true"],
        ["context", context["identity"]["principal_id"], "true"],
    ]
    assert agent("whoami --plane both").code == 2


@pytest.mark.parametrize("plane", ["management", "context"])
def test_of_both_one_may_be_refused(plane: str, agent: CommandLine) -> None:
    wrong = {"management": "SPECTRON_MANAGEMENT_API_KEY", "context": "SPECTRON_API_KEY"}[plane]
    result = agent("whoami --plane both -c acme-prod -o json", env={wrong: "sk-wrong"})
    assert result.code == 0
    accepted = {name: standing["accepted"] for name, standing in result.json.items()}
    assert accepted == {"management": True, "context": True, plane: False}
    refused = result.json[plane]
    assert (refused["identity"], refused["key"]) == (None, digest("sk-wrong"))
    assert "401" in refused["problem"]


def test_a_missing_key_is_a_refusal_too(agent: CommandLine) -> None:
    del agent.env["SPECTRON_MANAGEMENT_API_KEY"]
    both = agent("whoami --plane both -c acme-prod -o json").json
    assert (both["management"]["accepted"], both["management"]["key"]) == (False, None)
    assert both["management"]["problem"] == "no management key to send"
    assert both["context"]["accepted"]


@pytest.mark.parametrize("plane", ["management", "context", "both"])
def test_a_refused_key_is_an_error(plane: str, agent: CommandLine) -> None:
    line = f"whoami --plane {plane} -c acme-prod --api-key-file - -o json"
    result = agent(line, stdin="wrong")
    assert (result.code, result.out, result.error["kind"]) == (3, "", "auth")


def test_a_contexts_key_is_no_management_key(agent: CommandLine) -> None:
    result = agent("whoami --api-key-file - -o json", stdin=agent.env["SPECTRON_API_KEY"])
    assert result.code in {3, 4}
    assert (result.out, result.error["status"]) == ("", {3: 401, 4: 403}[result.code])


def test_a_server_that_fails_says_nothing_of_a_key(tmp_path: Path) -> None:
    down = httpx.MockTransport(lambda request: httpx.Response(500, request=request))
    run = CommandLine(tmp_path, down, {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-1"})
    result = run("whoami --plane both -c acme-prod -o json")
    assert (result.code, result.out) == (9, "")


def test_a_foreign_profiles_key_is_not_described(agent: CommandLine) -> None:
    (agent.home / "key").write_text("mgmt-2")
    agent(f"profiles add mine --url http://mine.test --api-key-file {agent.home}/key")
    env = {"SPECTRON_MANAGEMENT_API_KEY": ""}
    line = "whoami --profile mine --plane both -c acme-prod -o json"
    both = agent(line, env=env).json
    assert (both["management"]["key"], both["management"]["accepted"]) == (None, False)
    assert "belongs to http://mine.test:80" in both["management"]["problem"]
    assert both["context"]["accepted"]

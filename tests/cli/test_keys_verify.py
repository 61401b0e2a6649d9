"""`spectronctl keys verify`: does this secret work, as whom, with which grants."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commandline import SENTINEL, CommandLine
from tests.support.server import Server

NO_KEY = {"SPECTRON_MANAGEMENT_API_KEY": ""}


@pytest.fixture
def secret(acme: CommandLine) -> str:
    return acme("keys create app --scope-floor org=acme").out.strip()


@pytest.mark.parametrize("source", ["env:KEY", "file:~/key", "env-file:~/.env:KEY", "-"])
def test_a_secret_is_tried_from_wherever_it_is_and_alone(
    acme: CommandLine, server: Server, secret: str, source: str
) -> None:
    (acme.home / "key").write_text(f"{secret}\n")
    (acme.home / ".env").write_text(f"\ufeffexport KEY='{secret}' # the agent's\nOTHER=x\n")
    server.asked()

    result = acme(f"keys verify {source} -o json", env={**NO_KEY, "KEY": secret}, stdin=secret)

    assert result.code == 0, result.err
    who = result.json
    assert (who["kind"], who["display_name"]) == ("agent", "app")
    assert who["effective_grants"]["memory:read"] == ["org/acme/*"]
    assert server.asked() == ["GET /api/v1/acme-prod/me"]
    assert result.out == acme("whoami --api-key-file - -o json", stdin=secret).out


def test_the_management_key_does_not_stand_in_for_a_bad_secret(acme: CommandLine) -> None:
    result = acme("keys verify env:KEY -o json", env={"KEY": SENTINEL})
    assert (result.code, result.out) == (3, "")
    assert result.error["message"] == "this key is not accepted in context acme-prod"
    assert SENTINEL not in result.err


def test_a_key_that_is_deleted_rotated_or_anothers_is_not_accepted(
    acme: CommandLine, secret: str
) -> None:
    assert acme("keys verify -", stdin=secret).code == 0
    assert acme("keys verify - -c other", stdin=secret).code == 3
    acme("keys delete app --yes")
    assert acme("keys verify -", stdin=secret).code == 3


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        (SENTINEL, 2, "env:VAR"),
        (f"literal:{SENTINEL}", 2, "env:VAR"),
        ("env:", 2, "env:VAR"),
        ("file:", 2, "env:VAR"),
        ("env-file:~/.env", 2, "env-file:PATH:NAME"),
        ("env-file:~/.env:", 2, "env-file:PATH:NAME"),
        ("env:UNSET", 11, "UNSET"),
        ("file:~/nowhere", 11, "nowhere"),
        ("env-file:~/.env:MISSING", 11, "has no MISSING"),
        ("env-file:~/.env:TWICE", 11, "sets TWICE 2 times"),
        ("env-file:~/.env:EMPTY", 11, "empty"),
        ("env-file:~/nowhere:KEY", 11, "nowhere"),
    ],
)
def test_a_source_that_has_no_secret_is_refused_unrepeated(
    acme: CommandLine, server: Server, source: str, code: int, says: str
) -> None:
    (acme.home / ".env").write_text(f"TWICE={SENTINEL}\nTWICE={SENTINEL}\nEMPTY=\n")
    server.asked()
    result = acme(f"keys verify {source}")
    assert (result.code, result.out, server.asked()) == (code, "", [])
    assert says in result.err
    assert SENTINEL not in result.err


def test_the_embedded_server_checks_the_secret_too(tmp_path: Path) -> None:
    run = CommandLine(tmp_path, env={"SPECTRONCTL_PROFILE": "local"})
    run("contexts create dev --namespace dev --database dev")
    secret = run("keys create app -c dev").out
    assert run("keys verify - -c dev -o json", stdin=secret).json["display_name"] == "app"
    assert run("keys verify - -c dev", stdin="sk-dev-wrong").code == 3


def test_a_provider_key_is_read_from_an_env_file_too(acme: CommandLine) -> None:
    (acme.home / ".env").write_text("KEY=sk-openai\n")
    made = acme("contexts update acme-prod --provider openai=env-file:~/.env:KEY -o json")
    assert made.json["config"]["providers_configured"] == ["openai"]


# What a management key tells of one that is refused


def test_a_refused_key_is_recognised(acme: CommandLine, secret: str) -> None:
    key_id = acme("keys get app -o json --query id").json
    acme("contexts create other --namespace acme --database other")

    def explain(line: str = "keys verify -") -> str:
        result = acme(f"{line} -o json", stdin=secret, env={"SPECTRON_API_KEY": secret})
        assert (result.code, secret in result.err) == (3, False)
        return str(result.error["hint"])

    assert f"it is key {key_id} of context acme-prod, not of other" in explain(
        "keys verify - -c other"
    )
    assert acme(f"keys rotate app --secret-file {acme.home}/app.key --yes").code == 0
    assert f"key app ({key_id}) of context acme-prod, which has another secret" in explain()
    acme("keys delete app --yes")
    assert "was revoked" in explain()
    # Not of `keys verify` alone: every command says it.
    assert f"The key came from SPECTRON_API_KEY; it is key {key_id}" in explain("sessions list")


def test_an_expired_key_is_recognised(acme: CommandLine) -> None:
    made = acme("keys create brief --ttl 1s --reveal -o json").json
    while (result := acme("keys verify - -o json", stdin=made["secret"])).code == 0:
        pass
    assert f"which expired at {made['expires_at']}" in result.error["hint"]


def test_without_a_management_key_only_the_source_is_known(acme: CommandLine, secret: str) -> None:
    acme("keys delete app --yes")
    env = {**NO_KEY, "SPECTRON_API_KEY": secret}
    result = acme("sessions list -o json", env=env)
    assert result.error["hint"].startswith("The key came from SPECTRON_API_KEY.")


def test_a_refused_management_key_names_its_source(acme: CommandLine) -> None:
    env = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-wrong"}
    result = acme("contexts list -o json", env=env)
    assert "The key came from SPECTRON_MANAGEMENT_API_KEY." in result.error["hint"]

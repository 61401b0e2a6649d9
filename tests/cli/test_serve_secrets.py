"""`spectronctl serve secrets`: the key that seals the secrets of providers, replaced or lost."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine

SENTINEL = "sentinel-8d1f-never-shown"
OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))


@pytest.fixture
def local(run_alone: CommandLine) -> CommandLine:
    """The local store, with one context that has a provider's secret."""
    run_alone.env |= {
        "SPECTRONCTL_PROFILE": "local",
        "SPECTRONCTL_LOCAL_STORE": str(run_alone.home / "store"),
        "PROVIDER_KEY": SENTINEL,
    }
    return run_alone


def fill(local: CommandLine, **env: str) -> None:
    line = "contexts create acme --namespace acme --database a --provider openai=env:PROVIDER_KEY"
    result = local(line, env=env)
    assert result.code == 0, result.err


def test_the_stores_own_key_is_replaced(local: CommandLine) -> None:
    fill(local)
    path = local.home / "store.secret-key"
    old = path.read_text()
    rotated = local("serve secrets rotate -o json")
    assert rotated.json == {"contexts": 1}
    assert path.read_text() != old
    assert local("contexts get acme --query config.providers_configured -o json").json == ["openai"]
    assert path.read_text().strip() not in rotated.out + rotated.err


def test_a_given_key_takes_over_from_the_old_one(local: CommandLine, tmp_path: Path) -> None:
    fill(local, SPECTRON_SECRET_KEY=OLD)
    refused = local("contexts list", env={"SPECTRON_SECRET_KEY": NEW})
    assert refused.code == 11
    assert "serve secrets forget" in refused.err
    assert NEW not in refused.err
    path = tmp_path / "keys"
    path.write_text(f"{NEW}\n{OLD}\n")
    assert local(f"serve secrets rotate --secret-key-file {path} -o json").json == {"contexts": 1}
    assert local("contexts list", env={"SPECTRON_SECRET_KEY": NEW}).code == 0
    assert local("contexts list", env={"SPECTRON_SECRET_KEY": OLD}).code == 11


def test_what_a_lost_key_sealed_can_be_forgotten(local: CommandLine) -> None:
    fill(local, SPECTRON_SECRET_KEY=OLD)
    listed = local("serve secrets forget --dry-run -o json").json
    assert [(each["context"], each["provider"]) for each in listed] == [("acme", "openai")]
    assert local("serve secrets forget").code == 2
    assert local("contexts list").code == 11
    assert local("serve secrets forget --yes -o json").json == listed
    assert local("contexts get acme --query config.providers_configured -o json").json in ([], None)


def test_a_bad_key_is_refused_and_not_shown(local: CommandLine) -> None:
    result = local("contexts list", env={"SPECTRON_SECRET_KEY": SENTINEL})
    assert result.code == 11
    assert "SPECTRON_SECRET_KEY" in result.err
    assert SENTINEL not in result.err


def test_the_management_keys_of_a_store_need_no_such_key(local: CommandLine) -> None:
    fill(local, SPECTRON_SECRET_KEY=OLD)
    assert local("serve keys list").code == 0


def test_a_store_that_keeps_no_key_says_how_to_give_one(local: CommandLine) -> None:
    result = local("serve secrets rotate --store mem://")
    assert result.code == 2
    assert "SPECTRON_SECRET_KEY" in result.err

"""`spectronctl management-keys`: a leaked one is replaced while the server runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.faults import lose_answer
from tests.support.server import Server


@pytest.fixture
def ops(run: CommandLine) -> str:
    """The id of a management key `ops`, beside the one in use."""
    return str(run("management-keys create ops -o json").json["id"])


def left(run: CommandLine) -> list[str]:
    return run("management-keys list -o name").out.split()


def test_a_key_is_created_listed_rotated_and_revoked(run: CommandLine, ops: str) -> None:
    made = run("management-keys create ci -o json").json
    assert made["secret"].startswith("mgmt-")
    listed = run("management-keys list -o json")
    found = [(each["name"], each["id"]) for each in listed.json[1:]]
    assert found == [("ops", ops), ("ci", made["id"])]
    assert "secret" not in listed.out
    rotated = run("management-keys rotate ci --yes -o json").json
    assert (rotated["id"], rotated["name"]) == (made["id"], "ci")
    assert rotated["secret"] != made["secret"]
    revoked = run(f"management-keys revoke {made['id'][4:14].lower()} --yes -o json")
    assert revoked.json == {"id": made["id"], "name": "ci", "revoked": True}
    assert left(run) == ["bootstrap", "ops"]


def test_the_secret_goes_to_its_place(run: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "ci.key"
    made = run(f"management-keys create ci --secret-file {path} -o json")
    assert path.read_text().startswith("mgmt-")
    assert made.json.keys() == {"id", "name", "created_at", "last_used_at"}
    before = path.read_text()
    assert run(f"management-keys rotate ci --secret-file {path} --yes").code == 2
    assert path.read_text() == before
    assert run(f"management-keys rotate ci --secret-file {path} --force --yes").code == 0
    assert path.read_text() != before


def test_the_last_one_stays_unless_it_is_forced(run: CommandLine) -> None:
    refused = run("management-keys revoke bootstrap --yes")
    assert refused.code == 6
    assert "the last management key" in refused.err
    assert left(run) == ["bootstrap"]
    assert run("management-keys revoke bootstrap --yes --force").code == 0
    assert run("management-keys list").code == 3


def test_nothing_is_changed_without_consent(run: CommandLine, ops: str) -> None:
    for verb in ("rotate", "revoke"):
        assert run(f"management-keys {verb} ops").code == 2
        assert run(f"management-keys {verb} ops --confirm other").code == 2
    assert left(run) == ["bootstrap", "ops"]


def test_a_dry_run_shows_the_key_and_changes_nothing(run: CommandLine, ops: str) -> None:
    for verb in ("rotate", "revoke"):
        shown = run(f"management-keys {verb} ops --dry-run -o json")
        assert shown.json["id"] == ops
        assert "nothing was changed" in shown.err
    assert left(run) == ["bootstrap", "ops"]


def test_a_missing_key_is_named_with_near_ones(run: CommandLine, ops: str) -> None:
    result = run("management-keys revoke oops --yes -o json")
    assert result.code == 5
    assert result.error["candidates"] == ["ops"]
    settled = run("management-keys revoke oops --yes --if-missing ok -o json")
    assert settled.json == {"id": None, "name": "oops", "revoked": False}


def test_a_name_means_one_key(run: CommandLine, ops: str) -> None:
    refused = run("management-keys create ops")
    assert refused.code == 6
    assert "'ops' already exists" in refused.err


def test_the_key_in_use_is_named_as_such(run: CommandLine, ops: str) -> None:
    assert "the key that this command uses" not in run("management-keys rotate ops --dry-run").err
    assert "the key that this command uses" in run("management-keys rotate bootstrap --dry-run").err
    rotated = run("management-keys rotate bootstrap --yes -o json").json
    assert run("management-keys list").code == 3
    run.env["SPECTRON_MANAGEMENT_API_KEY"] = rotated["secret"]
    assert left(run) == ["bootstrap", "ops"]


def test_a_lost_response_names_the_key_that_was_made(server: Server, run: CommandLine) -> None:
    server.faults.append(lose_answer)
    lost = run("management-keys create ci -o json")
    assert lost.code == 9
    (orphan,) = lost.error["candidates"]
    assert lost.error["command"] == f"spectronctl management-keys rotate {orphan}"
    assert left(run) == ["bootstrap", "ci"]


def test_a_lost_rotation_is_repeated_only_where_it_is_asked_for(
    server: Server, run: CommandLine, ops: str
) -> None:
    server.faults.append(lose_answer)
    lost = run("management-keys rotate ops --yes -o json")
    assert lost.code == 9
    assert lost.error["command"] == f"spectronctl management-keys rotate {ops}"
    server.faults.append(lose_answer)
    assert run("management-keys rotate ops --yes --recover -o json").json["id"] == ops

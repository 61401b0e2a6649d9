"""`spectronctl principals`: who acts in a context, what each may do, and who may do something."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.commandline import CommandLine

READ = "memory:read"


@pytest.fixture
def planner(acme: CommandLine) -> str:
    """The id of a principal that may read below org/acme."""
    line = f"principals create planner --grant {READ}=org/acme/* --external-id u-7 -q -o name"
    return acme(line).out.strip()


def grants_of(run: CommandLine, name: str) -> Any:
    return run(f"principals get {name} -o json --query grants").json


def test_a_principal_is_found_by_id_name_and_external_id(acme: CommandLine, planner: str) -> None:
    for word in (planner, planner.removeprefix("principal:"), "planner", "u-7", planner[:20]):
        assert acme(f"principals get {word} -o name").out.strip() == planner
    result = acme("principals get planer")
    assert (result.code, "no principal 'planer'" in result.err) == (5, True)
    assert "planner" in result.err


def test_a_list_shows_what_each_may_do(acme: CommandLine, planner: str) -> None:
    rows = {row["id"]: row for row in acme("principals list -o json").json}
    assert rows[planner]["grants"] == {READ: ["org/acme/*"]}
    assert {"admin", "system"} <= set(rows)
    assert f"{READ}=org/acme/*" in acme("principals list").out


def test_a_key_acts_for_the_principal_that_it_is_bound_to(acme: CommandLine, planner: str) -> None:
    made = acme(f"keys create bot --principal-id {planner} --ttl 1h -o json --reveal").json
    assert made["principal_id"] == planner
    assert made["expires_at"] is not None
    seen = acme("whoami -o json", env={"SPECTRON_API_KEY": made["secret"]}).json
    assert (seen["principal_id"], seen["effective_grants"]) == (planner, {READ: ["org/acme/*"]})
    again = acme(f"keys create bot --principal-id {planner} --if-exists skip -o json")
    assert again.json["id"] == made["id"]
    other = acme("keys create bot --principal-id admin --if-exists skip")
    assert (other.code, "principal_id" in other.err) == (6, True)


def test_the_successor_of_a_rotation_acts_for_the_same_principal(
    acme: CommandLine, planner: str
) -> None:
    path = acme.home / "bot.key"
    acme(f"keys create bot --principal-id {planner} --secret-file {path}")
    line = f"keys rotate bot --overlap 0s --drain 0s --wait --secret-file {path} --force --yes"
    assert acme(line).code == 0
    assert acme("keys get bot -o json --query principal_id").json == planner
    assert acme("keys list -o name").out.split() == ["bot.g2"]


def test_what_limits_a_key_limits_its_successor(acme: CommandLine, planner: str) -> None:
    limits = {READ: ["org/acme/a/*"]}
    path = f"/contexts/acme-prod/principals/{planner}/keys/bot"
    assert acme(f"api POST {path} --yes --field 'grants={json.dumps(limits)}'").code == 0
    secret = acme.home / "bot.key"
    line = f"keys rotate bot --overlap 0s --drain 0s --wait --secret-file {secret} --force --yes"
    assert acme(line).code == 0
    env = {"SPECTRON_API_KEY": secret.read_text().strip()}
    assert acme("whoami -o json --query effective_grants", env=env).json == limits
    assert acme("keys get bot -o json --query grants").json == limits


def test_a_grant_is_added_and_taken_away(acme: CommandLine, planner: str) -> None:
    added = acme("principals grant planner memory:write=org/acme/a,team/b scope:read=/* -o json")
    assert added.json["grants"] == {
        READ: ["org/acme/*"],
        "memory:write": ["org/acme/a", "team/b"],
        "scope:read": ["/*"],
    }
    taken = acme("principals revoke planner memory:write=team/b scope:read=/* --yes -o json")
    assert taken.json["grants"] == {READ: ["org/acme/*"], "memory:write": ["org/acme/a"]}
    assert grants_of(acme, "planner") == taken.json["grants"]


def test_a_revocation_and_a_replacement_ask(acme: CommandLine, planner: str) -> None:
    for line in (
        f"principals revoke planner {READ}=org/acme/*",
        f"principals update planner --grants {READ}=team/*",
        "principals delete planner",
    ):
        assert acme(line, stdin="n\n", terminal=True).code == 1, line
        assert acme(line).code == 2, line
    assert grants_of(acme, "planner") == {READ: ["org/acme/*"]}


def test_an_update_renames_or_replaces_all_grants(acme: CommandLine, planner: str) -> None:
    renamed = acme("principals update planner --name router --kind service -o json").json
    assert (renamed["id"], renamed["display_name"], renamed["kind"]) == (
        planner,
        "router",
        "service",
    )
    line = f"principals update router --name planner --grants {READ}=team/* --yes -o json"
    replaced = acme(line).json
    assert (replaced["display_name"], replaced["grants"]) == ("planner", {READ: ["team/*"]})


def test_a_deletion_counts_the_keys_that_it_revokes(acme: CommandLine, planner: str) -> None:
    for name in ("one", "two"):
        acme(f"keys create {name} --principal-id {planner} --secret-file {acme.home / name}")
    result = acme("principals delete planner --yes")
    assert "revoked 2 keys" in result.err
    assert acme("keys list -o name").out == ""
    assert acme("principals delete planner --yes").code == 5
    gone = acme("principals delete planner --yes --if-missing ok -o json")
    assert gone.json == {"id": "planner", "deleted": False}


def test_the_ones_that_are_built_in_stay(acme: CommandLine) -> None:
    for line in (
        "principals delete system --yes",
        "principals delete admin --yes",
        "principals grant system memory:read=/*",
        "principals update system --name root",
    ):
        assert acme(line).code == 4, line


def test_effective_tells_of_now_and_of_a_time_before(acme: CommandLine, planner: str) -> None:
    now = acme("principals effective planner org/acme/x -o json").json
    assert (now["path"].strip("/"), now["verbs"]) == ("org/acme/x", [READ])
    before = acme("principals effective planner org/acme --as-of 2020-01-01T00:00:00Z -o json")
    assert before.json["verbs"] == []


def test_whocan_names_principals_and_their_keys(acme: CommandLine, planner: str) -> None:
    key = acme(f"keys create bot --principal-id {planner} --reveal -o json").json
    acme("keys create elsewhere --scope-floor team=a --reveal")
    acme(f"keys create narrow --principal-id {planner} --scope-floor org=acme,x=y --reveal")
    found = acme(f"principals whocan {READ} org/acme/z -o json").json
    holders = {each["id"]: [key["name"] for key in each["keys"]] for each in found["principals"]}
    assert holders[planner] == ["bot"]
    assert holders["admin"] == []
    assert not any("elsewhere" in names for names in holders.values())
    rows = acme(f"principals whocan {READ} org/acme/z -o wide").out
    assert key["id"] in rows
    acme(f"principals revoke planner {READ}=org/acme/* --yes")
    left = acme(f"principals whocan {READ} org/acme/z -o json").json["principals"]
    assert planner not in {each["id"] for each in left}


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("principals grant planner read=/*", 2, "memory:read"),
        ("principals grant planner memory:read", 2, "a scope is missing"),
        ("principals grant planner memory:read=a,,b", 2, "a scope is missing"),
        ("principals grant planner memory:read=a*b", 7, "scope pattern"),
        ("principals grant missing memory:read=/*", 5, "no principal 'missing'"),
        ("principals create planner", 6, "already exists"),
        ("principals update planner", 2, "nothing to change"),
        ("principals whocan fly org/acme", 2, "not a verb"),
        ("principals effective planner org/acme --as-of soon", 7, "asOf"),
        ("keys create k --principal-id principal:nobody", 7, "principal_id"),
    ],
)
def test_what_does_not_fit_is_named(
    line: str, code: int, words: str, acme: CommandLine, planner: str
) -> None:
    result = acme(line)
    assert (result.code, words in result.err) == (code, True), result.err


def test_creation_is_repeatable(acme: CommandLine, planner: str) -> None:
    for line in ("principals create planner", "principals create other --external-id u-7"):
        assert acme(f"{line} --if-exists skip -o name").out.strip() == planner

"""Things as people name them: what is near one that is not there, and ids without prefix or shortened."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectronctl.cli.commands._values import split_path
from spectronctl.output.differences import flatten
from tests.support.command_tree import SAMPLES
from tests.support.commandline import CommandLine
from tests.support.server import Server

TALK = SAMPLES["FILE|-"]


@pytest.fixture
def tenants(run: CommandLine) -> CommandLine:
    for name in ("tenant-4", "tenant-5", "other"):
        assert run(f"contexts create {name} --namespace n --database {name}").code == 0
    return run


LINES = [
    "contexts get tenant-55",
    "contexts update tenant-55 --token-limit 5",
    "contexts delete tenant-55 --yes",
    "contexts clone tenant-55 copy --namespace n --database copy --no-keys",
    "keys list -c tenant-55",
    "keys create agent -c tenant-55 --secret-file agent.key",
    "keys delete agent -c tenant-55 --yes",
    "ontology get -c tenant-55",
    "ontology delete -c tenant-55 --yes",
    "lifecycle decay tenant-55 --yes",
    "lifecycle reindex tenant-55",
    "lifecycle jobs list -c tenant-55",
    "lifecycle expire tenant-55 --dry-run",
    "lifecycle fsck tenant-55",
    "sessions list -c tenant-55",
    "sessions create -c tenant-55",
    f"sessions import {TALK} -c tenant-55",
    "sessions transcript 01JZZZZZZZZZZZZZZZZZZZZZZZ -c tenant-55",
    "api GET /contexts/tenant-55",
]


@pytest.mark.parametrize("line", LINES)
def test_a_context_that_does_not_exist_is_named_with_the_near_one(
    tenants: CommandLine, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tenants.home)
    error = tenants(f"{line} -o json").error
    assert (error["kind"], error["exit_code"]) == ("not_found", 5)
    assert error["message"].startswith("context tenant-55 does not exist (")
    assert error["candidates"][0] == "tenant-5"
    people = tenants(line).err
    meaning, near, http = (
        people.index(text) for text in ("does not exist", "Did you mean tenant-5", "(40")
    )
    assert meaning < near < http


def test_a_server_that_tells_nothing_near_changes_nothing(tenants: CommandLine) -> None:
    refused = tenants("contexts get tenant-55 --api-key mgmt-wrong -o json").error
    assert (refused["kind"], refused["candidates"]) == ("auth", [])


def open_sessions(acme: CommandLine, count: int) -> list[str]:
    ids = [acme("sessions create -o name").out.strip() for _ in range(count)]
    for each in ids:
        acme(f"sessions import {TALK} --session {each}")
    return ids


SESSION_LINES = [
    "sessions get ID",
    "sessions transcript ID",
    "sessions transcript ID --output-file FILE",
    "sessions transcript ID --output-dir DIR --format json",
    "sessions context ID plants",
    f"sessions import {TALK} --session ID",
    "sessions delete ID --yes",
]


@pytest.mark.parametrize("line", SESSION_LINES)
def test_a_session_is_named_without_its_prefix_or_by_its_beginning(
    acme: CommandLine, line: str
) -> None:
    (whole,) = open_sessions(acme, 1)
    bare = whole.removeprefix("session:")
    for number, word in enumerate((bare, bare.lower(), bare[:20], f"session:{bare[:20]}")):
        if "delete" in line and number:
            (whole,) = open_sessions(acme, 1)
            bare = whole.removeprefix("session:")
            word = (bare, bare, bare[:20], f"session:{bare[:20]}")[number]
        folder = acme.home / str(number)
        folder.mkdir()
        words = line.replace("ID", word).replace("FILE", f"{folder}/f").replace("DIR", str(folder))
        result = acme(words)
        assert result.code == 0, result.err
    if "import" in line:
        assert len(acme("sessions list -o json").json) == 1


def test_a_whole_id_takes_no_list(acme: CommandLine, server: Server) -> None:
    (whole,) = open_sessions(acme, 1)
    server.asked()
    acme(f"sessions context {whole.removeprefix('session:')} plants")
    assert server.asked() == [f"POST /api/v1/acme-prod/sessions/{whole}/context"]


def test_a_beginning_that_several_share_lists_them(acme: CommandLine, server: Server) -> None:
    ids = open_sessions(acme, 2)
    shared = ids[0].removeprefix("session:")[:4]
    for line in ("sessions get", "sessions transcript", "sessions delete --yes"):
        server.asked()
        error = acme(f"{line} {shared} -o json").error
        assert (error["kind"], error["candidates"]) == ("conflict", ids)
        assert not [each for each in server.asked() if each.startswith("DELETE")]


@pytest.mark.parametrize("line", SESSION_LINES[:2] + SESSION_LINES[-1:])
def test_a_session_that_is_not_there_is_named_with_near_ones(acme: CommandLine, line: str) -> None:
    (whole,) = open_sessions(acme, 1)
    wrong = whole[:-1] + ("0" if whole[-1] != "0" else "1")
    error = acme(f"{line.replace('ID', wrong)} -o json").error
    assert (error["exit_code"], error["candidates"]) == (5, [whole])
    assert acme(f"{line.replace('ID', whole[:11])}").code == 5  # too short to mean one


def test_the_beginning_is_looked_for_on_every_page(acme: CommandLine) -> None:
    first = acme("sessions create -o name").out.strip()
    body = json.dumps({})
    for _ in range(101):
        assert acme(f"api POST /{{context}}/sessions --data '{body}' --yes").code == 0
    last = acme("sessions list -o name").out.split()[-1]
    for each in (first, last):
        found = acme(f"sessions get {each.removeprefix('session:')[:18]} -o json")
        assert found.json["id"] == each


@pytest.mark.worker
def test_a_job_is_named_in_the_same_ways(acme: CommandLine) -> None:
    whole = acme("lifecycle reindex -o name").out.strip()
    bare = whole.removeprefix("job_")
    for word in (whole, bare, bare[:12], f"job_{bare[:12]}"):
        for verb in ("get", "watch"):
            assert acme(f"lifecycle jobs {verb} {word} -o name").out.strip() == whole
    wrong = whole[:-1] + ("0" if whole[-1] != "0" else "1")
    assert acme(f"lifecycle jobs get {wrong} -o json").error["candidates"] == [whole]
    acme("lifecycle reindex")
    several = acme(f"lifecycle jobs get {bare[:4]} -o json").error
    assert (several["kind"], whole in several["candidates"]) == ("conflict", True)


def test_a_key_is_named_in_the_same_ways(acme: CommandLine) -> None:
    for name in ("agent", "cake"):
        acme(f"keys create {name} --secret-file {acme.home}/{name}")
    ids = {each["name"]: each["id"] for each in acme("keys list -o json").json}
    bare = ids["agent"].removeprefix("cak_")
    for word in ("agent", ids["agent"], bare, bare[:20], f"cak_{bare[:20]}"):
        assert acme(f"keys get {word} -o json").json["name"] == "agent"
    several = acme(f"keys delete {bare[:4]} --yes -o json").error
    assert several["kind"] == "conflict"
    assert [re.sub(" .*", "", each) for each in several["candidates"]] == list(ids.values())
    assert acme("keys get agnet -o json").error["candidates"] == ["agent"]
    assert acme(f"keys delete {bare[:20]} --yes").code == 0
    assert acme("keys list -o name").out.split() == ["cake"]


NAME = st.text(st.sampled_from("ab.=\"\\ '[]-"), max_size=6)


@settings(deadline=None)
@given(NAME, NAME)
def test_a_path_can_be_typed_as_it_is_shown(one: str, other: str) -> None:
    (path,) = flatten({one: {other: 1}})
    assert split_path(f"{path}=v=w", "--set") == ((one, other), "v=w")

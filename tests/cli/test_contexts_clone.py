"""`spectronctl contexts clone` against a real server in memory: what is copied, what never is, and interruptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.ground.times import parse_time
from spectronctl.models.keys import lend_name
from tests.support.commandline import SENTINEL, CommandLine, Result
from tests.support.faults import Fault, lose_answer, truncate_answer
from tests.support.server import Server

CLONE = "contexts clone acme-prod copy --namespace acme --database copy"
ONTOLOGY = "ontology add --entity-type Person --attribute Person=name --relation knows"


@pytest.fixture
def source(run: CommandLine, server: Server) -> CommandLine:
    """The command line, with a context that has a bit of everything; nothing asked of the server yet."""
    keys = run.home / "old"
    keys.mkdir()
    (run.home / "new").mkdir()
    config = "--token-limit 5 --set labels.team=search --model-response openai/gpt-4o"
    for line in (
        f"contexts create acme-prod --namespace acme --database prod {config} --provider openai=env:P",
        f"{ONTOLOGY} -c acme-prod",
        f"keys create app -c acme-prod --scope-floor org=acme --expires-in 90d --secret-file {keys}/app",
        f"keys create admin -c acme-prod --principal supervisor --secret-file {keys}/admin",
    ):
        assert run(line, env={"P": SENTINEL}).code == 0
    server.asked()
    return run


def clone(run: CommandLine, options: str = "", **settings: Any) -> Result:
    return run(f"{CLONE} --secret-file '{run.home}/new/{{name}}' {options}", **settings)


def find_writes(server: Server) -> list[str]:
    return [line for line in server.asked() if not line.startswith("GET")]


def read_state(run: CommandLine, context: str) -> dict[str, Any]:
    """What a clone has in common with its source."""
    keys = run(f"keys list -c {context} -o json").json
    config = run(f"contexts get {context} --query config -o json").json
    return {
        "config": {name: config[name] for name in config if name != "providers_configured"},
        "ontology": run(f"ontology get -c {context} -o json").json,
        "keys": {key["name"]: (key["principal"], key["scope_floor"]) for key in keys},
    }


def check_secrets(run: CommandLine) -> None:
    """The clone's keys work in the clone alone, and no other keys do there."""
    for name in ("app", "admin"):
        assert run(f"keys verify file:{run.home}/new/{name} -c copy").code == 0
        assert run(f"keys verify file:{run.home}/new/{name} -c acme-prod").code == 3
        assert run(f"keys verify file:{run.home}/old/{name} -c copy").code == 3


def test_a_clone_is_like_its_source_with_secrets_of_its_own(
    source: CommandLine, server: Server
) -> None:
    result = clone(source, "-o json")
    assert result.code == 0
    told = result.json
    assert (told["id"], told["outcome"], told["ontology"]) == ("copy", "new", "new")
    assert (told["context"]["namespace"], told["context"]["database"]) == ("acme", "copy")
    assert [(key["name"], key["outcome"]) for key in told["keys"]] == [
        ("app", "new"),
        ("admin", "new"),
    ]
    assert told["keys"][0]["places"] == [f"file {source.home}/new/app"]
    assert read_state(source, "copy") == read_state(source, "acme-prod")
    check_secrets(source)
    secrets = [path.read_text().strip() for path in (source.home / "new").iterdir()]
    assert not any(secret in result.out + result.err for secret in [*secrets, SENTINEL])
    assert len(find_writes(server)) == 4


def test_providers_secrets_are_given_again_or_named_with_the_command_that_sets_them(
    source: CommandLine, server: Server
) -> None:
    result = clone(source, "--dry-run -o json")
    assert result.json["providers_lacking"] == ["openai"]
    assert "spectronctl contexts update copy --provider openai=env:VAR" in result.err
    given = clone(source, "--provider openai=env:P -o json --debug", env={"P": SENTINEL})
    assert given.json["providers_lacking"] == []
    assert given.json["context"]["config"]["providers_configured"] == ["openai"]
    assert "contexts update" not in given.err
    assert SENTINEL not in given.out + given.err
    assert clone(source, "--provider openai=sk-literal").code == 2


def test_expired_keys_older_generations_and_lent_ones_are_left_out(source: CommandLine) -> None:
    for line in (
        f"keys rotate app --overlap 1h --yes --secret-file {source.home}/old/app --force",
        f"keys create {lend_name('app', '0123abcd')} --secret-file {source.home}/old/lent",
        f"keys create brief --expires-in 1s --secret-file {source.home}/old/brief",
    ):
        assert source(f"{line} -c acme-prod").code == 0
    while source("keys get brief -c acme-prod --query status").out == "active\n":
        pass
    assert clone(source).code == 0
    made = {key["name"]: key for key in source("keys list -c copy -o json").json}
    assert set(made) == {"admin", "app"}
    assert 89 < days_to_live(made["app"]) <= 90
    assert made["admin"]["expires_at"] is None


def days_to_live(key: dict[str, Any]) -> float:
    made, ends = parse_time(key["created_at"]), parse_time(key["expires_at"])
    assert made
    assert ends
    return (ends - made).total_seconds() / 86400


def test_parts_may_be_left_out(source: CommandLine, server: Server) -> None:
    result = source(f"{CLONE} --no-keys --no-ontology -o json")
    assert (result.code, result.json["ontology"], result.json["keys"]) == (0, None, [])
    assert find_writes(server) == ["POST /api/v1/contexts/copy"]
    assert source(f"{CLONE} --no-keys --if-exists skip -o name").out == "copy\n"
    assert find_writes(server) == ["PUT /api/v1/contexts/copy/ontology"]


def test_every_secret_has_a_place_before_anything_is_made(
    source: CommandLine, server: Server
) -> None:
    (source.home / "new/admin").write_text("mine")
    for options, says in (
        ("", "--secret-file 'keys/{name}.key'"),
        ("--reveal", "needs a place of its own"),
        (f"--secret-file {source.home}/new/one", "{name}"),
        (f"--secret-file '{source.home}/nowhere/{{name}}'", "nowhere"),
        (f"--secret-file '{source.home}/new/{{name}}'", "new/admin"),
        (f"--secret-file '{source.home}/new/{{id}}'", "{id}"),
    ):
        result = source(f"{CLONE} {options}")
        assert (result.code, result.out, find_writes(server)) == (2, "", []), options
        assert says in result.err
        assert [path.name for path in (source.home / "new").iterdir()] == ["admin"]
    assert clone(source, "--force").code == 0
    check_secrets(source)


def test_a_single_key_needs_no_name_in_its_place(source: CommandLine) -> None:
    source("keys delete admin -c acme-prod --yes")
    assert source(CLONE).code == 2
    assert source(f"{CLONE} --secret-file {source.home}/new/one").code == 0
    assert source(f"keys verify file:{source.home}/new/one -c copy").code == 0


def test_without_keys_no_place_is_needed(source: CommandLine) -> None:
    source("keys delete admin app -c acme-prod --yes")
    assert source(CLONE).code == 0


def test_a_dry_run_makes_nothing(source: CommandLine, server: Server) -> None:
    result = clone(source, "--dry-run")
    assert result.code == 0
    assert result.out.split("\n")[0].split() == [
        "PART",
        "NAME",
        "OUTCOME",
        "ID",
        "SCOPE_FLOOR",
        "PLACES",
    ]
    assert f"file {source.home}/new/app" in result.out
    assert find_writes(server) == []
    assert list((source.home / "new").iterdir()) == []
    assert clone(source, "--dry-run -o json").json["context"] is None


def test_a_dry_run_wants_no_places_and_checks_those_that_are_given(source: CommandLine) -> None:
    for options in ("", "--reveal"):
        result = source(f"{CLONE} --dry-run -o json {options}", terminal=True)
        assert (result.code, [key["places"] for key in result.json["keys"]]) == (0, [[], []])
    (source.home / "new/admin").write_text("mine")
    assert clone(source, "--dry-run").code == 2


def test_what_is_there_is_left_as_it_is(source: CommandLine, server: Server) -> None:
    assert clone(source).code == 0
    find_writes(server)
    refused = clone(source, "-o json")
    assert (refused.code, find_writes(server)) == (6, [])
    assert "--if-exists skip" in refused.error["hint"]

    again = clone(source, "--if-exists skip -o json")
    told = again.json
    assert (told["outcome"], told["ontology"], find_writes(server)) == ("same", "same", [])
    assert {key["outcome"] for key in told["keys"]} == {"same"}
    assert "spectronctl keys rotate KEY -c copy" in again.err

    source("contexts update copy --token-limit 6 --yes")
    source("ontology add --entity-type City -c copy")
    source("keys delete admin -c copy --yes")
    source(f"keys create admin -c copy --scope-floor org=x --secret-file {source.home}/x")
    find_writes(server)
    other = clone(source, "--if-exists skip -o json")
    told = other.json
    assert (told["outcome"], told["ontology"], find_writes(server)) == (
        "different",
        "different",
        [],
    )
    assert [key["outcome"] for key in told["keys"]] == ["same", "different"]
    assert other.err.count("warning: ") == 2


def test_a_target_that_is_bound_elsewhere_is_refused(source: CommandLine, server: Server) -> None:
    source("contexts create copy --namespace other --database copy")
    find_writes(server)
    refused = clone(source, "--if-exists skip")
    assert (refused.code, find_writes(server)) == (6, [])
    assert "is bound to other/copy, not acme/copy" in refused.err


def fail(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    return httpx.Response(403, json={"detail": "not now"}, request=request)


def interrupt(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    raise KeyboardInterrupt


def pass_on(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    return inner.handle_request(request)


WRITES = ("context copy", "the ontology", "key app", "key admin")


@pytest.mark.parametrize("number", range(4))
def test_a_failure_says_what_was_made_and_its_command_finishes_the_clone(
    number: int, source: CommandLine, server: Server
) -> None:
    server.faults += [*[pass_on] * number, fail]
    failed = clone(source, "-o json")
    error = json.loads(failed.err.splitlines()[-1])
    assert (failed.code, failed.out) == (4, "")
    if number == 0:
        assert (error["command"], clone(source).code) == (None, 0)
    else:
        made, missing = ", ".join(WRITES[:number]), ", ".join(WRITES[number:])
        assert f"Made: {made}. Not made: {missing}." in error["hint"]
        assert source(error["command"].removeprefix("spectronctl ")).code == 0
    assert read_state(source, "copy") == read_state(source, "acme-prod")
    check_secrets(source)


@pytest.mark.parametrize("fault", [lose_answer, truncate_answer])
def test_lost_answers_are_settled(fault: Fault, source: CommandLine, server: Server) -> None:
    server.faults += [fault, fault, fault, pass_on, fault]  # a key is rotated, its secret was lost
    assert clone(source).code == 0
    assert read_state(source, "copy") == read_state(source, "acme-prod")
    check_secrets(source)


def test_an_ontology_that_another_sets_meanwhile_is_not_replaced(
    source: CommandLine, server: Server
) -> None:
    theirs = {"entity_types": ["Theirs"], "attribute_keys": {}, "relation_labels": []}

    def set_theirs(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        url, headers = f"{request.url}/ontology", {"API-KEY": server.key}
        done = inner.handle_request(httpx.Request("PUT", url, headers=headers, json=theirs))
        assert done.status_code == 200
        return answer

    server.faults.append(set_theirs)
    refused = clone(source)
    assert (refused.code, refused.out) == (6, "")
    assert "Made: context copy. Not made: the ontology, key app, key admin." in refused.err
    assert source("ontology get -c copy -o json").json == theirs


def test_interrupted_it_says_how_to_go_on(source: CommandLine, server: Server) -> None:
    server.faults += [pass_on, pass_on, interrupt]
    result = clone(source, "--provider openai=env:P --no-ontology", env={"P": SENTINEL})
    server.faults.clear()
    assert (result.code, result.out) == (130, "")
    assert "Made: context copy, key app" in result.err
    command = result.err.partition("To continue: spectronctl ")[2].splitlines()[0]
    assert "--no-ontology" in command
    assert source(command, env={"P": SENTINEL}).code == 0
    check_secrets(source)


def interrupt_after(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    inner.handle_request(request).read()
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("faults", "code"),
    [([interrupt_after], 130), ([lose_answer, fail], 4), ([lose_answer, interrupt], 130)],
)
def test_a_key_whose_secret_never_came_is_not_left(
    faults: list[Fault], code: int, source: CommandLine, server: Server
) -> None:
    server.faults += [pass_on, pass_on, *faults]
    stopped = clone(source)
    assert (stopped.code, stopped.out) == (code, "")
    assert "Made: context copy, the ontology. Not made: key app, key admin." in stopped.err
    assert "may be there" not in stopped.err
    assert source("keys list -c copy -o name").out == ""
    assert clone(source, "--if-exists skip").code == 0
    check_secrets(source)


@pytest.mark.parametrize("sweep", [fail, interrupt])
@pytest.mark.parametrize("mint", [[interrupt_after], [lose_answer, fail]])
def test_a_key_that_is_left_without_a_holder_is_named_with_the_command_that_deletes_it(
    mint: list[Fault], sweep: Fault, source: CommandLine, server: Server
) -> None:
    server.faults += [pass_on, pass_on, *mint, sweep]
    stopped = clone(source)
    assert stopped.out == ""
    assert "Made: context copy, the ontology. Not made: key admin." in stopped.err
    assert "Key app may exist, and its secret is lost" in stopped.err
    command = stopped.err.partition("before you continue: spectronctl ")[2].splitlines()[0]
    assert command == "keys delete app -c copy --if-missing ok"
    assert source(f"{command} --yes").code == 0
    assert clone(source, "--if-exists skip").code == 0
    check_secrets(source)


def test_anothers_key_of_that_name_is_not_taken_for_a_lost_one(
    source: CommandLine, server: Server
) -> None:
    def come_first(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        theirs = httpx.Request(
            "POST", request.url, headers={"API-KEY": server.key}, json={"name": "app"}
        )
        assert inner.handle_request(theirs).status_code == 201
        return inner.handle_request(request)

    server.faults += [pass_on, pass_on, come_first]
    refused = clone(source)
    assert (refused.code, refused.out) == (6, "")
    assert source("keys list -c copy -o name").out == "app\n"


def test_a_secret_that_cannot_be_delivered_leaves_no_key_in_the_way(
    source: CommandLine, tmp_path: Path
) -> None:
    command = tmp_path / "deliver"
    command.write_text('#!/bin/sh\n[ "$SPECTRONCTL_KEY_NAME" = app ] && cat > "$1" || exit 1\n')
    command.chmod(0o755)
    line = f"{CLONE} --secret-command '{command} {source.home}/new/app'"
    failed = source(f"{line} -o json")
    error = json.loads(failed.err.splitlines()[-1])
    assert (failed.code, failed.out) == (1, "")
    assert "Made: context copy, the ontology, key app. Not made: key admin." in error["hint"]
    assert error["command"].endswith("--secret-command CMD --if-exists skip")
    assert source("keys list -c copy -o name").out == "app\n"
    assert clone(source, "--if-exists skip").code == 0
    check_secrets(source)


def test_what_was_delivered_somewhere_is_not_taken_back(
    source: CommandLine, server: Server
) -> None:
    blocked = source.home / "new/app"

    def block(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        blocked.write_text("another's")
        return inner.handle_request(request)

    server.faults += [pass_on, block]
    env_file = f"--secret-env-file '{source.home}/new/env-{{name}}:KEY'"
    failed = clone(source, f"{env_file} --no-ontology")
    assert failed.code != 0
    assert blocked.read_text() == "another's"
    assert source("keys list -c copy -o name").out == "app\n"
    assert source(f"keys verify env-file:{source.home}/new/env-app:KEY -c copy").code == 0
    assert "Made: context copy, key app. Not made: key admin." in failed.err
    told = "The secret of key app is in some of its places only"
    assert f"{told}; for a fresh one: spectronctl keys rotate app -c copy" in failed.err


def test_a_failed_delivery_whose_key_cannot_be_deleted_names_it(
    source: CommandLine, server: Server
) -> None:
    server.faults += [pass_on, pass_on, pass_on, fail]
    failed = source(f"{CLONE} --secret-command 'false {{name}}'")
    assert (failed.code, failed.out) == (1, "")
    assert "Key app may exist, and its secret is lost" in failed.err
    assert source("keys list -c copy -o name").out == "app\n"


def test_what_does_not_fit_is_refused_before_anything_is_sent(
    source: CommandLine, server: Server
) -> None:
    for line, says in (
        ("contexts clone acme-prod acme-prod --namespace a --database b", "itself"),
        ("contexts clone acme-prod Bad_Id --namespace a --database b", "Bad_Id"),
        (f"{CLONE} --secret-file -", "--secret-file"),
    ):
        result = source(line)
        assert (result.code, result.out, server.asked()) == (2, "", [])
        assert says in result.err
    assert source("contexts clone missing copy --namespace a --database b").code == 5

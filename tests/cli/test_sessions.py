"""`spectronctl sessions`: list, get, create, delete, context; which key they send, and what refusals say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.command_tree import SAMPLES
from tests.support.commandline import CommandLine
from tests.support.faults import Fault, lose_answer
from tests.support.server import Server

TALK = SAMPLES["FILE|-"]
WORDS = [json.loads(line) for line in Path(TALK).read_text("utf-8").splitlines()]
UNKNOWN = SAMPLES["SESSION"]


def test_a_session_shows_its_metadata_its_turns_and_both_ends(
    acme: CommandLine, session: str
) -> None:
    found = acme(f"sessions show {session} -o json").json
    assert (found["id"], found["turn_count"]) == (session, len(WORDS))
    assert found["first_turn"]["content"] == WORDS[0]["content"]
    assert found["last_turn"]["content"] == WORDS[-1]["content"]
    assert "created_at" in found


def test_a_created_session_has_what_it_was_given_and_no_turns(acme: CommandLine) -> None:
    made = acme(
        """sessions create --scope org/acme --scope org/emea --metadata '{"n": 1}' -o json"""
    )
    assert made.json["scopes"] == [["org/acme"], ["org/emea"]]
    found = acme(f"sessions get {made.json['id']} -o json").json
    assert (found["metadata"], found["turn_count"]) == ({"n": 1}, 0)
    assert (found["first_turn"], found["last_turn"]) == (None, None)
    assert "org/acme,org/emea" in acme("sessions list").out


def test_a_session_whose_answer_is_lost_is_made_once(acme: CommandLine, server: Server) -> None:
    server.faults.append(lose_answer)
    made = acme("sessions create -o name")
    assert made.code == 0
    assert acme("sessions list -o name").out == made.out


def test_a_list_goes_by_time_scope_and_limit(acme: CommandLine) -> None:
    first, second = (
        acme(f"sessions create --scope {scope} -o name").out.strip()
        for scope in ("org/acme/eu", "org/other")
    )
    assert acme("sessions list -o name").out.split() == [first, second]
    assert acme("sessions list -o name --since 7d").out.split() == [first, second]
    assert acme("sessions list -o name --until 1h").out == ""
    assert acme("sessions list -o name --since 2099-01-01").out == ""
    assert acme("sessions list -o name --scope org/acme").out.split() == [first]
    cut = acme("sessions list -o name --limit 1")
    assert cut.out.split() == [first]
    assert "There are more" in cut.err


def test_a_session_is_deleted_with_its_turns(acme: CommandLine, session: str) -> None:
    assert acme(f"sessions delete {session} --yes").err == f"Deleted {session}.\n"
    assert acme(f"sessions get {session}").code == 5
    gone = acme(f"sessions rm {session} --yes --if-missing ok -o json")
    assert (gone.code, gone.json) == (0, {"id": session, "deleted": False})


def test_what_of_several_fails_is_told_and_the_others_are_deleted(acme: CommandLine) -> None:
    first, second = (acme("sessions create -o name").out.strip() for _ in "ab")
    result = acme(f"sessions delete {first} {UNKNOWN} {second} --yes -o json")
    assert result.code == 1
    assert [(each["id"], each["deleted"]) for each in result.json] == [
        (first, True),
        (UNKNOWN, False),
        (second, True),
    ]
    assert [bool(each["error"]) for each in result.json] == [False, True, False]
    assert acme("sessions list -o name").out == ""


def test_a_session_answers_a_query_with_lines_of_text(acme: CommandLine, session: str) -> None:
    told = acme(f"sessions context {session} plants")
    assert "\\n" not in told.out
    assert "Water the plants on Friday" in told.out
    assert acme(f"sessions context {session} plants -o json").json["context"].strip() == (
        told.out.strip()
    )
    nothing = acme(f"sessions context {session} volcanoes")
    assert (nothing.code, nothing.out.strip()) == (0, "")
    assert "Nothing was found" in nothing.err


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("line", ["sessions list", "sessions transcript --all --output-dir ."])
def test_a_server_without_a_list_is_told_of(status: int, line: str, tmp_path: Path) -> None:
    absent = httpx.MockTransport(lambda request: httpx.Response(status, json={"message": "no"}))
    run = CommandLine(tmp_path, absent)
    told = run(f"{line} -c acme --api-key k -o json", env={"CI": "1"})
    assert (told.code, told.out) == (9, "")
    assert told.error["kind"] == "not_available"
    assert "does not list sessions" in told.error["message"]


def refuse(request: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={"detail": "no"})


@pytest.mark.parametrize("line", [f"sessions get {UNKNOWN}", f"sessions import {TALK}"])
def test_a_management_key_that_is_refused_says_how_to_give_the_contexts_own(
    line: str, tmp_path: Path
) -> None:
    run = CommandLine(tmp_path, httpx.MockTransport(refuse))
    env = {"CI": "1", "SPECTRON_MANAGEMENT_API_KEY": "mgmt-k"}
    told = run(f"{line} -c acme -o json", env=env)
    assert told.code == 3
    for way in ("SPECTRON_API_KEY", "context_keys.acme"):
        assert way in told.error["hint"]

    own = run(f"{line} -c acme -o json", env={**env, "SPECTRON_API_KEY": "sk-acme-k"})
    typed = run(f"{line} -c acme --api-key sk-acme-k -o json", env=env)
    for other in (own, typed):
        assert other.code == 3
        assert "context_keys" not in other.error["hint"]


def test_a_key_of_the_context_comes_before_the_management_key(
    acme: CommandLine, server: Server, session: str
) -> None:
    key = acme("keys create reader --scope-floor org=acme").out.strip()
    server.requests.clear()
    assert acme("sessions list", env={"SPECTRON_API_KEY": key}).code == 0
    assert {each.headers["Authorization"] for each in server.requests} == {f"Bearer {key}"}


def test_a_session_outside_of_the_keys_floor_is_not_there(acme: CommandLine) -> None:
    foreign = acme("sessions create --scope org/other -o name").out.strip()
    own = acme("sessions create --scope org/acme -o name").out.strip()
    env = {"SPECTRON_API_KEY": acme("keys create reader --scope-floor org=acme").out.strip()}
    assert acme("sessions list -o name", env=env).out.split() == [own]
    assert acme(f"sessions get {foreign}", env=env).code == 5
    assert acme(f"sessions transcript {foreign}", env=env).code == 5
    assert acme(f"sessions transcript {own}", env=env).code == 0


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("sessions list --since yesterday", "--since"),
        ("sessions list --since 1d --until 2d", "--until"),
        ("sessions list --until 99999999999999999999d", "--until"),
        ("sessions list --since 0001-01-01T00:00:00+23:00", "--since"),
        ("sessions create --metadata '{'", "--metadata"),
        (f"sessions context {UNKNOWN} ' '", "QUERY"),
        (f"sessions delete {UNKNOWN} --confirm other", "--confirm"),
        ("sessions list --sort speed", "--sort"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(
    line: str, names: str, unanswered: CommandLine
) -> None:
    told = unanswered(f"{line} -o json")
    assert (told.code, told.out) == (2, "")
    assert names in told.error["message"]


READS = ["sessions list", "sessions get SESSION", "sessions context SESSION plants"]


@pytest.mark.parametrize("line", [*READS, "sessions transcript SESSION"])
@pytest.mark.parametrize("shape", ["json", "jsonl", "csv"])
def test_what_scripts_read_is_the_same_bytes_everywhere(
    line: str, shape: str, acme: CommandLine, session: str
) -> None:
    line = f"{line.replace('SESSION', session)} -o {shape}"
    plain = acme(line)
    assert (plain.code, plain.err) == (0, "")
    envs: list[dict[str, str]] = [{"CI": "1"}, {"COLUMNS": "20"}, {"FORCE_COLOR": "1"}]
    for env in envs:
        assert acme(line, env=env).out == plain.out
        assert acme(line, env=env, terminal=True).out == plain.out


def test_help_reaches_for_no_library_of_the_work(run_alone: CommandLine) -> None:
    import subprocess
    import sys

    code = "import sys; from spectronctl.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    for line in ("sessions --help", "sessions transcript --help", "sessions import --help"):
        done = subprocess.run(
            [sys.executable, "-c", code, *line.split()],
            capture_output=True,
            text=True,
            env={"HOME": str(run_alone.home)},
            check=True,
        )
        loaded = set(done.stderr.split())
        assert "typer" in loaded
        assert loaded.isdisjoint({"httpx", "rich", "asyncio", "yaml", "fastapi", "surrealdb"})


def test_the_layers_that_may_not_share_a_list_agree_on_it() -> None:
    from spectronctl.cli.commands.sessions import _format, _options
    from spectronctl.ground.vocabulary import ROLES
    from spectronctl.output.transcripts import FORMATS

    assert tuple(_format.Format) == FORMATS == tuple(_format.SUFFIXES)
    assert tuple(_options.Role) == ROLES


def test_a_lost_answer_of_a_second_try_is_an_error(acme: CommandLine, server: Server) -> None:
    faults: list[Fault] = [lose_answer, lose_answer]
    server.faults += faults
    told: Any = acme("sessions create -o json")
    assert (told.code, told.error["kind"]) == (9, "network")

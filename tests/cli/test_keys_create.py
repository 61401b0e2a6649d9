"""`spectronctl keys create`: what is refused before anything is sent, and creation that may be repeated."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from tests.support.commandline import CommandLine
from tests.support.server import Server

FLOOR = "--scope-floor org=acme"


def works(run: CommandLine, secret: str) -> bool:
    return run("keys verify -", stdin=secret).code == 0


@pytest.mark.parametrize(
    ("text", "floor"),
    [
        ("org=acme", {"org": "acme"}),
        ("org=acme, agent = planner", {"org": "acme", "agent": "planner"}),
        ("org=a=b", {"org": "a=b"}),
        ('{"org": "acme"}', {"org": "acme"}),
        ('["org/acme", "org/other"]', ["org/acme", "org/other"]),
        ('"org/acme"', "org/acme"),
    ],
)
def test_a_scope_floor_is_pairs_or_json(acme: CommandLine, text: str, floor: object) -> None:
    made = acme(f"keys create app --scope-floor '{text}' -o json")
    assert made.code == 0, made.err
    assert made.json["scope_floor"] == floor


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--scope-floor org", "neither JSON nor pairs"),
        ("--scope-floor org/acme", "neither JSON nor pairs"),
        ("--scope-floor ''", "neither JSON nor pairs"),
        ("--scope-floor org=,agent=x", "neither JSON nor pairs"),
        ("--scope-floor '{broken'", "not JSON"),
        ("--scope-floor '[\"org/acme\"'", "not JSON"),
        ("--scope-floor 5", "bounds nothing"),
        ("--scope-floor null", "bounds nothing"),
        ("--scope-floor '{}'", "bounds nothing"),
        ("--scope-floor org=acme,org=other", "names org twice"),
        ('--scope-floor \'{"org": "a", "org": "b"}\'', 'an object has the name "org" twice'),
        (f"--scope-floor {'[' * 20_000}", "nested too deeply"),
        ("--principal boss", "'boss'"),
        ("--principal management", "'management'"),
        ("--expires-at tomorrow", "--expires-at 'tomorrow'"),
        ("--expires-at 2099-01-01", "RFC 3339"),
        ("--expires-at 2099-01-01T00:00:00", "RFC 3339"),
        ("--expires-at 2099-02-30T00:00:00Z", "RFC 3339"),
        ("--expires-at ''", "RFC 3339"),
        ("--expires-in soon", "--expires-in: 'soon'"),
        ("--expires-in 0s", "--expires-in"),
        ("--expires-in -5d", "--expires-in"),
        ("--expires-in 1h --expires-at 2099-01-01T00:00:00Z", "cannot be used together"),
        ("--if-exists maybe", "'maybe'"),
        ("--if-exists skip --secret-env-file nonsense", "--secret-env-file"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(
    acme: CommandLine, server: Server, options: str, says: str
) -> None:
    server.asked()
    result = acme(f"keys create app {options}")
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert says in result.err


@pytest.mark.parametrize("time", ["2099-01-01T00:00:00Z", "2099-01-01t02:00:00.000+02:00"])
def test_an_expiry_is_the_time_that_was_named(acme: CommandLine, time: str) -> None:
    made = acme(f"keys create app --expires-at {time} -o json").json
    assert made["expires_at"].startswith("2099-01-01T00:00:00")


# --if-exists


def test_a_creation_may_be_repeated_and_keeps_its_shape(acme: CommandLine, server: Server) -> None:
    line = f"keys create app {FLOOR} --if-exists skip -o json"
    made, again = acme(line), acme(line)
    assert (made.code, again.code) == (0, 0)
    assert set(made.json) == set(again.json)
    assert again.json == {**made.json, "secret": None}
    assert "already exists" in again.err
    assert "--if-exists rotate" in again.err
    assert works(acme, made.json["secret"])
    assert len(acme("keys list -o json").json) == 1


@pytest.mark.parametrize("shape", ["table", "wide", "name"])
def test_nothing_is_printed_where_a_secret_would_be(acme: CommandLine, shape: str) -> None:
    acme("keys create app")
    result = acme(f"keys create app --if-exists skip -o {shape}")
    assert (result.code, result.out) == (0, "")


def test_a_skipped_creation_says_that_a_place_lacks_the_secret(
    acme: CommandLine, tmp_path: Path
) -> None:
    old = acme("keys create app").out.strip()
    assert acme("keys rotate app --yes").code == 0
    (tmp_path / "stale").write_text(old)
    acme.env["PATH"] = os.environ["PATH"]
    for place in (
        f"--secret-file {tmp_path}/none",
        f"--secret-env-file {tmp_path}/.env:KEY",
        f"--secret-file {tmp_path}/stale",
        f"--secret-command 'tee {tmp_path}/piped' --secret-file {tmp_path}/other",
    ):
        before = sorted(os.listdir(tmp_path))
        result = acme(f"keys create app --if-exists skip {place} -o json")
        assert (result.code, result.out) == (6, "")
        assert "--if-exists rotate" in result.error["hint"]
        assert sorted(os.listdir(tmp_path)) == before
        rotated = acme(f"keys create app --if-exists rotate --yes {place}")
        assert rotated.code == 0, rotated.err
        assert acme(f"keys create app --if-exists skip {place}").code == 0


def test_a_skipped_creation_takes_what_can_be_no_key_for_no_secret(
    acme: CommandLine, tmp_path: Path
) -> None:
    acme("keys create app --reveal")
    held = tmp_path / "held.key"
    held.write_text("two\nlines\n")
    result = acme(f"keys create app --if-exists skip --secret-file {held} -o json")
    assert (result.code, result.error["kind"]) == (6, "conflict")
    assert "--if-exists rotate" in result.error["hint"]


def test_a_skipped_creation_says_that_its_command_was_not_run(
    acme: CommandLine, tmp_path: Path
) -> None:
    acme.env["PATH"] = os.environ["PATH"]
    line = f"keys create app --if-exists skip --secret-command 'tee {tmp_path}/got'"
    assert acme(line).code == 0
    (tmp_path / "got").unlink()
    again = acme(line)
    assert again.code == 0
    assert "it was not run; --if-exists rotate" in again.err
    assert not (tmp_path / "got").exists()


def test_a_skipped_creation_writes_to_no_place(acme: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    line = f"keys create app --if-exists skip --secret-file {path} -o json"
    made = acme(line)
    held = path.read_text()
    before = path.stat()

    again = acme(line)

    assert (again.code, again.json) == (0, made.json)
    assert "secret" not in again.json
    assert (path.read_text(), path.stat().st_ino) == (held, before.st_ino)
    assert works(acme, held)


def test_the_newest_generation_stands_for_the_name(acme: CommandLine) -> None:
    acme("keys create app --scope-floor org=other")
    acme(f"keys create app.g2 {FLOOR}")
    assert acme(f"keys create app {FLOOR} --if-exists skip -o json").json["name"] == "app.g2"
    assert acme(f"keys create app.g3 {FLOOR} --if-exists skip -o json").json["secret"]


@pytest.mark.parametrize("if_exists", ["skip", "rotate"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--principal supervisor --scope-floor org=acme", 'principal is "agent", not "supervisor"'),
        ("--scope-floor org=other", 'scope_floor is {"org": "acme"}, not {"org": "other"}'),
        ("", 'scope_floor is {"org": "acme"}, not null'),
    ],
)
def test_a_key_that_differs_is_a_conflict_that_says_how(
    acme: CommandLine, server: Server, options: str, says: str, if_exists: str
) -> None:
    secret = acme(f"keys create app {FLOOR}").out
    server.asked()
    result = acme(f"keys create app {options} --if-exists {if_exists} --yes -o json")
    assert (result.code, result.out) == (6, "")
    assert says in result.error["message"]
    assert all(line.startswith("GET") for line in server.asked())
    assert works(acme, secret)


def test_a_key_that_has_expired_is_not_what_was_wanted(acme: CommandLine) -> None:
    acme("keys create app --expires-in 1s")
    while acme("keys get app -o json").json["status"] == "active":
        pass
    result = acme("keys create app --if-exists skip")
    assert (result.code, result.out) == (6, "")
    assert "expired at" in result.err


def test_an_existing_key_may_be_given_a_fresh_secret(acme: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    line = f"keys create app {FLOOR} --if-exists rotate --yes --secret-file {path} -o json"
    made = acme(line)
    old = path.read_text()

    again = acme(line)

    assert (made.code, again.code) == (0, 0), again.err
    assert set(again.json) == set(made.json)
    assert again.json["id"] == made.json["id"]
    assert not works(acme, old)
    assert works(acme, path.read_text())
    printed = acme(f"keys create app {FLOOR} --if-exists rotate --yes -o json").json
    assert set(printed) == {*made.json, "secret"}
    assert works(acme, printed["secret"])


def test_a_fresh_secret_wants_consent(acme: CommandLine, server: Server) -> None:
    secret = acme("keys create app").out
    server.asked()
    line = "keys create app --if-exists rotate"
    assert acme(line).code == 2
    assert server.asked() == []

    declined = acme(f"{line} --reveal", stdin="n\n", terminal=True)
    assert (declined.code, declined.out) == (1, "")
    assert "Nothing was rotated." in declined.err
    assert {request.split()[0] for request in server.asked()} == {"GET"}
    assert works(acme, secret)

    agreed = acme(f"{line} --reveal", stdin="y\n", terminal=True)
    assert works(acme, agreed.out)


def test_a_protected_profile_wants_the_name_for_a_fresh_secret(acme: CommandLine) -> None:
    acme("keys create app")
    acme("profiles add prod --protected --url http://spectron.test")
    line, env = "keys create app --if-exists rotate --profile prod", {"SPECTRON_URL": ""}
    assert acme(f"{line} --yes", env=env).code == 2
    assert acme(f"{line} --confirm acme-prod", env=env).code == 0


def test_a_terminal_is_no_obstacle_to_what_is_there(acme: CommandLine) -> None:
    acme("keys create app")
    assert acme("keys create app --if-exists skip", terminal=True).code == 0


def test_a_lost_answer_is_not_mistaken_for_another_generation(
    acme: CommandLine, server: Server
) -> None:
    from tests.support.faults import lose_request

    secret = acme("keys create app.g2").out
    server.faults.append(lose_request)
    error = acme("keys create app --recover -o json").error
    assert "may still come; it is safe to run this again" in error["hint"]
    assert works(acme, secret)


def test_an_orphan_that_cannot_be_recovered_is_named(acme: CommandLine, server: Server) -> None:
    from tests.support.faults import lose_answer

    def refuse(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        return httpx.Response(403, json={"detail": "no"}, request=request)

    server.faults += [lose_answer, refuse]
    error = acme("keys create app --recover -o json").error
    (orphan,) = acme("keys list -o json").json
    assert (error["exit_code"], error["candidates"]) == (4, [orphan["id"]])
    assert error["command"] == f"spectronctl keys rotate {orphan['id']} -c acme-prod"

"""`spectronctl keys` and `whoami` against a real server in memory."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.faults import Fault, lose_answer, lose_request, truncate_answer
from tests.support.server import Server

KEYS = "/api/v1/contexts/acme-prod/keys"


@pytest.fixture
def run(run: CommandLine) -> CommandLine:
    """The command line, with a context to work in."""
    assert run("contexts create acme-prod --namespace acme --database prod").code == 0
    run.env["SPECTRON_CONTEXT_ID"] = "acme-prod"
    return run


def works(run: CommandLine, secret: str) -> bool:
    """Whether the server takes this secret for the context's."""
    code = run("whoami --api-key-file -", stdin=secret).code
    assert code in {0, 3}
    return code == 0


def test_create_prints_the_bare_secret_where_no_terminal_shows_it(run: CommandLine) -> None:
    result = run("keys create app")
    assert result.out.startswith("sk-acme-prod-")
    assert len(result.out.split()) == 1
    assert works(run, result.out)


def test_create_as_json_carries_every_field(run: CommandLine) -> None:
    key = run("keys create app --principal supervisor --scope-floor org=acme,team=x -o json").json
    assert key["id"].startswith("cak_")
    assert key["secret"].startswith("sk-acme-prod-")
    assert (key["name"], key["principal"]) == ("app", "supervisor")
    assert key["scope_floor"] == {"org": "acme", "team": "x"}


def test_a_terminal_shows_a_secret_only_when_told(run: CommandLine, server: Server) -> None:
    server.asked()
    refused = run("keys create app", terminal=True)
    assert (refused.code, refused.out, server.asked()) == (2, "", [])
    assert "--reveal" in refused.err
    assert "--secret-file" in refused.err
    assert run("keys create app --reveal", terminal=True).out.startswith("sk-acme-prod-")


def test_a_secret_file_is_private_and_the_only_place(run: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    result = run(f"keys create app --secret-file {path} -o json")

    secret = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret.endswith("\n")
    assert works(run, secret)
    assert "secret" not in result.json
    assert secret.strip() not in result.out + result.err


@pytest.mark.parametrize("taken", ["file", "directory", "missing parent"])
def test_a_secret_file_that_cannot_be_written_stops_before_the_request(
    run: CommandLine, server: Server, tmp_path: Path, taken: str
) -> None:
    path = tmp_path / "secret"
    if taken == "file":
        path.write_text("precious")
    elif taken == "directory":
        path.mkdir()
    else:
        path = tmp_path / "nowhere" / "secret"
    server.asked()

    assert run(f"keys create app --secret-file {path}").code == 2
    assert server.asked() == []
    if taken == "file":
        assert path.read_text() == "precious"
        assert run(f"keys create app --secret-file {path} --force").code == 0
        assert works(run, path.read_text())


def test_a_failed_creation_leaves_no_file(run: CommandLine, tmp_path: Path) -> None:
    run("keys create app")
    before = sorted(tmp_path.iterdir())
    assert run(f"keys create app --secret-file {tmp_path}/secret -o json").code == 6
    assert sorted(tmp_path.iterdir()) == before


DISK_FULL = """
import resource, sys
from spectronctl.output.sinks import open_sink, read_file
sink = open_sink(read_file(sys.argv[1]), replace=False, env={})
if sys.argv[2] == "after":
    sink.reserve()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    if sys.argv[2] == "before":
        sink.reserve()
    sink.commit("sk-sentinel")
except Exception as exc:
    print(type(exc).__name__, exc)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, moment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(tmp_path / "secret"), moment],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith("ConfigError")
    assert "sk-sentinel" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_keys_are_found_by_name_and_id_on_any_page(run: CommandLine, server: Server) -> None:
    ids = {name: run(f"keys create {name} -o json").json["id"] for name in ("app", "batch", "ci")}

    assert run("keys get batch -o json").json["id"] == ids["batch"]
    assert run(f"keys get {ids['ci']} -o json").json["name"] == "ci"
    assert run("keys list -o name").out.split() == ["app", "batch", "ci"]
    assert "secret" not in run("keys list -o json").out

    unknown = run("keys get btach -o json")
    assert (unknown.code, unknown.error["candidates"]) == (5, ["batch"])


def test_rotate_kills_the_old_secret_and_gives_a_new_one(run: CommandLine, tmp_path: Path) -> None:
    old = run("keys create app").out
    result = run(f"keys rotate app --yes --secret-file {tmp_path}/new -o json")

    assert result.json["name"] == "app"
    assert not works(run, old)
    assert works(run, (tmp_path / "new").read_text())


@pytest.mark.parametrize("verb", ["rotate", "delete"])
def test_rotate_and_delete_ask_first(run: CommandLine, server: Server, verb: str) -> None:
    secret = run("keys create app").out
    server.asked()
    assert run(f"keys {verb} app").code == 2
    assert server.asked() == []

    reveal = "--reveal" if verb == "rotate" else ""
    declined = run(f"keys {verb} app {reveal}", stdin="n\n", terminal=True)
    assert (declined.code, declined.out) == (1, "")
    assert "Nothing was" in declined.err
    assert {line.split()[0] for line in server.asked()} == {"GET"}
    assert works(run, secret)


def test_delete_revokes_at_once(run: CommandLine) -> None:
    secret = run("keys create app").out
    assert run("keys delete app --yes -o json").json["deleted"] is True
    assert not works(run, secret)
    assert run("keys delete app --yes").code == 5
    assert run("keys delete app --yes --if-missing ok -o json").json["deleted"] is False


def test_expiry_is_set_and_enforced(run: CommandLine) -> None:
    key = run("keys create app --expires-in 2h -o json").json
    assert key["expires_at"] > key["created_at"]
    exact = run("keys create other --expires-at 2099-01-01T00:00:00Z -o json").json
    assert exact["expires_at"].startswith("2099-01-01T00:00:00")


def test_a_taken_name_is_a_conflict(run: CommandLine) -> None:
    run("keys create app")
    assert run("keys create app -o json").error["kind"] == "conflict"


def test_no_context_is_told_how_to_choose_one(run: CommandLine) -> None:
    result = run("keys list", env={"SPECTRON_CONTEXT_ID": ""})
    assert result.code == 2
    assert "SPECTRON_CONTEXT_ID" in result.err


def test_an_unknown_context_is_not_found(run: CommandLine) -> None:
    assert run("keys list -c missing").code == 5


@pytest.mark.parametrize("fault", [lose_answer, truncate_answer])
def test_a_lost_mint_names_the_orphan(run: CommandLine, server: Server, fault: Fault) -> None:
    server.asked()
    server.faults.append(fault)
    error = run("keys create app -o json").error

    assert error["exit_code"] == 9
    (orphan,) = run("keys list -o json").json
    assert error["candidates"] == [orphan["id"]]
    assert error["command"] == f"spectronctl keys rotate {orphan['id']} -c acme-prod"
    assert server.asked().count(f"POST {KEYS}") == 1


def test_recover_rotates_the_orphan_to_a_secret_that_works(
    run: CommandLine, server: Server
) -> None:
    server.faults.append(lose_answer)
    result = run("keys create app --recover")
    assert result.code == 0
    assert works(run, result.out)
    assert len(run("keys list -o json").json) == 1


def test_recover_never_touches_a_key_that_was_there(run: CommandLine, server: Server) -> None:
    secret = run("keys create app").out
    server.faults.append(lose_answer)  # what is lost is a 409
    assert run("keys create app --recover").code == 9
    assert works(run, secret)


def test_a_mint_that_never_arrived_may_be_repeated(run: CommandLine, server: Server) -> None:
    server.faults.append(lose_request)
    assert (
        "may still come; it is safe to run this again"
        in run("keys create app -o json").error["hint"]
    )


def test_a_lost_rotation_is_gone_on_with(run: CommandLine, server: Server) -> None:
    run("keys create app")
    server.faults.append(lose_answer)
    lost = run("keys rotate app --yes -o json").error
    assert "the new one is lost" in lost["hint"]
    resumed = run(lost["command"].removeprefix("spectronctl "))
    assert works(run, resumed.out)


def test_a_lost_rotation_may_recover_by_itself(run: CommandLine, server: Server) -> None:
    run("keys create app")
    server.faults.append(lose_answer)
    recovered = run("keys rotate app --yes --recover")
    assert works(run, recovered.out)


def test_a_protected_profile_wants_the_contexts_name(run: CommandLine) -> None:
    run("keys create app")
    run("profiles add prod --protected --url http://spectron.test")
    env = {"SPECTRON_URL": ""}
    assert run("keys delete app --profile prod --yes", env=env).code == 2
    assert run("keys delete app --profile prod --confirm app", env=env).code == 2
    assert run("keys delete app --profile prod --confirm acme-prod", env=env).code == 0


def test_whoami_prefers_the_contexts_own_key(run: CommandLine, tmp_path: Path) -> None:
    assert run("whoami -o json").json["kind"] == "service"
    secret = run("keys create app --scope-floor org=acme").out
    who = run("whoami -o json", env={"SPECTRON_API_KEY": secret}).json
    assert (who["kind"], who["display_name"]) == ("agent", "app")

    (tmp_path / "secret").write_text(secret)
    run("profiles add mine --url http://spectron.test")
    run(f"profiles set mine context_keys.acme-prod.api_key_file {tmp_path}/secret")
    kept = run("whoami --profile mine -o json", env={"SPECTRON_URL": ""})
    assert kept.json["display_name"] == "app"


def test_a_key_of_another_context_is_not_told_apart_from_a_bad_one(run: CommandLine) -> None:
    run("contexts create other --namespace acme --database other")
    secret = run("keys create app").out
    messages = set()
    for context, key in (
        ("other", secret),
        ("missing", secret),
        ("acme-prod", "sk-acme-prod-wrong"),
    ):
        error = run(f"whoami -c {context} --api-key-file - -o json", stdin=key).error
        assert error["exit_code"] == 3
        messages.add(error["message"].replace(context, "CONTEXT"))
    assert len(messages) == 1


@pytest.mark.parametrize("key", ["two\nlines", "", "bell\a", "ünïcode"])
def test_a_key_that_is_none_is_refused_unseen(run: CommandLine, server: Server, key: str) -> None:
    server.asked()
    result = run("keys list --api-key-file -", stdin=key)
    assert (result.code, result.out, server.asked()) == (11, "", [])
    assert not key or key.strip() not in result.err

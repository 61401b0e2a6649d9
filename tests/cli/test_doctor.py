"""`spectronctl doctor` on this machine: config, settings, keys, the local store, disks; and the bundle."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections import Counter, namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spectronctl.cli.commands.doctor._report import draw_report
from spectronctl.cli.commands.doctor._setup import Setup
from spectronctl.cli.runtime import Runtime
from spectronctl.ground.installing import find_install_command
from spectronctl.operations.diagnosis import Subject
from tests.server.store.test_lock import another_holder
from tests.support.commandline import SENTINEL, CommandLine, Result
from tests.support.diagnoses import find, first_failure, statuses
from tests.support.journals import make_due
from tests.support.sockets import listen

pytestmark = pytest.mark.usefixtures("no_proxies")

KEYS = {"check", "status", "detail", "hint", "command", "exit_code", "seconds", "facts"}
ORDER = [
    "config",
    "settings",
    "keys",
    "store",
    "proxy",
    "dns",
    "tcp",
    "tls",
    "protocol",
    "health",
    "clock",
    "auth_header",
    "management_key",
    "schema",
    "context",
    "capabilities",
    "disk",
    "rotations",
]


def write_config(run: CommandLine, text: str, mode: int = 0o600) -> Path:
    path = run.home / ".config/spectronctl/config.toml"
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    path.write_text(text)
    path.chmod(mode)
    return path


def doctor(run: CommandLine, options: str = "", **env: str) -> Result:
    return run(f"doctor -o json {options}", env=env)


# The shape of the answer


def test_the_answer_has_every_check_and_every_key_whatever_is_wrong(
    run: CommandLine, run_alone: CommandLine
) -> None:
    for result in (doctor(run), doctor(run_alone, "--profile missing")):
        assert result.json.keys() == {"status", "exit_code", "checks"}
        assert [check["check"] for check in result.json["checks"]] == ORDER
        assert all(check.keys() == KEYS for check in result.json["checks"])
        assert result.json["exit_code"] == result.code


def test_people_get_a_table_and_programs_rows(run: CommandLine) -> None:
    table = run("doctor").out.splitlines()
    assert table[0].split() == ["CHECK", "STATUS", "DETAIL"]  # and COMMAND, where there is one
    assert [line.split()[0] for line in table[1:]] == ORDER
    assert run("doctor -o name").out.split() == ORDER
    assert run("doctor -o csv").out.startswith("check,status,detail,command,hint,exit_code,seconds")
    query = "checks[?status=='failed'].check"
    assert run(f'doctor --query "{query}" -o json').json == []
    assert run("status -o name").out.split() == ORDER


LEVELS = {"failed": "1;31", "warning": "33", "ok": "32", "skipped": "2"}


def test_a_person_sees_levels_hints_and_a_count_in_80_columns(run: CommandLine) -> None:
    told = run("doctor --color always", env={"SPECTRON_MANAGEMENT_API_KEY": ""}, terminal=True)
    *lines, blank, count = told.out.splitlines()
    assert blank == ""
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    checks = [line.split()[:2] for line in plain if not line.startswith(" ")]
    assert [check for _, check in checks] == ORDER
    for (level, _), line in zip(checks, (each for each in lines if each[0] != " "), strict=True):
        assert line.startswith(f"\x1b[{LEVELS[level]}m{level}")
    texts = [line.strip() for line in plain]
    assert "Give one with --api-key-file PATH," in " ".join(texts)
    breakable = [line for line in plain if max(map(len, line.split())) < 50 and "try:" not in line]
    assert all(len(line) <= 80 for line in breakable)
    found = Counter(level for level, _ in checks)
    for level, number in found.items():
        assert f"{number} {level}" in count


def test_a_command_to_try_is_in_one_piece(acme: CommandLine) -> None:
    report = {
        "checks": [
            {
                "check": "a",
                "status": "failed",
                "detail": "x",
                "hint": "y " * 90,
                "command": "spectronctl " * 20,
            },
        ]
    }
    lines = list(draw_report(report, 80, color=False))
    assert any(("try: " + "spectronctl " * 20).strip() in line for line in lines)
    assert lines[-1] == "\n1 failed\n"


def test_a_failure_has_its_table_on_stdout_and_its_reason_on_stderr(run: CommandLine) -> None:
    result = run("doctor", env={"SPECTRON_MANAGEMENT_API_KEY": "", "CI": "1"})
    assert result.code == 3
    assert len(result.out.splitlines()) == len(ORDER) + 1
    assert result.err.startswith("error: no key to send\n")


def test_a_bad_word_on_the_command_line_is_no_diagnosis(run: CommandLine) -> None:
    for line in ("doctor --timeout soon", "doctor --columns nope", "doctor -o json --query ["):
        result = run(line)
        assert (result.code, result.out) == (2, "")


# The config file


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("[profiles.a]\nurl = ", 0o600, "not TOML"),
        ("version = 9\n", 0o600, "has version 9"),
        (f'[profiles.a]\napi_key = "{SENTINEL}"\n', 0o644, "others can read it"),
        ("[profiles.a]\nretries = 'x'\n", 0o600, "profiles.a.retries"),
    ],
    ids=["toml", "version", "shared secret", "field"],
)
def test_a_config_that_cannot_be_used(text: str, mode: int, words: str, run: CommandLine) -> None:
    write_config(run, text, mode)
    result = doctor(run)
    row = first_failure(result)
    assert (result.code, row["check"]) == (11, "config")
    assert words in row["detail"]
    assert SENTINEL not in result.out + result.err
    others = statuses(result)
    assert (others["settings"], others["health"], others["disk"]) == ("skipped", "skipped", "ok")
    if mode == 0o644:
        assert row["command"].startswith("chmod 600 ")


def test_a_config_that_is_open_to_others_is_a_warning_with_its_way_out(run: CommandLine) -> None:
    path = write_config(run, "[profiles.a]\nurl = 'http://spectron.test'\n", 0o640)
    for target in (path, path.parent):
        row = find(doctor(run), "config")
        assert row["status"] == "warning"
        assert row["detail"].startswith(f"{target} is open to others")
        subprocess.run(row["command"], shell=True, check=True)
        path.parent.chmod(0o755) if target == path else None
    result = doctor(run)
    assert (result.code, find(result, "config")["status"]) == (0, "ok")
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (
        0o600,
        0o700,
    )


@pytest.fixture
def chosen(run: CommandLine) -> Path:
    """The directory of a config file that a variable names."""
    directory = run.home / "chosen"
    directory.mkdir()
    path = directory / "x.toml"
    path.write_text("[profiles.a]\nurl = 'http://spectron.test'\n")
    path.chmod(0o600)
    run.env["SPECTRONCTL_CONFIG"] = str(path)
    return directory


def test_a_chosen_directory_that_others_may_write_in_is_no_place_for_a_config(
    chosen: Path, run: CommandLine
) -> None:
    chosen.chmod(0o775)
    row = find(doctor(run), "config")
    assert (row["status"], row["command"]) == ("warning", None)
    assert row["detail"] == f"{chosen} is open to others (mode 0775)"
    assert "move it to a directory of your own" in row["hint"]


@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_a_chosen_directory_may_be_one_where_others_have_their_files(
    mode: int, chosen: Path, run: CommandLine
) -> None:
    chosen.chmod(mode)
    assert find(doctor(run), "config")["status"] == "ok"


def test_a_directory_of_another_is_left_alone(
    chosen: Path, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen.chmod(0o775)
    monkeypatch.setattr(os, "geteuid", lambda: chosen.stat().st_uid + 1)
    assert find(doctor(run), "config")["status"] == "ok"


# The settings


def test_each_setting_is_told_with_the_layer_that_won(run: CommandLine) -> None:
    write_config(run, "[profiles.a]\nurl = 'http://spectron.test'\ncontext = 'acme'\n")
    facts = find(doctor(run, "--profile a"), "settings")["facts"]
    assert facts["timeout"] == {"value": 30.0, "source": "default"}
    facts = find(doctor(run, "--profile a --timeout 5s"), "settings")["facts"]
    assert facts["url"] == {"value": "http://spectron.test", "source": "SPECTRON_URL"}
    assert facts["context"] == {"value": "acme", "source": "profile a"}
    assert facts["timeout"] == {"value": 5.0, "source": "--timeout"}


def test_a_variable_that_overrides_a_chosen_profile_is_a_warning(run: CommandLine) -> None:
    write_config(run, "[profiles.a]\nurl = 'http://other.test'\n")
    row = find(doctor(run, "--profile a"), "settings")
    assert row["status"] == "warning"
    assert "SPECTRON_URL overrides the url of profile a" in row["detail"]


@pytest.mark.parametrize(
    ("env", "code", "words"),
    [
        ({"SPECTRONCTL_PROFILE": "prd"}, 11, "no profile prd"),
        ({"SPECTRONCTL_TIMEOUT": "soon"}, 2, "SPECTRONCTL_TIMEOUT"),
        ({"SPECTRON_URL": f"https://ada:{SENTINEL}@x.test"}, 2, "SPECTRON_URL"),
    ],
    ids=["profile", "timeout", "url"],
)
def test_settings_that_cannot_be_read(
    env: dict[str, str], code: int, words: str, run: CommandLine
) -> None:
    write_config(run, "[profiles.prod]\nurl = 'http://spectron.test'\n")
    result = doctor(run, **env)
    row = first_failure(result)
    assert (result.code, row["check"]) == (code, "settings")
    assert words in row["detail"]
    assert SENTINEL not in result.out + result.err
    assert find(result, "config")["status"] == "ok"


def test_the_format_that_the_environment_names_survives_a_broken_config(run: CommandLine) -> None:
    write_config(run, "version = 9\n")
    result = run("doctor", env={"SPECTRONCTL_OUTPUT": "json"})
    assert result.json["exit_code"] == result.error["exit_code"] == 11


def test_an_output_format_that_there_is_not_is_told_in_a_table(run: CommandLine) -> None:
    result = run("doctor", env={"SPECTRONCTL_OUTPUT": "xml"})
    assert (result.code, result.out.split()[:2]) == (2, ["CHECK", "STATUS"])
    assert "SPECTRONCTL_OUTPUT" in result.err


# The keys


@pytest.mark.parametrize(
    ("field", "timeout", "words"),
    [
        ("api_key_file = '/nowhere/key'", 20, "/nowhere/key cannot be read"),
        (f"api_key_command = ['sh', '-c', 'echo {SENTINEL}; exit 3']", 20, "failed with exit code"),
        (f"api_key_command = ['sh', '-c', 'echo {SENTINEL}; sleep 60']", 1, "no key within 1 s"),
        ("api_key_env = 'NOT_SET'", 20, "NOT_SET is not set"),
    ],
    ids=["file", "command", "hanging command", "variable"],
)
def test_a_key_that_cannot_be_read(field: str, timeout: int, words: str, run: CommandLine) -> None:
    write_config(run, f"[profiles.a]\nurl = 'http://spectron.test'\n{field}\n")
    started = time.monotonic()
    result = doctor(run, f"--profile a --timeout {timeout}s", SPECTRON_MANAGEMENT_API_KEY="")
    row = first_failure(result)
    assert (result.code, row["check"]) == (11, "keys")
    assert words in row["detail"]
    assert "profile a" in row["detail"]
    assert SENTINEL not in result.out + result.err
    assert time.monotonic() - started < 10
    assert find(result, "health")["status"] == "ok"


def test_a_key_of_another_server_is_not_sent(run: CommandLine) -> None:
    write_config(run, "[profiles.a]\nurl = 'http://other.test'\napi_key = 'mgmt-x'\n")
    result = doctor(run, "--profile a", SPECTRON_MANAGEMENT_API_KEY="")
    assert (result.code, first_failure(result)["check"]) == (3, "keys")
    assert "belongs to http://other.test:80" in result.error["message"]


def test_keys_are_told_by_digest_and_source(run: CommandLine) -> None:
    key = run.env["SPECTRON_MANAGEMENT_API_KEY"]
    result = doctor(run, "-c acme", SPECTRON_API_KEY=f"sk-acme-{SENTINEL}")
    facts = find(result, "keys")["facts"]
    assert facts["management_key"]["source"] == "SPECTRON_MANAGEMENT_API_KEY"
    assert facts["context_key"]["source"] == "SPECTRON_API_KEY"
    assert all(each["digest"].startswith("sha256:") for each in facts.values())
    assert key not in result.out + result.err
    assert SENTINEL not in result.out + result.err


def test_a_key_that_others_can_see_is_a_warning(run: CommandLine) -> None:
    key = run.env["SPECTRON_MANAGEMENT_API_KEY"]
    row = find(doctor(run, f"--api-key {key}"), "keys")
    assert (row["status"], "`ps`" in row["detail"]) == ("warning", True)
    assert find(doctor(run, f"--api-key {key}", CI="1"), "keys")["status"] == "ok"


# The local store


@pytest.fixture
def local(run_alone: CommandLine) -> CommandLine:
    run_alone.env["SPECTRONCTL_PROFILE"] = "local"
    return run_alone


def test_the_local_server_is_examined_without_a_network(local: CommandLine) -> None:
    assert local("contexts create acme --namespace acme --database prod").code == 0
    result = doctor(local, "-c acme")
    assert (result.code, result.err) == (0, "")
    found = statuses(result)
    assert {found[name] for name in ("proxy", "dns", "tcp", "tls", "protocol", "clock")} == {
        "skipped"
    }
    assert {found[name] for name in ("store", "health", "management_key", "schema", "context")} == {
        "ok"
    }
    assert find(result, "store")["detail"].endswith(".local/share/spectronctl/local")
    assert find(result, "schema")["facts"]["contexts"] == 1


def test_a_store_that_another_process_holds(local: CommandLine) -> None:
    store = local.home / "store"
    store.mkdir()
    started = time.monotonic()
    with another_holder(f"surrealkv://{store}", "http://127.0.0.1:4711") as process:
        result = doctor(local, SPECTRONCTL_LOCAL_STORE=str(store))
    row = first_failure(result)
    assert (result.code, row["check"]) == (11, "store")
    assert f"spectronctl serve (pid {process.pid})" in row["detail"]
    assert "use --url http://127.0.0.1:4711" in row["hint"]
    assert find(result, "health")["detail"] == "needs store, which failed"
    assert time.monotonic() - started < 5


def test_a_held_store_is_no_failure_where_another_server_is_meant(run: CommandLine) -> None:
    store = run.home / "store"
    store.mkdir()
    with another_holder(f"surrealkv://{store}"):
        result = doctor(run, SPECTRONCTL_LOCAL_STORE=str(store))
    assert result.code == 0
    assert find(result, "store")["facts"]["held"] is True


def test_a_look_makes_no_store(run: CommandLine) -> None:
    assert doctor(run).code == 0
    assert not (run.home / ".local").exists()


@pytest.mark.parametrize("url", ["surrealkv://", "ftp://x", f"ws://ada:{SENTINEL}@x"])
def test_a_store_url_that_cannot_be(url: str, local: CommandLine) -> None:
    result = doctor(local, SPECTRONCTL_LOCAL_STORE=url)
    assert (result.code, first_failure(result)["check"]) == (11, "store")
    assert SENTINEL not in result.out + result.err


def test_a_store_that_is_not_ours(local: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from spectronctl.server.store import holding as lock

    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda path, mode: False)
        result = doctor(local)
        assert "no right to write" in first_failure(result)["detail"]
        assert result.code == 11

    def refuse(url: str) -> None:
        raise PermissionError(13, "Permission denied", url)

    monkeypatch.setattr(lock, "find_holder", refuse)
    result = doctor(local)
    assert (result.code, first_failure(result)["check"]) == (11, "store")
    assert "cannot be looked at: Permission denied" in result.error["message"]


def test_the_extra_that_is_missing_is_named(
    local: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spectronctl.cli import embedded

    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    row = first_failure(doctor(local))
    assert (row["check"], row["command"]) == ("store", find_install_command())


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("free", "code", "status"),
    [(1 << 40, 0, "ok"), (500 << 20, 0, "warning"), (1 << 20, 11, "failed")],
)
def test_room_on_the_disk(
    free: int, code: int, status: str, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 41, 0, free))
    result = doctor(run)
    assert (result.code, find(result, "disk")["status"]) == (code, status)
    assert {place["free_bytes"] for place in find(result, "disk")["facts"]["places"]} == {free}


def test_a_rotation_that_is_not_over_is_told_with_what_finishes_it(acme: CommandLine) -> None:
    acme(f"keys create agent --secret-file {acme.home}/secret")
    options = f"--overlap 1h --yes --force --secret-file {acme.home}/secret"
    assert acme(f"keys rotate agent {options}").code == 0
    assert find(doctor(acme), "rotations")["detail"] == "1 under way, none due"
    make_due(acme.home / ".local/state/spectronctl/rotations")
    row = find(doctor(acme), "rotations")
    assert (row["status"], row["detail"]) == ("warning", "not finished: agent")
    assert acme(row["command"].removeprefix("spectronctl ")).code == 0
    row = find(doctor(acme), "rotations")
    assert (row["status"], row["detail"]) == ("ok", "none")


def test_a_rotation_of_another_server_is_named_with_it_and_is_no_warning_here(
    acme: CommandLine,
) -> None:
    acme(f"keys create agent --secret-file {acme.home}/secret")
    options = f"--overlap 1s --drain 0s --yes --force --secret-file {acme.home}/secret"
    assert acme(f"keys rotate agent {options}").code == 0
    time.sleep(1.1)
    (path,) = (acme.home / ".local/state/spectronctl/rotations").glob("*.json")
    rotation = json.loads(path.read_text())
    for name, url in (("b", "http://b.test/x y"), ("c", "surrealkv:///tmp/c")):
        other = rotation | {"id": f"{rotation['id']}{name}", "name": name, "url": url}
        path.with_name(f"{name}.{other['id']}.json").write_text(json.dumps(other))
    elsewhere = (
        "of other servers: b (--url 'http://b.test/x y'),"
        " c (SPECTRONCTL_LOCAL_STORE=surrealkv:///tmp/c, --profile local)"
    )
    row = find(doctor(acme, "--url http://spectron.test"), "rotations")
    assert row["detail"] == f"not finished: agent; {elsewhere}"
    assert row["command"] == "spectronctl keys rotations resume --url http://spectron.test"
    assert acme(row["command"].removeprefix("spectronctl ")).code == 0
    row = find(doctor(acme), "rotations")
    assert (row["status"], row["command"]) == ("ok", None)
    assert row["detail"] == f"none; {elsewhere}"
    assert (row["facts"]["due"], len(row["facts"]["elsewhere"])) == ([], 2)


def test_a_damaged_journal_is_told(run: CommandLine) -> None:
    journal = run.home / ".local/state/spectronctl/rotations"
    journal.mkdir(parents=True)
    (journal / "claim.rot_x.json").write_text("{")
    row = find(doctor(run), "rotations")
    assert (row["status"], "is damaged" in row["detail"]) == ("warning", True)


# The bundle

HIDING = f"""
profile = "prod"
# the old one was {SENTINEL}-comment
[profiles.prod]
url = "http://spectron.test/mgmt-{SENTINEL}-url"
api_key = "mgmt-{SENTINEL}-api-key"
proxy = "http://ada:{SENTINEL}-proxy@proxy.test:3128"
password = "{SENTINEL}-unknown"
tokens = ["{SENTINEL}-list", {{ token = "{SENTINEL}-inner" }}]
[profiles.prod.context_keys.acme]
api_key = "sk-acme-{SENTINEL}-context"
[profiles.other]
url = "http://other.test"
api_key_command = ["vault", "read", "--token={SENTINEL}-command"]
[extra]
secret = "{SENTINEL}-table"
"""


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def bundle(run: CommandLine, options: str = "", **env: str) -> tuple[Result, dict[str, Any], str]:
    path = run.home / "report.json"
    result = run(f"doctor --bundle {path} --force {options}", env=env)
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return result, json.loads(text), text


def test_the_bundle_holds_what_an_issue_needs_and_no_secret(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(run, HIDING)
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:{SENTINEL}-env@proxy.test")
    del run.env["SPECTRON_URL"]
    run.env["SPECTRON_MANAGEMENT_API_KEY"] = f"mgmt-{SENTINEL}-env-key"
    hidden = {
        "SPECTRON_API_KEY": f"sk-acme-{SENTINEL}-env-context",
        "SPECTRONCTL_STORE_PASSWORD": f"{SENTINEL}-store",
        "HTTPS_PROXY": f"http://ada:{SENTINEL}-env@proxy.test",
        "SPECTRON_SERVER": f"https://x.test/?key={SENTINEL}-query",
        "SPECTRONCTL_LOCAL_STORE": f"ws://ada:{SENTINEL}-userinfo@x.test",
        "EDITOR": f"vi --token {SENTINEL}-editor",
        "CI": "1",
    }
    with umask(0):
        result, document, text = bundle(run, "-c acme", **hidden)
    assert SENTINEL not in text
    assert SENTINEL not in result.out + result.err
    assert str(run.home) not in text
    assert document["config"]["profiles"]["prod"]["context_keys"]["acme"]["api_key"].startswith(
        "sha256:"
    )
    assert document["config"]["profiles"]["prod"]["proxy"] == "http://***@proxy.test:3128"
    assert document["config"]["profiles"]["prod"]["password"] == "[hidden]"
    assert document["config"]["profiles"]["other"]["api_key_command"] == "[hidden]"
    assert document["environment"]["CI"] == "1"
    assert document["environment"]["SPECTRON_API_KEY"] is None
    assert [check["check"] for check in document["diagnosis"]["checks"]] == ORDER
    assert document["dependencies"]["httpx"].startswith("0.28")
    assert {"spectronctl", "python", "platform", "openssl", "settings"} <= document.keys()


def test_what_a_key_command_prints_is_in_no_bundle(run: CommandLine) -> None:
    write_config(
        run,
        "profile = 'a'\n[profiles.a]\nurl = 'http://spectron.test'\n"
        f"api_key_command = ['sh', '-c', 'echo {SENTINEL}-printed']\n",
    )
    run.env["SPECTRON_MANAGEMENT_API_KEY"] = ""
    result, document, text = bundle(run)
    assert result.code == 3  # the server does not know it
    assert document["diagnosis"]["exit_code"] == 3
    assert SENTINEL not in text + result.out + result.err


def test_a_bundle_replaces_nothing_unasked(run: CommandLine) -> None:
    path = run.home / "report.json"
    path.write_text("mine")
    result = run(f"doctor --bundle {path}")
    assert (result.code, result.out, path.read_text()) == (2, "", "mine")
    assert "--force" in result.err
    assert run(f"doctor --bundle {path} --force").code == 0
    assert json.loads(path.read_text())["diagnosis"]["status"]


@pytest.mark.parametrize("place", ["nowhere/report.json", "."])
def test_a_bundle_goes_to_no_place_that_cannot_be_meant(place: str, run: CommandLine) -> None:
    result = run(f"doctor --bundle {run.home}/{place}")
    assert (result.code, result.out) == (2, "")


def test_a_bundle_is_written_although_everything_fails(run_alone: CommandLine) -> None:
    write_config(run_alone, f"[profiles.a\n{SENTINEL}")
    result, document, text = bundle(run_alone)
    assert (result.code, document["diagnosis"]["exit_code"], document["config"]) == (11, 11, None)
    assert SENTINEL not in text


# Nothing hangs


def test_a_resolver_that_never_answers_does_not_hang(
    run_alone: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60))
    started = time.monotonic()
    result = doctor(run_alone, "--url http://spectron.test --timeout 1s")
    over.set()
    assert time.monotonic() - started < 30
    assert find(result, "dns")["detail"] == "no result within 1 s"


@pytest.mark.parametrize(("options", "seconds"), [({}, 10), ({"timeout": "45s"}, 45)])
def test_no_one_waits_for_a_check_as_long_as_for_the_work_unless_told(
    options: dict[str, str], seconds: float, tmp_path: Path
) -> None:
    runtime = Runtime(env={"HOME": str(tmp_path)})
    runtime.flags = options
    assert Setup(runtime, Subject()).limit == seconds


def test_an_interrupt_ends_it(run_alone: CommandLine) -> None:
    import signal

    accepted = threading.Event()
    with listen(lambda connection: accepted.set()) as port:
        process = subprocess.Popen(
            [sys.executable, "-m", "spectronctl", "doctor", "--url", f"http://127.0.0.1:{port}"],
            env={"HOME": str(run_alone.home), "SPECTRON_MANAGEMENT_API_KEY": "mgmt-x"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert accepted.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")

"""`spectronctl profiles`, and where a value comes from."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commandline import SENTINEL, CommandLine

ADD = "profiles add prod --url https://spectron.example.com -c acme-prod"


def config_file(run: CommandLine) -> Path:
    return Path(run("profiles path").out.strip())


def test_a_profile_lives_from_add_to_remove(run_alone: CommandLine) -> None:
    run = run_alone
    assert run(f"{ADD} --api-key-env PROD_KEY --protected --timeout 5s").code == 0
    assert stat.S_IMODE(config_file(run).stat().st_mode) == 0o600
    assert stat.S_IMODE(config_file(run).parent.stat().st_mode) == 0o700

    (row, local) = run("profiles list -o json").json
    assert local["name"] == "local"
    assert row == {
        "name": "prod",
        "default": False,
        "url": "https://spectron.example.com",
        "context": "acme-prod",
        "key": "api_key_env",
        "protected": True,
        "auth_header": None,
        "ca_file": None,
        "timeout": 5.0,
        "retries": None,
    }

    assert run("profiles use prod").code == 0
    assert run("profiles set prod context other").code == 0
    assert run("profiles unset prod timeout").code == 0
    changed = run("profiles list -o json").json[0]
    assert (changed["default"], changed["context"], changed["timeout"]) == (True, "other", None)

    assert run("profiles remove prod").code == 0
    assert run("profiles list -o name").out == "local\n"


def test_show_tells_which_layer_won_and_never_the_key(run_alone: CommandLine) -> None:
    run = run_alone
    run(f"{ADD} --api-key-env PROD_KEY")
    result = run(
        "profiles show prod -o json --retries 1",
        env={"SPECTRON_CONTEXT_ID": "from-env", "PROD_KEY": SENTINEL},
    )
    rows = {row["setting"]: (row["value"], row["source"]) for row in result.json}

    assert rows["url"] == ("https://spectron.example.com", "profile prod")
    assert rows["context"] == ("from-env", "SPECTRON_CONTEXT_ID")
    assert rows["retries"] == (1, "--retries")
    assert rows["timeout"] == (30.0, "default")
    assert rows["management_key"][0].startswith("sha256:")
    assert "PROD_KEY" in str(rows["management_key"][1]) or "prod" in rows["management_key"][1]
    assert SENTINEL not in result.out + result.err


def test_show_tells_what_is_wrong_with_a_key(run_alone: CommandLine) -> None:
    run_alone(f"{ADD} --api-key-env PROD_KEY")
    result = run_alone("profiles show prod")
    assert result.code == 0
    assert "unusable" in result.out
    assert "PROD_KEY" in result.out


def test_a_key_from_stdin_is_kept_in_the_private_file(run_alone: CommandLine) -> None:
    result = run_alone(f"{ADD} --api-key-file -", stdin=f"{SENTINEL}\n")
    assert SENTINEL in config_file(run_alone).read_text()
    assert SENTINEL not in result.out + result.err

    config_file(run_alone).chmod(0o644)
    refused = run_alone("contexts list --profile prod")
    assert refused.code == 11
    assert "chmod 600" in refused.err
    assert SENTINEL not in refused.err


def test_a_key_is_never_taken_from_the_command_line_by_set(run_alone: CommandLine) -> None:
    run_alone(ADD)
    refused = run_alone(f"profiles set prod api_key {SENTINEL}")
    assert refused.code == 2
    assert SENTINEL not in refused.err
    assert run_alone("profiles set prod api_key -", stdin=SENTINEL).code == 0
    assert SENTINEL in config_file(run_alone).read_text()


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("profiles add local --url http://x.test", 2, "local"),
        ("profiles add 'a b' --url http://x.test", 2, "a b"),
        ("profiles add bare", 2, "--url"),
        ("profiles add p --url ftp://x.test", 2, "http"),
        ("profiles add p --url http://user:pw@x.test", 2, "url"),
        ("profiles add p --url http://x.test --auth-header cookie", 2, "bearer"),
        ("profiles add p --url http://x.test --api-key-env A --api-key-command b", 2, "keep one"),
        ("profiles set prod colour red", 2, "colour"),
        ("profiles set prod retries many", 2, "many"),
        ("profiles use prd", 11, "prod"),
        ("profiles remove prd", 11, "prod"),
        ("contexts list --profile prd", 11, "prod"),
        (ADD, 11, "exists"),
    ],
)
def test_bad_profiles(run_alone: CommandLine, line: str, code: int, says: str) -> None:
    run_alone(ADD)
    before = config_file(run_alone).read_text()
    result = run_alone(line)
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert config_file(run_alone).read_text() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = 1\n[profiles.a\n", "line 2"),
        ("version = 2\n", "upgrade"),
        ("[profiles.a]\nurl = 5\n", "profiles.a.url"),
        ("[profiles.a]\nurl = 'http://a.test'\napi_key = 'x'\napi_key_env = 'Y'\n", "api_key"),
    ],
)
def test_a_broken_config_file_is_named_and_left_alone(
    run_alone: CommandLine, text: str, says: str
) -> None:
    path = config_file(run_alone)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o600)
    for line in ("contexts list", "profiles list", "profiles add b --url http://b.test"):
        result = run_alone(line)
        assert (result.code, result.out) == (11, "")
        assert says in result.err
        assert str(path) in result.err
    assert path.read_text() == text


def test_comments_and_unknown_fields_survive_a_write(run_alone: CommandLine) -> None:
    run_alone(ADD)
    path = config_file(run_alone)
    path.write_text("# mine\n" + path.read_text() + 'future = "kept"\n')
    run_alone("profiles set prod context other")
    assert "# mine" in path.read_text()
    assert 'future = "kept"' in path.read_text()


def test_twenty_processes_add_twenty_profiles(tmp_path: Path) -> None:
    command = str(Path(sys.executable).with_name("spectronctl"))
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    running = [
        subprocess.Popen(
            [command, "profiles", "add", f"p{number}", "--url", "http://x.test", "-q"],
            env=env,
            stdout=subprocess.DEVNULL,
        )
        for number in range(20)
    ]
    assert {process.wait(timeout=100) for process in running} == {0}
    listed = subprocess.run(
        [command, "profiles", "list", "-o", "name"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(listed.stdout.split()) == {*(f"p{number}" for number in range(20)), "local"}


def test_a_profiles_key_is_not_sent_to_another_server(run: CommandLine) -> None:
    run(f"{ADD} --api-key-env PROD_KEY")
    env = {"PROD_KEY": SENTINEL, "SPECTRON_URL": "", "SPECTRON_MANAGEMENT_API_KEY": ""}
    result = run("contexts list --profile prod --url http://spectron.test -o json", env=env)
    assert result.code == 3
    assert "belongs to" in result.error["message"]


def test_an_api_key_on_the_command_line_is_warned_of(run: CommandLine) -> None:
    line = f"contexts list -o name --api-key {run.env['SPECTRON_MANAGEMENT_API_KEY']}"
    assert "can be seen in `ps`" in run(line).err
    assert run(line, env={"CI": "true"}).err == ""


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"SPECTRONCTL_RETRIES": "x"}, "SPECTRONCTL_RETRIES"),
        ({"SPECTRONCTL_OUTPUT": "xml"}, "SPECTRONCTL_OUTPUT"),
        ({"SPECTRON_URL": "nonsense"}, "SPECTRON_URL"),
        ({"SPECTRONCTL_TIMEOUT": "0"}, "SPECTRONCTL_TIMEOUT"),
    ],
)
def test_a_bad_variable_is_named(run_alone: CommandLine, env: dict[str, str], says: str) -> None:
    result = run_alone("contexts list", env=env)
    assert (result.code, result.out) == (2, "")
    assert says in result.err


def test_timeout_zero_is_refused(run_alone: CommandLine) -> None:
    result = run_alone("contexts list --timeout 0")
    assert result.code == 2
    assert "--timeout" in result.err


def test_a_field_that_no_profile_has_is_told_at_every_run(acme: CommandLine) -> None:
    path = acme.home / ".config/spectronctl/config.toml"
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o700)
    path.write_text('[profiles.p]\nurl = "http://spectron.test"\ncolour = "red"\n')
    path.chmod(0o600)
    for line in ("contexts list", "profiles list", "profiles set p timeout 3s"):
        result = acme(line)
        assert result.code == 0
        assert "ignored, as spectronctl has no such field: profiles.p.colour" in result.err, line
    assert 'colour = "red"' in path.read_text()
    (check,) = (one for one in acme("doctor -o json").json["checks"] if one["check"] == "config")
    assert (check["status"], "profiles.p.colour" in check["detail"]) == ("warning", True)


def test_a_misspelled_protected_protects_until_it_is_corrected(acme: CommandLine) -> None:
    path = acme.home / ".config/spectronctl/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('profile = "p"\n[profiles.p]\nurl = "http://spectron.test"\nprotectd = true\n')
    path.chmod(0o600)
    error = acme("contexts delete acme-prod --yes -o json").error
    assert (error["exit_code"], error["candidates"]) == (11, ["protected"])
    path.unlink()
    assert acme("contexts get acme-prod").code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_root_keeps_in_a_users_home_stays_the_users(acme: CommandLine) -> None:
    for each in (acme.home, *acme.home.rglob("*")):
        os.chown(each, 1234, 5678)
    assert acme("profiles add t --url http://spectron.test").code == 0
    path = acme.home / ".config/spectronctl/config.toml"
    path.chmod(0o640)
    assert acme("profiles set t timeout 20s").code == 0
    key = acme.home / "k.key"
    assert acme(f"keys create app --secret-file {key}").code == 0
    assert acme(f"keys rotate app --overlap 1h --secret-file {key} --yes").code == 0
    assert acme("contexts list").code == 0
    kept = [
        each for top in (".config", ".cache", ".local") for each in (acme.home / top).rglob("*")
    ]
    assert {"config.toml", "config.toml.lock", "rotations", "contexts"} <= {e.name for e in kept}
    assert {(each.stat().st_uid, each.stat().st_gid) for each in kept} == {(1234, 5678)}
    assert path.stat().st_mode & 0o777 == 0o640


def test_without_a_home_everything_works_that_keeps_nothing(
    acme: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", refuse)
    env = {"HOME": ""}
    key = tmp_path / "app.key"
    for line in (
        *("contexts list", "contexts get acme-prod", "profiles list", "profiles show", "whoami"),
        *(f"keys create app --secret-file {key}", "keys list", "sessions list"),
        *(f"keys verify file:{key}", "doctor"),
    ):
        assert acme(line, env=env).code == 0, line
    for line in (
        *("profiles add p --url http://x", "profiles path", "keys rotations list", "keys orphans"),
        *(f"keys rotate app --yes --secret-file {key}",),
    ):
        result = acme(f"{line} -o json", env=env)
        assert (result.code, result.error["kind"]) == (11, "config"), line
        assert "SPECTRONCTL_HOME" in result.error["hint"], line
    assert acme(f"keys verify file:{key}", env=env).code == 0


def test_a_path_that_is_not_utf8_is_refused_by_its_field(run_alone: CommandLine) -> None:
    assert run_alone(ADD).code == 0
    for field in ("api_key_file", "ca_file", "context", "api_key_command"):
        error = run_alone(f"profiles set prod {field} /k/\udce9 -o json").error
        assert (error["exit_code"], error["kind"]) == (2, "usage")
        assert error["message"].startswith(f"{field}: the value is not UTF-8")


def write_config(run: CommandLine, text: str) -> Path:
    path = run.home / ".config/spectronctl/config.toml"
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(text)
    path.chmod(0o600)
    return path


RENAMED = """# all of ours
profile = "prod"

[profiles.dev]
url = "http://dev.test"

# the big one
[profiles.prod]  # careful
url = "http://prod.test"

[profiles.prod.context_keys.prod]
api_key_env = "K"

[profiles.last]
"""


def test_a_renamed_profile_keeps_its_place_its_comments_and_that_it_is_the_default(
    run_alone: CommandLine,
) -> None:
    path = write_config(run_alone, RENAMED)
    assert run_alone("profiles rename prod live -o name").out == "live\n"
    expected = RENAMED.replace("profiles.prod", "profiles.live").replace('"prod"', '"live"')
    assert path.read_text() == expected
    assert run_alone("profiles current -o name").out == "live\n"
    assert run_alone("profiles rename live a.b").code == 0
    assert run_alone("profiles rename a.b prod").code == 0
    assert path.read_text() == RENAMED


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("rename prod dev", 11),
        ("rename nothing new", 11),
        ("rename local new", 2),
        ("rename prod local", 2),
        ("rename prod 'a b'", 2),
    ],
)
def test_a_profile_is_renamed_to_a_free_name_only(
    run_alone: CommandLine, line: str, code: int
) -> None:
    path = write_config(run_alone, RENAMED)
    assert run_alone(f"profiles {line}").code == code
    assert path.read_text() == RENAMED


def test_one_profile_is_shown_as_the_file_has_it(run_alone: CommandLine) -> None:
    write_config(run_alone, RENAMED)
    row = run_alone("profiles get prod -o json", env={"SPECTRON_URL": "http://other"}).json
    assert (row["name"], row["url"], row["default"]) == ("prod", "http://prod.test", True)
    assert row["context_keys"] == {"prod": "profile prod, context_keys.prod.api_key_env"}
    assert run_alone("profiles get prdo -o json").error["candidates"] == ["prod"]


def test_the_profile_in_use_is_told_with_what_chose_it(run_alone: CommandLine) -> None:
    error = run_alone("profiles current -o json").error
    assert (error["exit_code"], error["message"]) == (11, "no profile is used")
    write_config(run_alone, RENAMED)
    shown = {
        "": ("prod", "config file"),
        "--profile dev": ("dev", "--profile"),
        "--profile local": ("local", "--profile"),
    }
    for option, told in shown.items():
        row = run_alone(f"profiles current {option} -o json").json
        assert (row["name"], row["source"]) == told
    row = run_alone("profiles current -o json", env={"SPECTRONCTL_PROFILE": "dev"}).json
    assert (row["name"], row["source"]) == ("dev", "SPECTRONCTL_PROFILE")


def test_a_key_is_tried_before_its_profile_is_added(acme: CommandLine, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(acme.env["SPECTRON_MANAGEMENT_API_KEY"])
    bad.write_text("mgmt-not-this-one")
    line = "profiles add {} --url http://spectron.test --api-key-file {} --check"
    for context in ("", " -c acme-prod"):
        refused = acme(line.format("p", bad) + context + " -o json")
        assert refused.error["exit_code"] == 3
        assert acme("profiles list -o name").out == "local\n"
    assert acme("profiles add p --url http://spectron.test --check").code == 3  # it has no key
    assert acme(line.format("p", good)).code == 0
    assert acme(line.format("q", good) + " -c acme-prod").code == 0
    assert acme("profiles list -o name").out.split() == ["p", "q", "local"]


def test_a_question_names_the_profile_and_its_server(acme: CommandLine) -> None:
    assert acme("profiles add prod --url http://spectron.test --use").code == 0
    env = {"SPECTRON_URL": ""}
    asked = acme("contexts delete acme-prod", env=env, stdin="n\n", terminal=True)
    assert "from http://spectron.test (profile prod)?" in asked.err + asked.out
    asked = acme("contexts delete acme-prod", stdin="n\n", terminal=True)
    assert "from http://spectron.test?" in asked.err + asked.out


READING = [
    "contexts list",
    "keys list",
    "profiles list",
    "profiles get p",
    "profiles current",
    "profiles show",
    "profiles use p",
    "profiles set p url http://x",
    "profiles unset p url",
    "profiles rename p q",
    "profiles remove p",
    "whoami",
    "version",
    "exec --key app -- true",
]


@pytest.mark.parametrize("line", READING)
def test_a_chosen_config_file_that_does_not_exist_is_an_error(
    run_alone: CommandLine, tmp_path: Path, line: str
) -> None:
    missing = tmp_path / "typo.toml"
    result = run_alone(line, env={"SPECTRONCTL_CONFIG": str(missing)})
    assert (result.code, result.out) == (11, "")
    assert f"SPECTRONCTL_CONFIG names {missing}, which does not exist" in result.err
    assert not missing.exists()


def test_a_chosen_config_file_is_made_by_the_first_profile(
    run_alone: CommandLine, tmp_path: Path
) -> None:
    run_alone.env["SPECTRONCTL_CONFIG"] = str(tmp_path / "new.toml")
    assert run_alone("profiles path").out.strip() == run_alone.env["SPECTRONCTL_CONFIG"]
    (check, *_) = run_alone("doctor -o json").json["checks"]
    assert (check["check"], check["status"]) == ("config", "failed"), check
    assert run_alone(f"{ADD} --use").code == 0
    assert run_alone("profiles current -o name").out == "prod\n"
    assert run_alone("profiles list").code == 0
    assert run_alone("contexts list --help", env={"SPECTRONCTL_CONFIG": "/nope"}).code == 0

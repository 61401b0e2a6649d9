"""`spectronctl serve exec`: a program and its server, which end together."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commandline import SENTINEL
from tests.support.processes import SPECTRONCTL, Shell

ROOT = Path(__file__).parents[2]
SEED = ROOT / "examples" / "seed.yaml"

LOOK = """
import json, os, subprocess, sys

def ask(*words):
    done = subprocess.run(["spectronctl", *words, "-o", "json"], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr

session = ask("sessions", "list", "--scope", "org/acme")[0]["id"]
print(json.dumps({
    "env": dict(os.environ),
    "stdin": sys.stdin.read(),
    "contexts": ask("contexts", "list"),
    "keys": ask("keys", "list"),
    "who": ask("whoami"),
    "ontology": ask("ontology", "get"),
    "turns": ask("sessions", "transcript", session)["turns"],
    "profiles": ask("profiles", "list"),
}))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def seen(home: Path) -> Any:
    """What a program sees that is run with a seed by a user of another server."""
    config = home / "config.toml"
    config.write_text(
        'profile = "prod"\n[profiles.prod]\nurl = "https://prod.test"\ncontext = "acme-prod"\n'
        'protected = true\nproxy = "http://127.0.0.1:1"\napi_key_env = "PROD_KEY"\n'
    )
    foreign = {
        "SPECTRONCTL_CONFIG": str(config),
        "SPECTRONCTL_PROFILE": "prod",
        "SPECTRONCTL_LOCAL_STORE": "ws://other.test",
        "SPECTRONCTL_URL": "https://other.test",
        "SPECTRON_SERVER": "https://other.test",
        "SPECTRONCTL_CONTEXT": "acme-prod",
        "SPECTRONCTL_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "NO_PROXY": "other.test",
        "SPECTRON_MGMT_KEY": SENTINEL,
        "SPECTRONCTL_API_KEY": SENTINEL,
        "SPECTRON_API_KEY_OUTER_PLANNER": SENTINEL,
        "PROD_KEY": SENTINEL,
        "UNRELATED": "stays",
    }
    seed = yaml.safe_load(SEED.read_text())
    seed["contexts"].insert(0, {"id": "keyless"})
    (home / "seed.json").write_text(json.dumps(seed, default=str))
    line = f"serve exec --seed {home}/seed.json -- {sys.executable} -c {shlex.quote(LOOK)}"
    done = Shell(home)(line, env=foreign, stdin="typed")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def test_the_program_is_pointed_at_its_server_and_no_other(seen: Any) -> None:
    env = seen["env"]
    ours = {name for name in env if name.startswith("SPECTRON")}
    assert ours == {
        "SPECTRON_URL",
        "SPECTRON_MANAGEMENT_API_KEY",
        "SPECTRON_CONTEXT_ID",
        "SPECTRON_API_KEY",
        "SPECTRON_API_KEY_ACME_TEST_PLANNER",
        "SPECTRON_API_KEY_ACME_TEST_BOSS",
        "SPECTRONCTL_HOME",
    }
    assert SENTINEL not in env.values()
    assert env["SPECTRON_URL"].startswith("http://127.0.0.1:")
    assert (env["NO_PROXY"], env["no_proxy"]) == ("other.test,127.0.0.1", "127.0.0.1")
    assert env["UNRELATED"] == "stays"
    assert "prod" not in [profile["name"] for profile in seen["profiles"]]
    assert not Path(env["SPECTRONCTL_HOME"]).exists(), "it had a folder of its own"


def test_a_spectronctl_in_it_leaves_nothing_in_the_user_s_home(shell: Shell) -> None:
    steps = (
        "spectronctl contexts list -q -o name",
        "spectronctl keys rotate planner --overlap 1h --yes -o name --secret-file new.key",
        "spectronctl keys rotations list -o json",
    )
    script = f"cd $SPECTRONCTL_HOME && {' && '.join(steps)}"
    done = shell(f"serve exec --seed {SEED} -- sh -c '{script}'")
    assert done.returncode == 0, done.stderr
    assert "planner.g2" in done.stdout, "the journal could be read there"
    assert list(shell.home.iterdir()) == []


def test_a_seed_is_planted_before_the_program_begins(seen: Any) -> None:
    context, keyless = sorted(seen["contexts"], key=lambda context: str(context["id"]))
    assert (keyless["id"], keyless["config"]) == ("keyless", {})
    assert (context["id"], context["namespace"], context["database"]) == (
        "acme-test",
        "test",
        "acme-test",
    )
    assert context["config"] == {"retention_days": 7}
    assert seen["ontology"]["attribute_keys"] == {"Person": ["name", "role"]}
    keys = {key["name"]: (key["principal"], key["scope_floor"]) for key in seen["keys"]}
    assert keys == {"planner": ("agent", {"org": "acme"}), "boss": ("supervisor", None)}
    assert [(turn["role"], turn["content"]) for turn in seen["turns"]] == [
        ("user", "Water the plants on Friday."),
        ("assistant", "Noted: plants, Friday."),
    ]
    assert seen["turns"][0]["created_at"].startswith("2026-05-01T12:30:00")


def test_the_first_key_is_the_one_that_signs(seen: Any) -> None:
    env = seen["env"]
    assert (env["SPECTRON_CONTEXT_ID"], seen["who"]["key_name"]) == ("acme-test", "planner")
    assert env["SPECTRON_API_KEY"] == env["SPECTRON_API_KEY_ACME_TEST_PLANNER"]
    assert seen["who"]["effective_grants"]["memory:read"] == ["org/acme/*"]


def test_the_program_has_our_stdin(seen: Any) -> None:
    assert seen["stdin"] == "typed"


def test_an_exit_code_and_the_streams_are_the_program_s(shell: Shell, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    script = "spectronctl contexts list -o json; echo warned >&2; exit 7"
    done = shell(f"serve exec --log-file {log} sh -c '{script}' -q --url none")
    assert (done.returncode, done.stdout, done.stderr) == (7, "[]\n", "warned\n")
    assert "GET /api/v1/contexts" in log.read_text()


@pytest.mark.parametrize("broken", ["profile", "file"])
def test_a_config_that_is_broken_is_no_obstacle(shell: Shell, tmp_path: Path, broken: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text("" if broken == "profile" else "[")
    env = {"SPECTRONCTL_CONFIG": str(config), "SPECTRON_MGMT_KEY": SENTINEL}
    env |= {"SPECTRONCTL_PROFILE": "nope"} if broken == "profile" else {}
    done = shell("serve exec -- sh -c 'env; spectronctl contexts list -o json'", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("[]\n")
    assert SENTINEL not in done.stdout


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (
            "--log-file log no-such-program --json",
            127,
            "error: no-such-program cannot be run: No such file",
        ),
        ("/", 126, "/ cannot be run"),
        ("", 2, "CMD"),
        ("--seed nowhere.yaml CMD", 2, "nowhere.yaml: No such file"),
        ("--log-file /nowhere/log CMD", 2, "--log-file /nowhere/log: No such file"),
        ("--seed broken.json CMD", 2, "broken.json, line 1"),
        ("--seed wrong.json CMD", 7, "contexts[0].keys[0].nam: is not known here"),
        ("--seed refused.json CMD", 7, "contexts[0].keys[1]: "),
    ],
)
def test_what_cannot_be_run_is_told_and_no_program_begins(
    shell: Shell, tmp_path: Path, line: str, code: int, says: str
) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "wrong.json").write_text('{"contexts": [{"id": "a", "keys": [{"nam": "b"}]}]}')
    (tmp_path / "refused.json").write_text(
        '{"contexts": [{"id": "a", "keys": [{"name": "b"}, {"name": "c", "scope_floor": "*"}]}]}'
    )
    line = line.replace("CMD", f"touch {tmp_path / 'begun'}")
    done = subprocess.run(
        [SPECTRONCTL, "serve", "exec", *line.split()],
        env=shell.environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert not (tmp_path / "begun").exists()
    assert not (tmp_path / "log").exists(), "the program is looked for first"


WAIT = "echo $SPECTRON_URL; exec sleep 60"


def start_waiting(shell: Shell) -> tuple[subprocess.Popen[str], int]:
    process = shell.start(
        f"serve exec -- sh -c '{WAIT}'", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    port = int(process.stdout.readline().rpartition(":")[2])
    assert listens(port)
    return process, port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_signal_reaches_the_program_and_the_server_ends_with_it(shell: Shell) -> None:
    process, port = start_waiting(shell)
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (128 + signal.SIGTERM, "", "")
    assert not listens(port)


def test_kill_9_leaves_no_server(shell: Shell) -> None:
    process, port = start_waiting(shell)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait(timeout=30)
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 10
    while listens(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_vendor_s_client_works_in_it_unmodified(shell: Shell) -> None:
    python = ROOT / ".venv-sdk-b10" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python.parents[1].name} is missing: `make test` builds it")
    script = (
        "import os; from surrealdb.memory import Memory\n"
        "context, url, key = (os.environ['SPECTRON_' + name] for name in ('CONTEXT_ID', 'URL', 'API_KEY'))\n"
        "with Memory(context, endpoint=url, api_key=key) as memory: print(memory.whoami().display_name)"
    )
    done = shell(f"serve exec --seed {SEED} -- {python} -c {shlex.quote(script)}")
    assert (done.returncode, done.stdout) == (0, "planner\n"), done.stderr


def test_a_signal_before_the_program_begins_leaves_nothing(shell: Shell, tmp_path: Path) -> None:
    places = tmp_path / "places"
    places.mkdir()
    shell.env["TMPDIR"] = str(places)
    process = shell.start("serve exec -- sleep 60", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not list(places.glob("spectronctl-*")):
        assert process.poll() is None
        time.sleep(0.001)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode in {130, 128 + signal.SIGTERM}, "the latter where sleep had begun"
    assert list(places.iterdir()) == []

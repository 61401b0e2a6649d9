"""The scripts under `examples/runbooks/` run as they are, with stand-ins for the commands that they deliver to."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import Served, Shell
from tests.support.standins import read_calls, stand_in, stand_in_settings

RUNBOOKS = Path(__file__).parents[2] / "examples" / "runbooks"
SCRIPTS = sorted(path.name for path in RUNBOOKS.rglob("*.sh"))
OVERLAP_SECONDS = 1
NUMBERS = itertools.count()

pytestmark = pytest.mark.timeout(300)


@dataclass
class Scene:
    """A context with one key, `planner`, the commands that receive its secret, and what they were given."""

    shell: Shell
    served: Served
    folder: Path
    context: str
    key_id: str = ""

    @property
    def settings(self) -> dict[str, str]:
        """What every runbook may read; each takes what it knows."""
        return {
            **self.served.env,
            **stand_in_settings(self.folder, self.shell.environment()["PATH"]),
            "SPECTRON_CONTEXT_ID": self.context,
            "OVERLAP": f"{OVERLAP_SECONDS}s",
            "DRAIN": "0s",
            "OLDER_THAN": "0s",
            "KEYS_DIR": str(self.folder),
            "SECRET_FILE": str(self.secret_file),
            "STORE_COMMAND": "store secret",
            "TRIES": "1",
            "PAUSE": "0",
            "GITHUB_ACTIONS": "true",
            "WORKLOAD": "deployment/planner",
            "NAMESPACE": "agents",
        }

    @property
    def secret_file(self) -> Path:
        return self.folder / "planner.key"

    def find(self, line: str) -> Any:
        env = {**self.served.env, "SPECTRON_CONTEXT_ID": self.context}
        done = self.shell(f"{line} -o json", env=env)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def run(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        key = self.key_id if script == "leaked-key.sh" else "planner"
        return subprocess.run(
            [RUNBOOKS / script],
            env=self.shell.environment({**self.settings, "KEY": key, **more}),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
        )

    @property
    def calls(self) -> list[dict[str, Any]]:
        return read_calls(self.folder)

    def ask(self, method: str, path: str, key: str, body: Any = None) -> httpx.Response:
        url, headers = f"{self.served.url}/api/v1{path}", {"API-KEY": key}
        # To read the certificates that the machine trusts takes longer than the request.
        return httpx.request(method, url, json=body, headers=headers, timeout=60, verify=False)

    def make(self, path: str, body: Any) -> Any:
        answer = self.ask("POST", f"/contexts/{self.context}{path}", self.served.key, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def works(self, secret: str) -> bool:
        """Whether `/me` accepts it."""
        answer = self.ask("GET", f"/{self.context}/me", secret)
        assert answer.status_code in {200, 401}, answer.text
        return answer.is_success

    def count_open(self) -> int:
        return len(self.find("keys rotations list"))


@pytest.fixture
def scene(shell: Shell, shared_server: Served, tmp_path: Path) -> Scene:
    folder = tmp_path / "a folder"
    stand_in(folder, "kubectl", "vault", "store")
    scene = Scene(shell, shared_server, folder, f"runbook-{next(NUMBERS)}")
    scene.make("", {"namespace": "acme", "database": scene.context})
    key = scene.make("/keys", {"name": "planner", "scope_floor": {"org": "acme"}})
    scene.secret_file.touch(mode=0o600)
    scene.secret_file.write_text(key["secret"] + "\n")
    scene.key_id = key["id"]
    return scene


def read_file(scene: Scene) -> str:
    return scene.secret_file.read_text().strip()


def read_stdin(*words: str) -> Callable[[Scene], str]:
    """The secret is what the last call with these words was given."""

    def read(scene: Scene) -> str:
        given: str = [call["stdin"] for call in scene.calls if {*words} <= {*call["words"]}][-1]
        assert given == given.strip()
        return given

    return read


DELIVERED: dict[str, Callable[[Scene], str]] = {
    "monthly-rotation.sh": read_file,
    "leaked-key.sh": read_file,
    "ci-rotation.sh": read_stdin("secret"),
    "kubernetes-secret.sh": read_stdin("create"),
    "vault-secret.sh": read_stdin("put"),
}
ENDS_AT_ONCE = {"ci-rotation.sh", "leaked-key.sh"}
COMMANDS = {"ci-rotation.sh": "secret", "kubernetes-secret.sh": "apply", "vault-secret.sh": "put"}


def test_every_runbook_is_run_here_and_stands_in_the_table() -> None:
    assert sorted(DELIVERED) == SCRIPTS
    table = (RUNBOOKS / "README.md").read_text()
    assert [name for name in SCRIPTS if f"| [{name}]({name}) |" not in table] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_runbook_parses_and_is_executable(script: str) -> None:
    assert (RUNBOOKS / script).stat().st_mode & 0o111 == 0o111
    subprocess.run(["sh", "-n", RUNBOOKS / script], check=True)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_runbook_delivers_a_secret_that_works_and_running_it_again_is_harmless(
    scene: Scene, script: str
) -> None:
    old = read_file(scene)
    done = scene.run(script)
    assert done.returncode == 0, done.stderr
    secret = DELIVERED[script](scene)
    assert secret != old
    assert scene.works(secret)
    assert scene.works(old) == (script not in ENDS_AT_ONCE)
    assert_kept_from_all(scene, done, secret)

    time.sleep(OVERLAP_SECONDS)
    again = scene.run(script, OLDER_THAN="1h")
    assert again.returncode == 0, again.stderr
    assert scene.works(DELIVERED[script](scene))
    assert not scene.works(old)
    assert len(scene.find("keys list")) == 1
    assert scene.count_open() == 0


def assert_kept_from_all(scene: Scene, done: subprocess.CompletedProcess[str], secret: str) -> None:
    """On the stdin of who stores it and nowhere else; GitHub's runner is told what to mask."""
    assert secret not in done.stdout
    assert secret not in done.stderr.replace(f"::add-mask::{secret}\n", "")
    for call in scene.calls:
        assert secret not in json.dumps([call["words"], call["seen"], call["env"]])
    journal = scene.shell.home / ".local" / "state"
    assert not any(secret in path.read_text() for path in journal.rglob("*.json"))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("script", "failing"), COMMANDS.items())
def test_a_command_that_fails_fails_the_runbook_and_the_next_run_delivers(
    scene: Scene, script: str, failing: str
) -> None:
    old = read_file(scene)
    failed = scene.run(script, FAILING=failing)
    assert failed.returncode == 1, failed.stderr
    assert scene.works(old)
    assert scene.count_open() == 1

    done = scene.run(script, OLDER_THAN="1h")
    assert done.returncode == 0, done.stderr
    assert scene.works(DELIVERED[script](scene))


def test_the_month_s_results_name_each_key_that_failed(scene: Scene) -> None:
    (scene.folder / "writer.key").mkdir()
    scene.find(f"keys create writer --secret-file '{scene.folder / 'writer'}'")
    done = scene.run("monthly-rotation.sh")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["name"] == "writer"
    assert "writer.key" in told["error"]
    assert told["continue"].startswith("spectronctl keys rotat")
    assert scene.works(read_file(scene))
    assert scene.works((scene.folder / "writer").read_text().strip())


def test_a_month_without_a_failure_says_nothing(scene: Scene) -> None:
    done = scene.run("monthly-rotation.sh")
    assert (done.stdout, done.stderr) == ("", "")


def test_a_ci_job_masks_the_secret_says_what_it_did_and_keeps_its_own_key_to_itself(
    scene: Scene,
) -> None:
    own = scene.served.key
    done = scene.run(
        "ci-rotation.sh", SPECTRON_MANAGEMENT_API_KEY=own, SPECTRONCTL_API_KEY_FILE="", CI="true"
    )
    assert json.loads(done.stdout) == {"new": "planner.g2", "old": "planner", "step": "done"}
    secret = DELIVERED["ci-rotation.sh"](scene)
    assert done.stderr.count(f"::add-mask::{secret}\n") == 1
    assert own not in json.dumps(scene.calls[-1]["env"])


def test_a_ci_job_whose_store_fails_once_delivers_on_its_next_try(scene: Scene) -> None:
    (scene.folder / "store-once").write_text(
        "store secret && { [ -e tried ] || { touch tried; exit 1; }; }"
    )
    done = scene.run("ci-rotation.sh", STORE_COMMAND=". ./store-once")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"new": "planner.g2", "old": "planner", "step": "done"}
    first, second = (call["stdin"] for call in scene.calls)
    assert (scene.works(first), scene.works(second)) == (False, True)


def test_a_ci_job_elsewhere_prints_no_secret_and_says_what_a_dead_runner_left(
    scene: Scene, tmp_path: Path
) -> None:
    assert scene.works(read_file(scene))  # it is in use, as the dead runner's job left it
    scene.find(f"keys create planner.g2 --secret-file '{tmp_path / 'lost'}'")
    done = scene.run("ci-rotation.sh", GITHUB_ACTIONS="")
    assert done.returncode == 0, done.stderr
    assert DELIVERED["ci-rotation.sh"](scene) not in done.stderr
    assert f"spectronctl keys delete {scene.key_id}" in done.stderr
    assert scene.works(read_file(scene))


def test_a_leaked_key_ends_although_a_rotation_keeps_it_alive(scene: Scene) -> None:
    old = read_file(scene)
    assert scene.run("monthly-rotation.sh", OVERLAP="24h").returncode == 0
    done = scene.run("leaked-key.sh")
    assert done.returncode == 0, done.stderr
    assert not scene.works(old)
    assert scene.works(read_file(scene))
    assert f"id: {scene.key_id}" in done.stdout
    assert "superseded" in done.stdout


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("key", "code"), [("planner", 2), ("key_typo", 5)])
def test_a_leak_is_of_a_key_by_its_id_and_nothing_else_ends(
    scene: Scene, key: str, code: int
) -> None:
    done = scene.run("leaked-key.sh", KEY=key)
    assert done.returncode == code, done.stderr
    assert scene.works(read_file(scene))


def test_a_workload_is_restarted_while_the_old_key_works_and_not_without_need(
    scene: Scene,
) -> None:
    assert scene.run("kubernetes-secret.sh", FAILING="restart").returncode == 1
    assert scene.run("kubernetes-secret.sh", OLDER_THAN="1h", OVERLAP="24h").returncode == 0
    words = [call["words"][2:] for call in scene.calls]
    assert [each[:2] for each in words[:2]] == [["create", "secret"], ["apply", "--server-side"]]
    assert words[0][3] == "planner"
    assert words[2] == ["rollout", "restart", "deployment/planner"]
    manifest = scene.calls[1]["stdin"]
    assert manifest == f"kind: Secret\ndata: of {scene.calls[0]['stdin'][::-1]}\n"

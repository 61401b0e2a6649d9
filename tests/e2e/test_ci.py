"""`examples/ci/`: what the files say is checked against the CI's own schema, and each script is run as the CI would."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from spectronctl.testing import SpectronServer, run_server
from tests.support.processes import Serve, Shell
from tests.support.standins import read_calls, stand_in, stand_in_settings

EXAMPLES = Path(__file__).parents[2] / "examples" / "ci"
CONTEXT = "acme-prod"
FORGE_TOKEN = "token-of-the-forge-9c1d"
GITLAB_URL = "https://gitlab.acme.test"


@dataclass(frozen=True)
class Step:
    """One script, with the variables that the file sets for it."""

    job: str
    name: str
    script: str
    env: dict[str, str]
    always: bool = True


class GitHub:
    """What GitHub's runner makes of a workflow."""

    file = EXAMPLES / "github-actions.yml"
    schema = ("vendor.github-workflows",)
    bash = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
    store = "gh"

    def __init__(self) -> None:
        self.document = yaml.safe_load(self.file.read_text())

    def read_steps(self, settings: dict[str, str]) -> Iterator[Step]:
        for job, body in self.document["jobs"].items():
            for step in body["steps"]:
                if "run" in step and not step["run"].startswith("pip install"):
                    env = {**self.document["env"], **step.get("env", {})}
                    filled = {name: self._fill(text, settings) for name, text in env.items()}
                    yield Step(job, step["name"], step["run"], filled, "if" not in step)

    def _fill(self, text: str, settings: dict[str, str]) -> str:
        known = settings | {"SECRETS_TOKEN": FORGE_TOKEN, "repository": "acme/agents"}
        return re.sub(r"\$\{\{ (?:vars|secrets|github)\.(\w+) \}\}", lambda m: known[m[1]], text)


class GitLab:
    """What GitLab's runner makes of a pipeline."""

    file = EXAMPLES / "gitlab-ci.yml"
    schema = ("vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    bash = ("bash", "-eo", "pipefail")
    store = "glab"

    def __init__(self) -> None:
        self.document = yaml.safe_load(self.file.read_text())

    def read_steps(self, settings: dict[str, str]) -> Iterator[Step]:
        env = {
            name: value["value"] if isinstance(value, dict) else self._expand(value)
            for name, value in self.document["variables"].items()
        }
        assert self.document["variables"]["DELIVER"]["expand"] is False, "it has a $ of the shell"
        for job, body in self.document.items():
            if "script" in body:
                whole = "\n".join(body["script"])
                yield Step(job, job, whole, {**env, **settings, "GITLAB_TOKEN": FORGE_TOKEN})

    def _expand(self, text: str) -> str:
        return text.replace("$CI_SERVER_URL", GITLAB_URL)


Forge = GitHub | GitLab
FORGES = [GitHub(), GitLab()]


def name_of(forge: Forge) -> str:
    return type(forge).__name__


@pytest.fixture(params=FORGES, ids=name_of)
def forge(request: pytest.FixtureRequest) -> Any:
    return request.param


@dataclass
class Runner:
    """A machine of the CI: it runs a job's scripts one after the other, and forgets."""

    forge: Forge
    shell: Shell
    folder: Path
    url: str
    key: str
    output: str = ""

    def run(self, job: str, *, step: str | None = None, **more: str) -> int:
        """The exit code of the first script that fails, or 0."""
        settings = {
            "SPECTRON_URL": self.url,
            "SPECTRON_CONTEXT_ID": CONTEXT,
            "SPECTRON_MANAGEMENT_API_KEY": self.key,
            "INSTALL_FROM": "../spectronctl",
        }
        steps = [
            each
            for each in self.forge.read_steps(settings)
            if each.job == job and (each.name == step or (step is None and each.always))
        ]
        assert steps
        codes = (self._run(each, more) for each in steps)
        return next(filter(None, codes), 0)

    def _run(self, step: Step, more: dict[str, str]) -> int:
        script = self.folder / "script"
        script.write_text(step.script)
        env = {
            **self.shell.environment(),
            **stand_in_settings(self.folder, self.shell.environment()["PATH"]),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "CI": "true",
            **step.env,
            "OVERLAP": "1s",
            "DRAIN": "0s",
            **more,
        }
        done = subprocess.run(
            [*self.forge.bash, script],
            env=env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
        )
        self.output += done.stdout + done.stderr
        return done.returncode

    @property
    def stored(self) -> list[str]:
        """The secrets that the CI's own store was given, the newest last."""
        return [call["stdin"] for call in read_calls(self.folder)]

    def read_report(self) -> str:
        """What the job tells of the rotation."""
        summary = self.folder / "summary"
        return summary.read_text() if self.forge.store == "gh" else self.output

    def works(self, secret: str) -> bool:
        answer = httpx.get(f"{self.url}/api/v1/{CONTEXT}/me", headers={"API-KEY": secret})
        assert answer.status_code in {200, 401}
        return answer.status_code == 200


@pytest.fixture
def server() -> Iterator[SpectronServer]:
    with run_server() as server:
        yield server


@pytest.fixture
def runner(forge: Forge, shell: Shell, server: SpectronServer, tmp_path: Path) -> Runner:
    stand_in(tmp_path, forge.store)
    return Runner(forge, shell, tmp_path, server.url, server.management_key)


def test_the_file_is_one_that_the_ci_understands(forge: Forge) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *forge.schema]
    done = subprocess.run([*command, forge.file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_script_is_one_that_bash_understands(forge: Forge, tmp_path: Path) -> None:
    steps = list(forge.read_steps(dict.fromkeys(SETTINGS, "x")))
    for step in steps:
        script = tmp_path / "script"
        script.write_text(f"#!/usr/bin/env bash\n{step.script}")
        subprocess.run(["bash", "-n", script], check=True)
        if shutil.which("shellcheck"):
            subprocess.run(["shellcheck", script], check=True)
    assert {step.job for step in steps} >= {"provision", "rotate"}


SETTINGS = ("SPECTRON_URL", "SPECTRON_CONTEXT_ID", "SPECTRON_MANAGEMENT_API_KEY", "INSTALL_FROM")


@pytest.mark.sampled(1)
def test_a_pipeline_provisions_and_rotates_and_may_run_again(
    runner: Runner, server: SpectronServer
) -> None:
    assert runner.run("provision") == 0, runner.output
    assert server.admin.contexts.get(CONTEXT).config["retention_days"] == 90
    (first,) = runner.stored
    assert runner.works(first)
    assert runner.run("provision") == 0, runner.output
    assert runner.stored == [first], "a key that is there is not minted again"

    for generation in (2, 3):
        before = runner.stored[-1]
        assert runner.run("rotate") == 0, runner.output
        assert runner.works(runner.stored[-1])
        assert not runner.works(before)
        assert [key.name for key in server.admin.keys.list(CONTEXT)] == [f"agent.g{generation}"]
        assert f'"key": "agent.g{generation}"' in runner.read_report()
    assert_kept_from_all(runner, server.management_key)


def assert_kept_from_all(runner: Runner, management_key: str) -> None:
    """No secret is in the log, but for the line that masks it, nor where others see it; no store gets our own key."""
    for secret in runner.stored:
        mask = f"::add-mask::{secret}\n"
        assert runner.output.count(mask) == (runner.forge.store == "gh")
        assert secret not in runner.output.replace(mask, "")
    assert management_key not in runner.output
    assert FORGE_TOKEN not in runner.output
    for call in read_calls(runner.folder):
        assert not any(secret in json.dumps(call["seen"]) for secret in runner.stored)
        assert management_key not in json.dumps(call["env"])
        assert FORGE_TOKEN in json.dumps(call["env"])


@pytest.mark.sampled(1)
def test_a_secret_that_was_not_stored_is_told_and_the_next_rotation_stores_one(
    runner: Runner,
) -> None:
    assert runner.run("provision", FAILING=["variable", "secret"][runner.forge.store == "gh"])
    assert "secret was not stored" in runner.output
    lost = runner.stored[-1]
    assert runner.run("provision") == 0, runner.output
    assert runner.run("rotate") == 0, runner.output
    assert runner.works(runner.stored[-1])
    assert not runner.works(lost)


@pytest.mark.sampled(1)
def test_a_context_that_is_another_s_fails_the_job_by_its_exit_code(
    runner: Runner, server: SpectronServer
) -> None:
    server.create_context("other", namespace="acme", database="prod")
    assert runner.run("provision") == 6
    assert f"{CONTEXT}, or acme/prod, is in use otherwise" in runner.output
    assert [context.id for context in server.admin.contexts.list()] == ["other"]


def test_a_server_that_is_not_there_is_told(forge: Forge, shell: Shell, tmp_path: Path) -> None:
    stand_in(tmp_path, forge.store)
    runner = Runner(forge, shell, tmp_path, "http://127.0.0.1:1", "mgmt-x")
    assert runner.run("rotate", SPECTRONCTL_RETRIES="0") == 9
    assert "No answer from http://127.0.0.1:1" in runner.output


@pytest.mark.sampled(1)
def test_a_reindex_that_takes_longer_is_left_to_the_server(
    forge: Forge, shell: Shell, serve: Serve, tmp_path: Path
) -> None:
    served = serve("--store mem:// --port 0 --no-worker")
    runner = Runner(forge, shell, tmp_path, served.url, served.key)
    create = f"contexts create {CONTEXT} --namespace acme --database prod"
    assert shell(create, env=served.env).returncode == 0
    if forge.store == "gh":
        assert runner.run("provision", step="Reindex", REINDEX_WITHIN="1s") == 0, runner.output
        assert "::warning::It goes on without this job" in runner.output
    else:
        code = runner.run("reindex", REINDEX_WITHIN="1s")
        assert code == forge.document["reindex"]["allow_failure"]["exit_codes"], runner.output


def test_what_is_installed_is_what_the_settings_say(forge: Forge) -> None:
    installs = re.findall(r"\bpip install .*", forge.file.read_text())
    assert set(installs) == {'pip install --quiet "$INSTALL_FROM"'}


def test_glab_speaks_to_the_gitlab_that_runs_the_job(
    shell: Shell, server: SpectronServer, tmp_path: Path
) -> None:
    stand_in(tmp_path, "glab")
    runner = Runner(GitLab(), shell, tmp_path, server.url, server.management_key)
    assert runner.run("provision") == 0, runner.output
    assert {call["env"]["GITLAB_HOST"] for call in read_calls(tmp_path)} == {GITLAB_URL}


def test_a_job_needs_none_that_may_not_be_in_the_pipeline() -> None:
    """A pipeline that a script starts has no job but those that its variables ask for."""
    jobs = [job for job in GitLab().document.values() if isinstance(job, dict)]
    needs = [need for job in jobs for need in job.get("needs", [])]
    assert [need for need in needs if isinstance(need, str) or not need.get("optional")] == []


def test_the_file_names_every_setting_that_it_reads(forge: Forge) -> None:
    head = forge.file.read_text().partition("\n\n")[0]
    token = "SECRETS_TOKEN" if forge.store == "gh" else "GITLAB_TOKEN"
    assert [name for name in (*SETTINGS, token, "SPECTRON_API_KEY") if name not in head] == []

"""The plugin as its users have it: a pytest of its own, over a project that knows nothing of ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "pytest"
HEAVY = {
    "spectronctl.testing",
    "spectronctl.client",
    "spectronctl.server",
    "pydantic",
    "httpx",
    "fastapi",
    "uvicorn",
    "surrealdb",
    "typer",
    "rich",
}


def run_pytest(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    settings = [
        "-c",
        os.devnull,
        "--rootdir",
        str(project),
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *settings, *words, str(project)],
        env={"PATH": os.environ["PATH"], "HOME": str(project)},
        cwd=project,
        capture_output=True,
        text=True,
        timeout=100,
    )


SHARED = """
import subprocess, sys, urllib.request
import pytest

seen = []

@pytest.mark.parametrize("number", [1, 2])
def test_one_server_serves_the_session(spectron_server, number):
    seen.append(spectron_server.url)
    assert len(set(seen)) == 1
    context = spectron_server.create_context()
    ask = (
        "import os, urllib.request as u;"
        "url = os.environ['SPECTRON_URL'] + '/api/v1/' + os.environ['SPECTRON_CONTEXT_ID'] + '/me';"
        "print(u.urlopen(u.Request(url, headers={'API-KEY': os.environ['SPECTRON_API_KEY']})).status)"
    )
    done = subprocess.run([sys.executable, "-c", ask], env=context.env, capture_output=True, text=True)
    assert done.stdout == "200\\n", done.stderr

def test_a_failure_shows_the_server_s_log(spectron_server):
    spectron_server.create_context("told-in-the-log")
    spectron_server.admin.contexts.get("missing-one")
"""


def test_the_fixture_serves_a_project_and_shows_its_log_where_a_test_fails(tmp_path: Path) -> None:
    (tmp_path / "test_shared.py").write_text(SHARED)
    for path in EXAMPLE.glob("*.py"):
        shutil.copy(path, tmp_path)
    done = run_pytest(tmp_path, "--log-level", "INFO")
    assert re.search(r"\b1 failed, 5 passed", done.stdout), done.stdout + done.stderr
    assert "NotFoundError" in done.stdout
    assert "POST /api/v1/contexts/told-in-the-log" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


WITHOUT = """
import sys
sys.modules["uvicorn"] = None

def test_needs_it(spectron_server):
    pass

def test_needs_nothing():
    pass
"""


def test_without_the_extra_only_its_users_fail_and_read_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "test_without.py").write_text(WITHOUT)
    done = run_pytest(tmp_path)
    assert re.search(r"\b1 passed, 1 error", done.stdout), done.stdout + done.stderr
    assert "there is no uvicorn" in done.stdout
    assert f"{Path(__file__).parents[2]}[local]" in done.stdout
    assert "Traceback" not in done.stdout


REFUSED = """
import spectronctl.testing
from spectronctl.errors import ConfigError

def refuse():
    raise ConfigError("the store is full")

spectronctl.testing.run_server = refuse

def test_needs_it(spectron_server):
    pass
"""


def test_of_a_server_that_does_not_start_no_more_is_told_than_there_is(tmp_path: Path) -> None:
    (tmp_path / "test_refused.py").write_text(REFUSED)
    done = run_pytest(tmp_path)
    assert re.search(r"\b1 error", done.stdout), done.stdout + done.stderr
    assert "spectron_server: the store is full.\n" in done.stdout
    assert "None" not in done.stdout


def test_a_pytest_that_does_not_use_it_pays_nothing_for_it(tmp_path: Path) -> None:
    (tmp_path / "test_free.py").write_text(
        f"import sys\n\ndef test_free():\n    assert 'spectronctl.pytest_plugin' in sys.modules\n"
        f"    assert not {HEAVY!r} & set(sys.modules)\n"
    )
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_fixture_is_found_and_explained(tmp_path: Path) -> None:
    assert [each.value for each in entry_points(group="pytest11", name="spectronctl")] == [
        "spectronctl.pytest_plugin"
    ]
    (tmp_path / "test_nothing.py").write_text("")
    listed = run_pytest(tmp_path, "--fixtures").stdout
    assert "spectron_server [session scope]" in listed
    assert "create_context()" in listed

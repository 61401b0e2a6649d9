"""`examples/systemd/`: systemd reads the units, and what they start is started here, in other places."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import SPECTRONCTL, Served, Shell, start_server
from tests.support.soak import SOAK

UNITS = sorted((Path(__file__).parents[2] / "examples" / "systemd").iterdir())
INSTALLED = "/opt/spectron/bin/spectronctl"
SERVICE, ROTATIONS = "spectron.service", "spectron-rotations.service"


def read_unit(name: str) -> list[tuple[str, str]]:
    """A unit's settings; one may stand there more than once."""
    (path,) = [unit for unit in UNITS if unit.name == name]
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return [(key, value) for key, sign, value in (line.partition("=") for line in lines) if sign]


def read_command(name: str, places: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The words of `spectronctl`, and the environment, of a service whose places are others."""

    def fill(text: str) -> str:
        for place, other in places.items():
            text = text.replace(place, other)
        assert not re.search(r"%[A-Za-z]", text), text
        return text

    settings = read_unit(name)
    (line,) = [value for key, value in settings if key == "ExecStart"]
    program, *words = shlex.split(fill(line))
    assert program == INSTALLED
    env = dict(fill(value).split("=", 1) for key, value in settings if key == "Environment")
    return words, {**env, "PATH": os.environ["PATH"]}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """What the server's unit starts, but on any free port."""
    (tmp_path / "spectron").mkdir()
    words, env = read_command(SERVICE, {"%S": str(tmp_path), "--port 9090": "--port 0"})
    served = start_server(words, env, tmp_path / "log")
    yield served
    served.kill()


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace(INSTALLED, SPECTRONCTL))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", [SERVICE, ROTATIONS])
def test_a_service_is_confined(name: str) -> None:
    settings = dict(read_unit(name))
    assert settings["NoNewPrivileges"] == "yes"
    assert settings["ProtectSystem"] == "strict"
    assert settings["CapabilityBoundingSet"] == ""
    assert settings["UMask"] == "0077"
    assert "MemoryMax" in settings
    assert settings.get("User", "root") != "root" or settings["DynamicUser"] == "yes"


def test_the_timer_starts_the_service_of_its_name() -> None:
    timer = dict(read_unit("spectron-rotations.timer"))
    assert "Unit" not in timer
    assert timer["OnCalendar"] == "*:0/15"
    assert timer["WantedBy"] == "timers.target"


def test_the_server_keeps_all_in_its_state_directory_and_stops_in_time(
    served: Served, tmp_path: Path
) -> None:
    settings = dict(read_unit(SERVICE))
    assert (settings["Type"], settings["Restart"]) == ("notify", "on-failure")
    assert settings["TimeoutStopSec"] == "40s", "longer than the server's grace of 30"
    assert served.stop() == 0
    assert {path.name for path in tmp_path.iterdir()} == {"spectron", "log"}
    assert {"store", "management.key"} <= {path.name for path in (tmp_path / "spectron").iterdir()}


def test_the_timer_s_service_finishes_what_the_operator_began(
    served: Served, tmp_path: Path
) -> None:
    home = tmp_path / "operator"
    home.mkdir()
    words, env = read_command(ROTATIONS, {"/var/lib/spectron-operator": str(home)})
    operate = Shell(home)
    for line in (
        f"profiles add main --url {served.url} --api-key-file {served.key_file}",
        "profiles use main",
        "contexts create acme-prod --namespace acme --database prod",
        f"keys create agent -c acme-prod --secret-file {home}/agent.key",
        f"keys rotate agent -c acme-prod --overlap 1s --drain 0s --yes --force --secret-file {home}/agent.key",
    ):
        done = operate(line)
        assert done.returncode == 0, done.stderr
    time.sleep(1)
    finished = subprocess.run([SPECTRONCTL, *words], env=env, capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert operate("keys list -c acme-prod -o name").stdout == "agent.g2\n"


@pytest.mark.skipif(not SOAK, reason="slow: make soak")
def test_the_server_asks_the_kernel_for_nothing_that_its_unit_forbids(tmp_path: Path) -> None:
    if not (shutil.which("strace") and shutil.which("systemd-analyze")):
        pytest.skip("strace and systemd-analyze are needed")
    (tmp_path / "spectron").mkdir()
    words, env = read_command(SERVICE, {"%S": str(tmp_path), "--port 9090": "--port 0"})
    trace = tmp_path / "trace"
    tracer = tmp_path / "tracer"
    tracer.write_text(
        f'#!/bin/sh\nexec strace -D -f -qq -o {trace} {sys.executable} {SPECTRONCTL} "$@"\n'
    )
    tracer.chmod(0o755)
    served = start_server(words, env, tmp_path / "log", program=str(tracer))
    operate = Shell(tmp_path, {**served.env, "SPECTRON_CONTEXT_ID": "acme-prod"})
    for line in ("contexts create acme-prod --namespace acme --database prod", "lifecycle reindex"):
        assert operate(line).returncode == 0
    assert served.stop() == 0
    used = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    assert len(used) > 30
    filters = [value for key, value in read_unit(SERVICE) if key == "SystemCallFilter"]
    allowed = expand(filters[0])
    forbidden = expand(*filters[1].removeprefix("~").split())
    assert used <= allowed - forbidden


def expand(*groups: str) -> set[str]:
    """The system calls of systemd's groups."""
    found: set[str] = set()
    for group in groups:
        text = subprocess.run(
            ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
        ).stdout
        words = {line.strip() for line in text.splitlines() if not line.strip().startswith("#")}
        found |= {word for word in words if word and not word.startswith("@")}
        found |= expand(*(word for word in words if word.startswith("@") and word != group))
    return found

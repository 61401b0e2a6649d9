"""`examples/docker/`: how the image is built is read; what runs in it is run here, and in it where there is Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.processes import Shell, start_server

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "docker"
HOME = "/var/lib/spectron"


def read_instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (INSTRUCTION, rest), continued lines joined."""
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    return [
        (word, rest)
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


INSTRUCTIONS = read_instructions()
FINAL = INSTRUCTIONS[max(at for at, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM") :]


def find(name: str, instructions: list[tuple[str, str]] = FINAL) -> list[str]:
    return [rest for word, rest in instructions if word == name]


def read_environment() -> dict[str, str]:
    return dict(word.split("=", 1) for rest in find("ENV") for word in rest.split())


def read_sources() -> list[str]:
    """What is copied from the checkout."""
    copies = [rest for rest in find("COPY", INSTRUCTIONS) if not rest.startswith("--from=")]
    return [source for rest in copies for source in rest.split()[:-1]]


def test_the_image_is_pinned_and_runs_as_no_one_special() -> None:
    bases = {rest.split()[0] for rest in find("FROM", INSTRUCTIONS)}
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", base) for base in bases)
    assert len(bases) == 1, "a virtual environment is copied from one to the other"
    (user,) = find("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert FINAL.index(("USER", user)) > max(
        at for at, (word, _) in enumerate(FINAL) if word in {"RUN", "COPY"}
    )
    for rest in find("RUN", INSTRUCTIONS):
        for command in rest.split("&&"):
            assert (
                "pip install" not in command
                or "--require-hashes" in command
                or "--no-deps" in command
            )


def test_its_commands_are_lists_of_words_which_get_signals() -> None:
    for name in ("ENTRYPOINT", "CMD"):
        (rest,) = find(name)
        assert all(isinstance(word, str) for word in json.loads(rest))
    (check,) = find("HEALTHCHECK")
    assert json.loads(check.partition("CMD ")[2])[0] == "spectronctl"
    assert find("VOLUME") == find("WORKDIR") == [HOME]


def test_what_is_copied_is_there_and_let_through() -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    let_through = {line[1:] for line in lines if line.startswith("!")}
    assert let_through == set(read_sources())
    assert [source for source in let_through if not (ROOT / source).exists()] == []
    assert fnmatch("spectronctl/__pycache__", lines[-1])


def test_the_compose_file_builds_this_image_and_shows_it_to_this_machine_alone() -> None:
    file = FOLDER / "compose.yaml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    service = yaml.safe_load(file.read_text())["services"]["spectron"]
    context = (FOLDER / service["build"]["context"]).resolve()
    assert (context, context / service["build"]["dockerfile"]) == (ROOT, FOLDER / "Dockerfile")
    assert service["ports"] == [f"127.0.0.1:{find('EXPOSE')[0]}:{find('EXPOSE')[0]}"]
    assert service["volumes"] == [f"data:{HOME}"]
    assert service["read_only"] is True
    assert service["mem_limit"] == service["memswap_limit"] == "3g"


def read_pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_the_image_has_what_was_tested_and_all_that_the_server_needs() -> None:
    tested = read_pins("dev.txt")
    for name in ("serve.txt", "build.txt"):
        assert read_pins(name).items() <= tested.items(), "run `make lock`"
    assert find_needed("spectronctl", "local") <= set(read_pins("serve.txt"))
    assert find_needed("hatchling", "") | {"hatchling"} <= set(read_pins("build.txt"))


def find_needed(name: str, extra: str) -> set[str]:
    """Everything that a distribution needs here, with what that needs."""
    needed: set[str] = set()
    open_ends = [(name, extra)]
    while open_ends:
        current, wanted = open_ends.pop()
        for text in distribution(current).requires or ():
            requirement = Requirement(text)
            key = canonicalize_name(requirement.name)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": wanted})
            if applies and key not in needed:
                needed.add(key)
                open_ends += [(key, each) for each in (requirement.extras or {""})]
    return needed


def test_what_is_copied_is_enough_to_build_the_wheel(tmp_path: Path) -> None:
    for source in read_sources():
        target = tmp_path / "src" / source
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, target)
    (build,) = [rest for rest in find("RUN", INSTRUCTIONS) if "pip wheel" in rest]
    words = build.partition("&&")[0].split()
    assert words[0] == "python"
    done = subprocess.run(
        [sys.executable, *words[1:]], cwd=tmp_path / "src", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "src" / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    here = {str(path.relative_to(ROOT)) for path in (ROOT / "spectronctl").rglob("*.py")}
    assert here <= set(names)
    (entries,) = [name for name in names if name.endswith("/entry_points.txt")]
    assert "spectronctl = spectronctl.cli:enter" in zipfile.ZipFile(wheel).read(entries).decode()


def test_its_commands_serve_answer_the_health_check_and_stop_on_sigterm(
    shell: Shell, tmp_path: Path
) -> None:
    def here(text: str) -> str:
        return text.replace(HOME, str(tmp_path))

    (entry,), (command,), (check,) = find("ENTRYPOINT"), find("CMD"), find("HEALTHCHECK")
    assert json.loads(entry) == ["spectronctl"]
    words = [here(word) for word in json.loads(command)]
    env = {name: here(value) for name, value in read_environment().items()}
    env["PATH"] = shell.environment()["PATH"]
    for _ in range(2):  # a container is started again, on the same volume
        served = start_server([*words, "--port", "0"], env, tmp_path / "log")
        try:
            found = {**env, "SPECTRON_URL": served.url}
            probe = json.loads(check.partition("CMD ")[2])
            assert subprocess.run(probe, env=found, capture_output=True).returncode == 0
            listed = subprocess.run(["spectronctl", "contexts", "list"], env=found, timeout=60)
            assert listed.returncode == 0, "docker exec signs with the management key"
            assert stat.S_IMODE(served.key_file.stat().st_mode) == 0o600
        finally:
            assert served.stop() == 0
        assert subprocess.run(probe, env=found, capture_output=True).returncode == 9


def has_docker() -> bool:
    return (
        bool(shutil.which("docker"))
        and not subprocess.run(["docker", "info"], capture_output=True).returncode
    )


@pytest.fixture
def image() -> Iterator[str]:
    if not has_docker():
        pytest.skip("no Docker engine runs here")
    name = f"spectron-test:{uuid.uuid4().hex}"
    build = ["docker", "build", "-q", "-f", str(FOLDER / "Dockerfile"), "-t", name, str(ROOT)]
    subprocess.run(build, check=True, env={**os.environ, "DOCKER_BUILDKIT": "1"})
    yield name
    subprocess.run(["docker", "image", "rm", "-f", name], capture_output=True)


@pytest.mark.timeout(900)
def test_the_image_serves_and_stops(image: str) -> None:
    def docker(*words: str) -> str:
        return subprocess.run(
            ["docker", *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    container = docker("run", "-d", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", image)
    try:
        for _ in range(60):
            probe = ["docker", "exec", container, "spectronctl", "version", "--server"]
            if subprocess.run(probe, capture_output=True).returncode == 0:
                break
        assert docker("exec", container, "spectronctl", "contexts", "list", "-o", "json") == "[]"
        assert docker("exec", container, "id", "-u") == "10001"
        docker("stop", "--time", "40", container)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", container) == "0"
    finally:
        docker("rm", "-f", "-v", container)

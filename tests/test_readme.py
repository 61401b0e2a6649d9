"""
Every command of the README runs, in order, and prints what the README says.

`python -m tests.test_readme` rewrites the README with what they print now.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.support.processes import Serve

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

FAILURE = re.compile(r'^(error: |{"kind":)', re.MULTILINE)
"""What a command that fails says, to people and under `-o json`."""

VOLATILE = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z": "TIME",
    r"(?<=[_:])[0-9A-Z]{26}": "ULID",
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b": "REQUEST",
    r"rot_\d{8}T\d{6}_[0-9a-f]{8}": "ROTATION",
    r"sha256:[0-9a-f]{12}": "DIGEST",
    r"\b[0-9a-f]{16}-[0-9a-f]{16}\b": "REQUEST",
    r'"pid": \d+': '"pid": PID',
    r"(?m)^disk .*$": "disk SPACE",
    r"/home/you": "HOME",
}

SETUP = f"""
cd "$HOME"
ln -s {ROOT}/examples examples
wait_until_ready() {{ for i in $(seq 300); do grep -q '"ready"' "$1" && return; sleep 0.1; done; }}
"""


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(README.read_text()) if name == language]


def commands(block: str) -> list[str]:
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def run_all(lines: list[str], home: str) -> list[str]:
    """What each command prints, stdout and stderr together, in one shell; it must fail where that says so, only."""
    script = [SETUP]
    for number, line in enumerate(lines):
        target = f"{home}/.out-{number}"
        if line.endswith("&"):
            script.append(f"{line[:-1]} > {target} 2>{target}.log &\nwait_until_ready {target}")
        else:
            script.append(f"{{ {line}\n}} > {target} 2>&1 < /dev/null; echo $? > {target}.code")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"HOME": home, "PATH": path, "LC_ALL": "C.UTF-8"}
    subprocess.run(["bash", "-c", "\n".join(script)], env=env, check=True, timeout=900)
    outputs = [Path(f"{home}/.out-{number}") for number in range(len(lines))]
    for line, out in zip(lines, outputs, strict=True):
        if not line.endswith("&"):
            has_failed = Path(f"{out}.code").read_text() != "0\n"
            assert has_failed == bool(FAILURE.search(out.read_text())), f"{line}\n{out.read_text()}"
    return [out.read_text().replace(home, "/home/you") for out in outputs]


def render(text: str, outputs: list[str]) -> str:
    """The README with these outputs under its commands."""
    left = iter(outputs)

    def fill(block: re.Match[str]) -> str:
        if block[1] != "console":
            return block[0]
        parts = [f"$ {line}\n{next(left)}" for line in commands(block[2])]
        return "```console\n" + "".join(parts) + "```"

    return BLOCK.sub(fill, text)


def steady(text: str) -> str:
    for pattern, name in VOLATILE.items():
        text = re.sub(pattern, name, text)
    return text


def run_readme() -> str:
    lines = [line for block in blocks("console") for line in commands(block)]
    with tempfile.TemporaryDirectory() as home:
        return render(README.read_text(), run_all(lines, home))


@pytest.mark.timeout(960)
@pytest.mark.usefixtures("port_9090")
def test_every_command_prints_what_the_readme_says() -> None:
    assert steady(run_readme()).splitlines() == steady(README.read_text()).splitlines()


def test_the_shell_blocks_name_things_that_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    lines = [
        line.partition("#")[0].strip() for block in blocks("sh") for line in block.splitlines()
    ]
    for line in lines:
        if line.startswith("make "):
            assert line.split()[1] in targets
        else:
            extra = re.fullmatch(r"pip install '\.\[(\w+)\]'", line)
            assert extra, f"nothing proves {line!r}"
            assert extra[1] in extras


def test_the_block_of_tests_passes(tmp_path: Path) -> None:
    block = blocks("python")[0]
    (tmp_path / "test_readme.py").write_text(block)
    module = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(module, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert f"{block.count('def test_')} passed" in done.stdout


def test_the_python_block_runs(serve: Serve) -> None:
    served = serve()
    block = blocks("python")[1]
    names = {"url": served.url, "management_key": served.key}
    exec(compile(block, "README.md", "exec"), names)
    assert names["key"].secret.startswith("sk-acme-prod-")  # type: ignore[attr-defined]


def test_every_setting_and_exit_code_is_in_the_tables() -> None:
    from spectronctl import errors
    from spectronctl.config.resolve import CONTEXT_KEY_VARIABLES, MANAGEMENT_KEY_VARIABLES, SETTINGS

    text = README.read_text()
    for setting in SETTINGS:
        words = [
            *setting.env,
            *([setting.flag] if setting.flag else []),
            *([setting.field] if setting.field else []),
        ]
        for word in words:
            assert f"`{word}`" in text or f"`{word} " in text, word
    for variable in (*CONTEXT_KEY_VARIABLES, *MANAGEMENT_KEY_VARIABLES):
        assert f"`{variable}`" in text
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.SpectronctlError):
            assert re.search(rf"^\| {error.exit_code} \| .*`{error.kind}`", text, re.MULTILINE), (
                error
            )


if __name__ == "__main__":  # from the root, as `python -m tests.test_readme`
    README.write_text(run_readme())

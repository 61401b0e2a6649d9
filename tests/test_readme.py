"""Every command of the README runs, in order, and prints what the README says; `tools.readme` rewrites it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.processes import Serve
from tools.readme import README, ROOT, blocks, run_readme

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


def steady(text: str) -> str:
    for pattern, name in VOLATILE.items():
        text = re.sub(pattern, name, text)
    return text


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

"""README.md and the pages of docs/guide/: every command runs, in order, and prints what the page says."""

from __future__ import annotations

import ast
import asyncio
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Serve
from tools.documents import (
    DOCUMENTS,
    GUIDE,
    README,
    ROOT,
    SECONDS,
    find_blocks,
    mask_volatile,
    run_documents,
)

INSTALL = re.compile(r"(?:pip|pipx|uv tool) install (?:\.|'\.\[(\w+)\]')")


@pytest.mark.timeout(SECONDS + 60, func_only=True)  # whatever the wait for the port
@pytest.mark.usefixtures("port_9090")
def test_every_command_prints_what_the_page_says() -> None:
    for document, text in run_documents().items():
        printed, said = mask_volatile(text), mask_volatile(document.read_text())
        assert printed.splitlines() == said.splitlines(), f"{document}; make docs"


def test_every_block_is_of_a_kind_that_is_proved() -> None:
    """What is typed is run, what is installed or made exists, and each block of Python has its test."""
    for document in DOCUMENTS:
        kinds = set(re.findall(r"^```(\w+)$", document.read_text(), re.MULTILINE))
        python = {"python"} if document.name in ("testing.md", "python.md") else set()
        assert kinds <= {"console", "sh"} | python, document


def test_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_the_shell_blocks_name_things_that_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    documents = (README, ROOT / "CONTRIBUTING.md", *GUIDE.glob("*.md"))
    lines = [
        line.partition("#")[0].strip()
        for document in documents
        for block in find_blocks(document, "sh")
        for line in block.splitlines()
    ]
    assert len(lines) > 5
    for line in lines:
        if line.startswith("make "):
            assert line.split()[1] in targets
        else:
            install = INSTALL.fullmatch(line)
            assert install, f"nothing proves {line!r}"
            assert install[1] is None or install[1] in extras


def test_the_block_of_tests_passes(tmp_path: Path) -> None:
    (block,) = find_blocks(GUIDE / "testing.md", "python")
    (tmp_path / "test_readme.py").write_text(block)
    module = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(module, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert f"{block.count('def test_')} passed" in done.stdout


def test_the_python_blocks_run(serve: Serve) -> None:
    served = serve()
    asynchronous, synchronous = find_blocks(GUIDE / "python.md", "python")
    names: dict[str, Any] = {"url": served.url, "management_key": served.key}
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # as in a notebook
    asyncio.run(eval(compile(asynchronous, "python.md", "exec", flags), names))
    assert names["context"].id == "acme-prod"
    exec(compile(synchronous, "python.md", "exec"), names)
    assert names["key"].secret.startswith("sk-acme-prod-")


def test_every_setting_and_exit_code_is_in_the_tables() -> None:
    from spectronctl import errors
    from spectronctl.config.resolve import SETTINGS
    from spectronctl.config.variables import CONTEXT_KEY_VARIABLES, MANAGEMENT_KEY_VARIABLES

    text = (GUIDE / "profiles.md").read_text()
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
    text = (GUIDE / "output.md").read_text()
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.SpectronctlError):
            assert re.search(rf"^\| {error.exit_code} \| .*`{error.kind}`", text, re.MULTILINE), (
                error
            )

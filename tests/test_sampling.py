"""Of a matrix of cases `make test` runs some, in which everything is tried; `make soak` runs all of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFTEST = """
from tests.support.soak import thin_out

def pytest_collection_modifyitems(items):
    items[:], _ = thin_out(items)
"""
SOURCE = """
import pytest

@pytest.mark.sampled
@pytest.mark.parametrize("fault", "abcdef")
@pytest.mark.parametrize("command", range(4))
def test_sampled(command, fault): ...

@pytest.mark.sampled(2)
@pytest.mark.parametrize("fault", "abc")
@pytest.mark.parametrize("command", [0])
def test_counted(command, fault): ...

@pytest.mark.parametrize("fault", "ab")
@pytest.mark.parametrize("command", range(2))
def test_whole(command, fault): ...
"""


def collect(folder: Path, **variables: str) -> list[tuple[str, str, str]]:
    """Each test that would be run: its name, and the values of its two parameters."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(SOURCE)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--rootdir", str(folder)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    return re.findall(r"::test_(\w+)\[(\d+)-(\w)\]", done.stdout)


def test_every_value_is_tried_and_few_cases_are_run(tmp_path: Path) -> None:
    cases = collect(tmp_path)
    sampled = [case for case in cases if case[0] == "sampled"]
    assert {command for _, command, _ in sampled} == set("0123")
    assert {fault for *_, fault in sampled} == set("abcdef")
    assert len(sampled) < 12
    assert len([case for case in cases if case[0] == "counted"]) == 2
    assert len([case for case in cases if case[0] == "whole"]) == 4
    assert len(collect(tmp_path, SPECTRONCTL_SOAK="1")) == 24 + 3 + 4

"""The scripts under `examples/` run as they are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import Shell

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.mark.timeout(300)
def test_the_demo_does_the_main_job_twice(shell: Shell) -> None:
    done = subprocess.run(
        ["sh", EXAMPLES / "demo.sh"],
        env=shell.environment(),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("-rw-------") == 2
    assert (
        done.stdout.count("effective_grants.memory:read") == 3
    )  # one for each server, one of the rotated key
    assert done.stderr.count("+ config.token_limit: 2000000") == 2
    assert done.stderr.count("Deleted context acme-prod.") == 3
    assert re.search(r"^entity type +Product +name,price$", done.stdout, re.MULTILINE)
    assert re.search(r"^expired_memories +1$", done.stdout, re.MULTILINE)
    assert "has reindexed 5 chunks of context acme-prod" in done.stderr
    _, _, principal = done.stdout.partition("== A principal that gains a scope")
    gained, _, lost = principal.partition("$ spectronctl principals revoke")
    assert "org/acme/support/*" in gained.partition("$ spectronctl keys verify")[2]
    assert not re.search(r"^support ", lost.partition("whocan")[2], re.MULTILINE)
    transcript, _, rotation = done.stdout.partition("== A key rotated with an overlap")
    assert "go-live is on 1 March" in transcript
    assert "كلمة المرور" in transcript
    before, _, after = rotation.partition("$ spectronctl keys rotations resume")
    assert "app-agent.g2" in before
    assert "app-agent.g2" in after
    assert not re.search(r"^app-agent ", after, re.MULTILINE), "the old key is still there"
    assert list(shell.home.iterdir()) == []


def test_nothing_is_installed_by_a_name_that_anyone_may_take() -> None:
    """The program is on no index: the documents and the examples install it from where the reader has it."""
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    files = [*documents, *(path for path in EXAMPLES.rglob("*") if path.is_file())]
    installer = re.compile(r"\b(?:pip|pipx|uv(?: tool| pip)?) (?:install|add)\b.*")
    installs = [line for file in files for line in installer.findall(file.read_text())]
    assert len(installs) > 4
    assert [line for line in installs if "spectronctl" in line] == []
    assert sum(line.startswith("pip install '.[local]'") for line in installs) == 2


def test_the_conversation_that_is_shipped_has_thirty_turns() -> None:
    lines = (EXAMPLES / "conversation.jsonl").read_text(encoding="utf-8").splitlines()
    turns = [json.loads(line) for line in lines]
    assert len(turns) == 30
    assert {turn["role"] for turn in turns} == {"user", "assistant"}

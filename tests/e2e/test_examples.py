"""The scripts under `examples/` run as they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Shell

EXAMPLES = Path(__file__).parents[2] / "examples"


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
    assert done.stdout.count("effective_grants.memory:read") == 2
    assert done.stderr.count("+ config.token_limit: 2000000") == 2
    assert done.stderr.count("Deleted context acme-prod.") == 2
    assert list(shell.home.iterdir()) == []

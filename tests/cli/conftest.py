"""What the tests of commands share."""

from __future__ import annotations

import pytest

from tests.conftest import CommandLine


@pytest.fixture
def acme(run: CommandLine) -> CommandLine:
    """The command line, with a context `acme-prod` to work in."""
    assert run("contexts create acme-prod --namespace acme --database prod").code == 0
    run.env["SPECTRON_CONTEXT_ID"] = "acme-prod"
    return run

"""The synchronous modules of the client are current: `tools.unasync`."""

from __future__ import annotations

import re

import pytest

from tools.unasync import HERE, SUBSTITUTIONS, TWINS, write_sync


@pytest.mark.parametrize(("written", "generated"), TWINS.items())
def test_the_synchronous_twin_is_current(written: str, generated: str) -> None:
    assert (HERE / generated).read_text() == write_sync((HERE / written).read_text())


@pytest.mark.parametrize("pattern", SUBSTITUTIONS)
def test_every_substitution_is_needed(pattern: str) -> None:
    assert any(re.search(pattern, (HERE / written).read_text()) for written in TWINS)

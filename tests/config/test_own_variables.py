"""Variables that only look like ours are told: what they were set for does not happen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spectronctl
from spectronctl.config.own_variables import VARIABLES, warn_of_variables
from tests.support.commandline import CommandLine


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SPECTRONCTL_PROFIL", "SPECTRONCTL_PROFILE"),
        ("SPECTRONCTL_TIMEOUTS", "SPECTRONCTL_TIMEOUT"),
        ("SPECTRONCTL_CONTEX", "SPECTRONCTL_CONTEXT"),
        ("SPECTRONCTL_API_KEYFILE", "SPECTRONCTL_API_KEY_FILE"),
    ],
)
def test_a_misspelled_variable_is_told_with_the_one_that_was_meant(
    run_alone: CommandLine, name: str, meant: str
) -> None:
    result = run_alone("profiles list", env={name: "x"})
    assert result.code == 0
    assert f"{name} is no variable of spectronctl and is ignored" in result.err
    assert f"did you mean {meant}?" in result.err


def test_what_is_set_for_protection_and_protects_nothing_is_told(run_alone: CommandLine) -> None:
    told = run_alone("profiles list", env={"SPECTRONCTL_PROTECTED": "true"}).err
    assert "SPECTRONCTL_PROTECTED is no variable of spectronctl" in told


def test_every_variable_that_the_source_names_is_known() -> None:
    source = Path(spectronctl.__file__).parent
    named = {
        name
        for path in source.rglob("*.py")
        for name in re.findall(r"SPECTRONCTL_[A-Z_]*[A-Z]", path.read_text())
    }
    assert named - VARIABLES == set()


def test_ours_and_others_are_not_told() -> None:
    assert list(warn_of_variables(dict.fromkeys([*VARIABLES, "PATH", "SPECTRON_OTHER"], "x"))) == []

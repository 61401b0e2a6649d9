"""A file that others may write names no program that is run, and no place that a secret goes to."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from spectronctl.errors import ConfigError
from spectronctl.local.trust import check_trusted
from tests.support.commandline import CommandLine
from tests.support.places import NEEDS_ROOT

Change = Callable[[Path], object]

SHARED: dict[str, Change] = {
    "file 0666": lambda file: file.chmod(0o666),
    "file 0620": lambda file: file.chmod(0o620),
    "directory 0777": lambda file: file.parent.chmod(0o777),
    "directory 0770": lambda file: file.parent.chmod(0o770),
    "directory above 0777": lambda file: file.parent.parent.chmod(0o777),
}
FOREIGN: dict[str, Change] = {
    "another's file": lambda file: os.chown(file, 1234, 1234),
    "another's directory": lambda file: os.chown(file.parent, 1234, 1234),
}
STICKY: dict[str, Change] = {
    "own": lambda file: None,
    "sticky": lambda file: file.parent.chmod(0o1777),
    "sticky above": lambda file: file.parent.parent.chmod(0o1777),
    "readable": lambda file: file.chmod(0o644),
}


@pytest.fixture
def config(tmp_path: Path, run: CommandLine) -> Path:
    """The config file, with a profile whose key a program prints; `ran` is there once it did."""
    helper = tmp_path / "helper"
    helper.write_text(
        f"#!/bin/sh\ntouch {tmp_path}/ran\necho {run.env['SPECTRON_MANAGEMENT_API_KEY']}\n"
    )
    helper.chmod(0o700)
    file = tmp_path / "above" / "below" / "config.toml"
    file.parent.mkdir(parents=True, mode=0o700)
    run.env |= {"SPECTRONCTL_CONFIG": str(file), "SPECTRON_URL": "", "PATH": os.environ["PATH"]}
    added = run(f"profiles add h --url http://spectron.test --api-key-command {helper} --use")
    assert added.code == 0, added.err
    run.env["SPECTRON_MANAGEMENT_API_KEY"] = ""
    return file


@pytest.mark.parametrize("change", SHARED.values(), ids=SHARED)
def test_a_config_that_others_may_write_names_no_program(
    run: CommandLine, config: Path, tmp_path: Path, change: Change
) -> None:
    change(config)
    result = run("contexts list -o json")
    assert result.code == 11
    assert not (tmp_path / "ran").exists()
    command = result.error["command"]
    assert os.system(command) == 0  # the way out works
    assert run("contexts list").code == 0


@NEEDS_ROOT
@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_a_config_of_another_user_names_no_program(
    run: CommandLine, config: Path, tmp_path: Path, change: Change
) -> None:
    change(config)
    result = run("contexts list")
    assert (result.code, (tmp_path / "ran").exists()) == (11, False)
    assert "belongs to another user" in result.err


@pytest.mark.parametrize("change", STICKY.values(), ids=STICKY)
def test_a_config_that_others_only_read_is_believed(
    run: CommandLine, config: Path, change: Change
) -> None:
    change(config)
    assert run("contexts list").code == 0


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "open" / "real").touch(mode=0o600)
    (tmp_path / "link").symlink_to(tmp_path / "open" / "real")
    with pytest.raises(ConfigError, match="can be written by other users"):
        check_trusted(tmp_path / "link")


def test_a_link_that_others_could_replace_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "real").touch(mode=0o600)
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "link").symlink_to(tmp_path / "real")
    check_trusted(tmp_path / "open" / "link")
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ConfigError, match="open can be written by other users"):
        check_trusted(tmp_path / "open" / "link")


def test_a_pipe_of_the_shell_is_believed() -> None:
    reader, writer = os.pipe()
    check_trusted(Path(f"/proc/self/fd/{reader}"))
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("change", SHARED.values(), ids=SHARED)
@pytest.mark.parametrize("option", ["command", "file"])
def test_a_journal_that_others_may_write_sends_no_secret_anywhere(
    acme: CommandLine, tmp_path: Path, change: Change, option: str
) -> None:
    acme.env |= {"PATH": os.environ["PATH"], "SPECTRONCTL_HOME": str(tmp_path / "home")}
    ran = tmp_path / "ran"
    assert acme("keys create app").code == 0
    fails = shlex.quote(f"sh -c 'cat > /dev/null; test -e {tmp_path}/go && touch {ran}'")
    places = f"--secret-command {fails}"
    if option == "file":
        places += f" --secret-file {tmp_path}/key"
    assert acme(f"keys rotate app --overlap 0s --drain 0s --yes {places}").code == 1
    (tmp_path / "go").touch()
    (tmp_path / "key").unlink(missing_ok=True)
    (document,) = (tmp_path / "home" / "state" / "rotations").glob("*.json")
    change(document)
    result = acme("keys rotations resume -o json")
    assert result.code == 1
    assert "nothing was run" in result.err
    assert not ran.exists()
    assert not (tmp_path / "key").exists()
    assert (
        acme(
            f"keys rotations resume {document.name.split('.')[1]} --secret-file {tmp_path}/mine"
        ).code
        == 0
    )


@pytest.mark.parametrize(
    ("mode", "is_told"), [(0o600, False), (0o640, False), (0o644, True), (0o620, True)]
)
@pytest.mark.parametrize("kind", ["flag", "variable", "profile", "env-file"])
def test_a_key_file_that_others_read_is_named_with_the_way_out(
    run: CommandLine, tmp_path: Path, mode: int, is_told: bool, kind: str
) -> None:
    file = tmp_path / "my key"
    key = run.env.pop("SPECTRON_MANAGEMENT_API_KEY")
    file.write_text(f"KEY={key}" if kind == "env-file" else key)
    file.chmod(mode)
    line = "contexts list"
    if kind == "flag":
        line = f"--api-key-file '{file}' {line}"
    if kind == "variable":
        run.env["SPECTRONCTL_API_KEY_FILE"] = str(file)
    if kind == "profile":
        assert (
            run(f"profiles add p --url http://spectron.test --api-key-file '{file}' --use").code
            == 0
        )
    if kind == "env-file":
        assert (
            run(
                "contexts create c --namespace a --database b",
                env={"SPECTRON_MANAGEMENT_API_KEY": key},
            ).code
            == 0
        )
        line = f"keys verify 'env-file:{file}:KEY' -c c"
    result = run(line)
    assert ("can be read" in result.err) == is_told, result.err
    if is_told:
        (command,) = re.findall("chmod .*?(?= keeps)", result.err)
        assert os.system(command) == 0
        assert "can be read" not in run(line).err

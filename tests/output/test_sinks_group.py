"""Promises of output/sinks about several places of one secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spectronctl.errors import ConfigError, SpectronctlError, UsageError
from spectronctl.output.sinks import Place, SinkGroup, read_command, read_file, read_variable

SECRET = "sk-acme-sentinel"
ENV = {"PATH": os.environ["PATH"]}


def open_group(*places: Place, reveal: bool = False) -> SinkGroup:
    return SinkGroup(places, replace=False, reveal=reveal, env=ENV, labels={"name": "agent"})


def test_every_place_gets_the_secret_and_commands_get_it_first(tmp_path: Path) -> None:
    look = f"sh -c 'ls {tmp_path} > {tmp_path}/seen; cat > {tmp_path}/$SPECTRONCTL_KEY_ID'"
    with open_group(
        read_file(f"{tmp_path}/app.key"),
        read_variable(f"{tmp_path}/.env:KEY"),
        read_command(look, ENV),
    ) as sinks:
        sinks.commit(SECRET, id="cak_1")

    assert (tmp_path / "app.key").read_text() == SECRET + "\n"
    assert (tmp_path / ".env").read_text() == f"KEY={SECRET}\n"
    assert (tmp_path / "cak_1").read_text() == SECRET + "\n"
    assert (tmp_path / "seen").read_text() == "seen\n"
    assert [place.kind for place in sinks.stored] == ["command", "variable", "file"]
    assert sinks.describe() == (
        f"command sh, variable KEY in {tmp_path}/.env, file {tmp_path}/app.key"
    )


def test_all_are_reserved_or_none(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="no directory"),
        open_group(
            read_file(f"{tmp_path}/app.key"),
            read_variable(f"{tmp_path}/.env:KEY"),
            read_file(f"{tmp_path}/nowhere/app.key"),
        ),
    ):
        pass
    assert os.listdir(tmp_path) == []


def test_a_failure_elsewhere_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError),
        open_group(read_file(f"{tmp_path}/a"), read_variable(f"{tmp_path}/b:KEY")),
    ):
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_a_command_that_fails_leaves_the_other_places_without_the_secret(tmp_path: Path) -> None:
    file = read_file(f"{tmp_path}/a")
    with (
        pytest.raises(SpectronctlError) as caught,
        open_group(file, read_command("false", ENV)) as sinks,
    ):
        sinks.commit(SECRET)
    assert caught.value.message.endswith(f"; none of command false, {file.label} has the secret")
    assert sinks.stored == []
    assert os.listdir(tmp_path) == []


def test_a_failure_half_way_says_who_has_the_secret_and_who_has_not(tmp_path: Path) -> None:
    first, second, third = (read_file(f"{tmp_path}/{name}") for name in "abc")
    with open_group(first, second, third) as sinks:
        Path(f"{tmp_path}/b").write_text("another's")
        with pytest.raises(ConfigError) as caught:
            sinks.commit(SECRET)
    assert caught.value.message.endswith(
        f"; the secret is in {first.label}, and not in {second.label}, {third.label}"
    )
    assert sinks.stored == [first]
    assert sinks.kept
    assert sorted(os.listdir(tmp_path)) == sorted(["a", "b", sinks.kept.name])


def test_one_target_twice_is_refused_once_the_names_are_known(tmp_path: Path) -> None:
    places = [read_file(f"{tmp_path}/{{name}}"), read_file(f"{tmp_path}/agent")]
    with pytest.raises(UsageError, match="twice"):
        open_group(*(place.fill(name="agent") for place in places))


def test_stdout_is_shown_the_secret_when_asked_or_when_there_is_no_other_place(
    tmp_path: Path,
) -> None:
    place = read_file(f"{tmp_path}/a")
    assert open_group().is_shown
    assert open_group(place, reveal=True).is_shown
    assert not open_group(place).is_shown

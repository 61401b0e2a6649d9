"""Promises of output/sinks/places.py: what an option names, kept in a journal and filled in for a key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectronctl.errors import ConfigError, UsageError
from spectronctl.output.sinks import (
    Place,
    check_distinct,
    read_command,
    read_file,
    read_variable,
)

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_places_are_absolute_since_a_resume_runs_elsewhere(here: Path) -> None:
    (here / "deliver").touch(mode=0o755)
    assert read_file("app.key").path == here / "app.key"
    assert read_variable("etc/.env:KEY").path == here / "etc/.env"
    assert read_command("./deliver", ENV).words == (str(here / "deliver"),)


def test_labels_name_the_place_and_no_word_of_a_command(here: Path) -> None:
    command = read_command("sh -c 'secret token'", ENV)
    assert read_file("app.key").label == f"file {here}/app.key"
    assert read_variable("a:b.env:AGENT_KEY").label == f"variable AGENT_KEY in {here}/a:b.env"
    assert command.label == "command sh"
    assert "token" not in repr(command)


def test_a_command_is_split_by_a_shells_rules_and_found_on_the_path_of_the_run(here: Path) -> None:
    (here / "bin").mkdir()
    (here / "bin" / "deliver").touch(mode=0o755)
    place = read_command("deliver 'two words' $HOME", {"PATH": "bin"})
    assert place.words == (str(here / "bin/deliver"), "two words", "$HOME")


@pytest.mark.parametrize("command", ["", "  ", "no-such-program x", "sh 'open", "./plain-file"])
def test_a_command_that_cannot_run_is_refused(here: Path, command: str) -> None:
    (here / "plain-file").touch(mode=0o644)
    with pytest.raises(UsageError, match="--secret-command"):
        read_command(command, ENV)


def test_a_program_that_is_not_found_is_named_without_its_arguments() -> None:
    with pytest.raises(UsageError) as caught:
        read_command("no-such-program token", ENV)
    assert "no-such-program" in caught.value.message
    assert "token" not in str(caught.value.to_dict())


@pytest.mark.parametrize("text", ["KEY", ":KEY", ".env:", ".env:1KEY", ".env:A-B", ".env:A\n"])
def test_what_is_not_a_path_and_a_variable_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--secret-env-file"):
        read_variable(text)


@pytest.mark.parametrize("text", ["", "-"])
def test_a_dash_is_no_file(text: str) -> None:
    with pytest.raises(UsageError, match="takes a path"):
        read_file(text)


PLACES = [
    Place(kind="file", path=Path("/keys/{name}.key")),
    Place(kind="variable", path=Path("/keys/.env"), name="KEY"),
    Place(kind="command", words=("/bin/deliver", "--to", "{context}/{id}")),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.kind)
def test_a_place_comes_back_from_json(place: Place) -> None:
    assert Place.from_dict(json.loads(json.dumps(place.to_dict()))) == place


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "file"},
        {"kind": "file", "path": None},
        {"kind": "variable", "path": "/a"},
        {"kind": "command", "words": []},
        {"kind": "command", "words": 5},
        {"kind": "telegram", "path": "/a"},
    ],
)
def test_a_journal_that_names_no_place_is_an_error(document: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Place.from_dict(document)


def test_placeholders_are_filled_in_paths_and_words_and_other_braces_stay() -> None:
    key = {"context": "acme", "name": "agent.g2", "id": "cak_1"}
    file = Place(kind="file", path=Path("/k/{context}/{name}-{id}{x}{}.key"))
    command = Place(kind="command", words=("/bin/d", "{{name}}", "${HOME}", "{id}={context}"))
    assert file.placeholders == {"context", "name", "id"}
    assert file.fill(**key).path == Path("/k/acme/agent.g2-cak_1{x}{}.key")
    assert command.fill(**key).words == ("/bin/d", "{agent.g2}", "${HOME}", "cak_1=acme")


def test_a_value_is_not_filled_in_again() -> None:
    place = Place(kind="file", path=Path("/k/{name}"))
    with pytest.raises(UsageError):
        place.fill(name="{id}", id="cak_1")


@pytest.mark.parametrize(
    "name", ["..", ".", "a/b", "../a", "a..b", "-rf", "", "a b", "a\n", "ä", "a'", "$(id)", ".a"]
)
def test_a_name_that_could_climb_or_inject_is_refused(name: str) -> None:
    place = Place(kind="file", path=Path("/k/{name}.key"))
    with pytest.raises(UsageError) as caught:
        place.fill(name=name, id="cak_1")
    assert "{id}" in str(caught.value.hint)
    assert Place(kind="file", path=Path("/k/{id}")).fill(name=name, id="cak_1").path


@settings(deadline=None)
@given(st.text(alphabet="a./\\.-_@+ \n\0", max_size=6))
def test_whatever_is_filled_in_stays_in_its_directory(name: str) -> None:
    try:
        path = Place(kind="file", path=Path("/k/{name}/x")).fill(name=name).path
    except UsageError:
        return
    assert os.path.normpath(str(path)) == f"/k/{name}/x"


def test_a_placeholder_whose_value_is_not_known_yet_says_which_are() -> None:
    with pytest.raises(UsageError) as caught:
        Place(kind="file", path=Path("/k/{id}")).fill(context="acme", name="agent")
    assert caught.value.hint == "Known are {context} and {name}."


def test_one_target_named_twice_is_refused(here: Path) -> None:
    (here / "link").symlink_to(here)
    file, variable = read_file("app"), read_variable("app:KEY")
    for other in (read_file("link/app"), read_file("./x/../app")):
        (here / "x").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="twice"):
            check_distinct([file, other])
    with pytest.raises(UsageError, match="twice"):
        check_distinct([variable, read_variable("link/app:KEY")])
    with pytest.raises(UsageError, match="cannot be used together"):
        check_distinct([file, variable])


def test_two_variables_of_one_file_and_two_equal_commands_are_two_targets() -> None:
    command = Place(kind="command", words=("/bin/d",))
    check_distinct([read_variable(".env:A"), read_variable(".env:B"), command, command])

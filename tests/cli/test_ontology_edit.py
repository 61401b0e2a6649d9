"""`spectronctl ontology edit`, with editors that are real programs."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.cli.test_ontology_changes import Untagged
from tests.support.command_tree import OWN_SAMPLES
from tests.support.commandline import SENTINEL, CommandLine
from tests.support.server import Server

URL = "/api/v1/contexts/acme-prod/ontology"
FILE = OWN_SAMPLES["ontology", "FILE|-"]
PEOPLE = yaml.safe_load(Path(FILE).read_text())

MakeEditor = Callable[[str], str]


@pytest.fixture
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the texts under edit are."""
    folder = tmp_path / "drafts"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def make_editor(tmp_path: Path) -> MakeEditor:
    """A program that gets the text as `text` and the number of times it ran as `turn`, and leaves `text`."""

    def make(body: str) -> str:
        count = tmp_path / "turns"
        program = tmp_path / "my editor"
        program.write_text(
            f"#!{sys.executable}\n"
            "import os, stat, sys, pathlib\n"
            f"count = pathlib.Path({str(count)!r})\n"
            "turn = int(count.read_text()) + 1 if count.exists() else 1\n"
            "count.write_text(str(turn))\n"
            "path = pathlib.Path(sys.argv[-1])\n"
            "text = path.read_text()\n"
            f"{body}\n"
            "path.write_text(text)\n"
        )
        program.chmod(0o755)
        return f"'{program}'"

    return make


@pytest.fixture
def people(acme: CommandLine, server: Server, drafts: Path) -> CommandLine:
    """The command line, with an ontology in its context."""
    assert acme(f"ontology set {FILE}").code == 0
    server.asked()
    return acme


def read(run: CommandLine) -> Any:
    return run("ontology get -o json").json


def find_kept(error: str, drafts: Path) -> Path:
    (kept,) = drafts.iterdir()
    assert f"Your text is kept in {kept}." in error
    return kept


ADD_CITY = "text = text.replace('- Company', '- Company\\n- City')"


def test_what_was_edited_is_written(
    people: CommandLine, make_editor: MakeEditor, drafts: Path
) -> None:
    result = people("ontology edit -o json", env={"EDITOR": make_editor(ADD_CITY)})
    assert (result.code, result.json["entity_types"]) == (0, ["Person", "Company", "City"])
    assert result.err.splitlines() == [
        "+ entity type City",
        "Changed the ontology of context acme-prod.",
    ]
    assert read(people) == result.json
    assert list(drafts.iterdir()) == []


def test_the_text_is_private_and_says_what_it_is(
    people: CommandLine, make_editor: MakeEditor, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    note = f"pathlib.Path({str(seen)!r}).write_text(f'{{stat.S_IMODE(path.stat().st_mode):o}}\\n{{text}}')"
    people("ontology edit", env={"EDITOR": make_editor(note)})
    mode, text = seen.read_text().split("\n", 1)
    assert mode == "600"
    assert text.startswith("# The ontology of context acme-prod.\n")
    assert yaml.safe_load(text) == PEOPLE


def test_visual_wins_and_may_have_words_of_its_own(
    people: CommandLine, make_editor: MakeEditor, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    editor = make_editor(f"pathlib.Path({str(seen)!r}).write_text(' '.join(sys.argv[1:-1]))")
    people("ontology edit", env={"VISUAL": f"{editor} --wait 'a b'", "EDITOR": "false"})
    assert seen.read_text() == "--wait a b"


def test_an_editor_sees_the_environment_without_our_keys(
    people: CommandLine, make_editor: MakeEditor, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    editor = make_editor(f"pathlib.Path({str(seen)!r}).write_text(repr(dict(os.environ)))")
    names = (
        "SPECTRON_API_KEY",
        "SPECTRON_MGMT_KEY",
        "SPECTRONCTL_API_KEY_FILE",
        "SPECTRONCTL_STORE_PASSWORD",
        "KEY_OF_MY_PROFILE",
        "SPECTRON_API_KEY_ACME_PLANNER",
    )
    env = {"EDITOR": editor, "MINE": "kept", **dict.fromkeys(names, SENTINEL)}
    env.pop("SPECTRONCTL_API_KEY_FILE")
    people("profiles add prod --url http://spectron.test --api-key-env KEY_OF_MY_PROFILE")
    assert people("ontology edit --profile prod", env=env).code == 0
    text = seen.read_text()
    assert "'MINE': 'kept'" in text
    assert f"'HOME': '{people.home}'" in text
    assert people.env["SPECTRON_MANAGEMENT_API_KEY"] not in text
    assert SENTINEL not in text


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "text = text + '# a comment\\n'",
        "text = ''",
        "text = '# only this\\n'",
        "text += '\\n'",
    ],
)
def test_without_a_change_nothing_is_sent(
    people: CommandLine, server: Server, make_editor: MakeEditor, drafts: Path, body: str
) -> None:
    result = people("ontology edit", env={"EDITOR": make_editor(body)})
    assert (result.code, result.out) == (0, "")
    assert result.err == "Nothing was changed.\n"
    assert server.asked() == [f"GET {URL}"]
    assert list(drafts.iterdir()) == []


REMOVE_COMPANY = "text = text.replace('- Company\\n', '')"


def test_what_would_go_is_asked_for_and_the_text_outlives_a_no(
    people: CommandLine, server: Server, make_editor: MakeEditor, drafts: Path
) -> None:
    env = {"EDITOR": make_editor(REMOVE_COMPANY)}
    unattended = people("ontology edit -o json", env=env)
    assert (unattended.code, unattended.out) == (2, "")
    assert "Remove entity type Company" in unattended.error["message"]
    find_kept(unattended.error["hint"], drafts).unlink()
    declined = people("ontology edit", env=env, stdin="n\n", terminal=True)
    assert declined.code == 1
    assert "Company" not in find_kept(declined.err, drafts).read_text()
    assert f"PUT {URL}" not in server.asked()
    assert people("ontology edit --yes", env=env).code == 0
    assert read(people)["entity_types"] == ["Person"]


WRONG_FIRST = """
if turn == 1:
    text = text.replace('- Company', '- Person')
else:
    text = text.replace('- Person\\n- Person', '- Person\\n- Company\\n- City')
"""


def test_a_wrong_text_can_be_edited_again_at_a_terminal(
    people: CommandLine, make_editor: MakeEditor, drafts: Path
) -> None:
    env = {"EDITOR": make_editor(WRONG_FIRST)}
    result = people("ontology edit", env=env, stdin="y\n", terminal=True)
    assert result.code == 0
    assert "entity_types[1]: Person stands at entity_types[0] already. Edit it again? [y/N]" in (
        result.err
    )
    assert read(people)["entity_types"] == ["Person", "Company", "City"]
    assert list(drafts.iterdir()) == []


def test_a_wrong_text_is_kept_when_it_is_given_up(
    people: CommandLine, server: Server, make_editor: MakeEditor, drafts: Path
) -> None:
    env = {"EDITOR": make_editor("text = 'entity_types: [A\\n'")}
    declined = people("ontology edit", env=env, stdin="n\n", terminal=True)
    assert declined.code == 1
    assert ", line 2, column 1: not YAML" in declined.err
    kept = find_kept(declined.err, drafts)
    assert kept.read_text() == "entity_types: [A\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.unlink()
    wrong = {"EDITOR": make_editor("text = 'entity_types: [A, A]'")}
    unattended = people("ontology edit -o json", env=wrong)
    assert (unattended.code, unattended.error["kind"]) == (7, "invalid")
    find_kept(unattended.error["hint"], drafts)
    assert f"PUT {URL}" not in server.asked()


def test_a_change_by_another_is_never_overwritten(
    people: CommandLine, server: Server, make_editor: MakeEditor, drafts: Path
) -> None:
    def come_between(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        assert people("ontology add --relation theirs").code == 0
        return inner.handle_request(request)

    server.faults.append(come_between)
    result = people("ontology edit -o json", env={"EDITOR": make_editor(ADD_CITY)})
    assert (result.code, result.out, result.error["kind"]) == (6, "", "conflict")
    assert "- City" in find_kept(result.error["hint"], drafts).read_text()
    assert read(people) == {**PEOPLE, "relation_labels": ["works_for", "theirs"]}


def test_nor_where_the_server_names_no_versions(
    run: CommandLine, make_editor: MakeEditor, drafts: Path
) -> None:
    other = Untagged(None)
    run.transport = other
    line = "ontology edit -c acme-prod -o json"
    env = {"EDITOR": make_editor(ADD_CITY)}
    other.meanwhile = [other.rename]
    result = run(line, env=env)
    assert (result.code, result.error["kind"]) == (6, "conflict")
    find_kept(result.error["hint"], drafts)
    assert other.body["entity_types"] == ["Person", "Company"]
    assert run(line, env=env).code == 0
    assert other.body["entity_types"] == ["Person", "Company", "City"]


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({}, "the session is not interactive, and neither VISUAL nor EDITOR"),
        ({"EDITOR": "  "}, "the session is not interactive"),
        ({"EDITOR": "no-such-editor"}, "EDITOR: there is no editor no-such-editor"),
        ({"VISUAL": "/nowhere/vim -f"}, "VISUAL: there is no editor /nowhere/vim"),
        ({"EDITOR": "vim 'open"}, 'EDITOR: "vim \'open" is not a command line'),
    ],
)
def test_without_an_editor_it_says_so_and_asks_no_server(
    people: CommandLine, server: Server, drafts: Path, env: dict[str, str], says: str
) -> None:
    result = people("ontology edit", env=env)
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert says in result.err
    assert list(drafts.iterdir()) == []


def test_at_a_terminal_the_default_is_vi(people: CommandLine, tmp_path: Path) -> None:
    here = {"PATH": str(tmp_path)}
    missing = people("ontology edit", env=here, terminal=True)
    assert missing.code == 2
    assert "the default: there is no editor vi" in missing.err
    vi = tmp_path / "vi"
    vi.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[1], 'a').write('# seen')\n")
    vi.chmod(0o755)
    assert people("ontology edit", env=here, terminal=True).err == "Nothing was changed.\n"


def test_an_editor_that_fails_changes_nothing(
    people: CommandLine, server: Server, make_editor: MakeEditor, drafts: Path
) -> None:
    for editor in ("false", make_editor("path.unlink(); sys.exit()")):
        result = people("ontology edit -o json", env={"EDITOR": editor})
        assert (result.code, result.out) == (1, "")
        assert list(drafts.iterdir()) == []
    failed = people(
        "ontology edit", env={"EDITOR": make_editor("path.write_text('x'); sys.exit(3)")}
    )
    assert "failed (3): nothing was changed" in failed.err
    assert find_kept(failed.err, drafts).read_text() == "x"
    assert f"PUT {URL}" not in server.asked()


def test_an_editor_that_cannot_be_started_says_why(people: CommandLine, tmp_path: Path) -> None:
    program = tmp_path / "editor"
    program.write_bytes(b"\x00not a program")
    program.chmod(0o755)
    result = people("ontology edit", env={"EDITOR": str(program)})
    assert result.code == 2
    assert "cannot be started: Exec format error" in result.err


def test_an_editor_that_replaces_the_file_is_followed(
    people: CommandLine, make_editor: MakeEditor
) -> None:
    replace = (
        f"{ADD_CITY}\nnew = path.with_suffix('.new')\nnew.write_text(text)\nos.replace(new, path)"
    )
    assert people("ontology edit", env={"EDITOR": make_editor(replace)}).code == 0
    assert "City" in read(people)["entity_types"]


def test_an_interrupt_is_the_editors_to_deal_with(
    people: CommandLine, make_editor: MakeEditor
) -> None:
    interrupt = (
        f"import signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(0.3)\n{ADD_CITY}"
    )
    assert people("ontology edit", env={"EDITOR": make_editor(interrupt)}).code == 0
    assert "City" in read(people)["entity_types"]


def test_a_text_outlives_an_interrupt_of_ours(
    people: CommandLine, server: Server, make_editor: MakeEditor, drafts: Path
) -> None:
    def interrupt(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        raise KeyboardInterrupt

    server.faults.append(interrupt)
    result = people("ontology edit", env={"EDITOR": make_editor(ADD_CITY)})
    assert result.code == 130
    find_kept(result.err, drafts)


def test_a_folder_for_the_text_is_needed(
    people: CommandLine, make_editor: MakeEditor, drafts: Path
) -> None:
    os.rmdir(drafts)
    result = people("ontology edit", env={"EDITOR": make_editor(ADD_CITY)})
    assert result.code == 1
    assert "no file to edit can be made: No such file or directory" in result.err

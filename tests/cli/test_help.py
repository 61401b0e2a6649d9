"""Help as a person meets it: complete, as wide as the terminal, with examples that work."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import pytest

from spectronctl.cli._help import GLOBAL_NOTE
from spectronctl.cli._tree import Node
from spectronctl.cli.commands import COMMANDS, SECTIONS
from tests.support.command_tree import GLOBAL, NODES, SAMPLE_FILES, add_options, name_of
from tests.support.commandline import CommandLine
from tests.support.processes import Shell

GROUPS = [node for node in NODES if node.children]


def read_help(run: CommandLine, node: Node, width: int = 80) -> str:
    result = run(" ".join([*node.path, "--help"]), env={"COLUMNS": str(width)})
    assert (result.code, result.err) == (0, "")
    return result.out


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_every_way_to_ask_for_help_is_the_same_help(node: Node, run_alone: CommandLine) -> None:
    shown = run_alone(" ".join([*node.path, "--help"]))
    ways = [[*node.path, "-h"], ["help", *node.path]]
    if len(node.path) > 1:
        ways.append([*node.path[:-1], "help", node.path[-1]])
    for words in ways:
        assert run_alone(" ".join(words)) == shown, words


@pytest.mark.parametrize("node", GROUPS, ids=name_of)
def test_help_in_a_group_is_its_help(node: Node, run_alone: CommandLine) -> None:
    assert run_alone(" ".join([*node.path, "help"])).out == read_help(run_alone, node)


def test_help_about_what_does_not_exist_suggests_what_does(run_alone: CommandLine) -> None:
    result = run_alone("help keys rotat --json")
    assert (result.code, result.error["candidates"]) == (2, ["rotate", "rotations"])


@pytest.mark.sampled
@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_help_fits_and_cuts_nothing(node: Node, width: int, run_alone: CommandLine) -> None:
    page = read_help(run_alone, node, width)
    for line in page.splitlines():
        assert len(line) <= width, line
        assert not line.endswith("...") or line.startswith("Usage:")
    for _, summary in node.children:  # each on one line
        assert any(line.endswith(f"  {summary}.") for line in page.splitlines())


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_help_tells_of_values_by_name_and_not_by_type(node: Node, run_alone: CommandLine) -> None:
    page = read_help(run_alone, node)
    assert not re.search(r"<(str|int|float|list|path|bool)|\bTEXT\b|\bINTEGER\b", page)
    for flag in node.flags:
        assert not flag.takes_value or flag.choices or flag.metavar


def test_global_options_are_one_line_of_every_page_and_a_page_of_their_own(
    run_alone: CommandLine,
) -> None:
    for node in NODES:
        page = read_help(run_alone, node)
        assert page.endswith(f"{GLOBAL_NOTE}\n")
        assert "--no-input" not in page
    for width in (80, 200):
        page = run_alone("options", env={"COLUMNS": str(width)}).out
        for flag in GLOBAL:
            assert all(re.search(rf"(^|[ ,]){re.escape(n)}[ ,]", page) for n in flag.names)
        assert all(len(line) <= width for line in page.splitlines())


def test_the_main_page_groups_all_commands() -> None:
    assert sorted(word for words in SECTIONS.values() for word in words) == sorted(COMMANDS)


# Examples


def test_every_command_has_examples() -> None:
    assert [" ".join(node.path) for node in NODES if not node.examples] == []


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_an_example_is_about_its_command_and_fits(node: Node, run_alone: CommandLine) -> None:
    page = read_help(run_alone, node)
    lines = node.examples
    block = "Examples:\n" + "".join(f"  spectronctl {line}\n" for line in lines)
    assert block in page
    for line in lines:
        assert len(f"  spectronctl {line}") <= 80
        if not node.children or node.runs:
            assert line.startswith(" ".join(node.path))


UNTIL_STOPPED = {("serve",), ("serve", "worker")}
"""Commands without an end: another test runs their examples."""

SESSION = "session:01JC4YKM3VQ8Z5T2N7XW9RHEA1"
JOB = "job_01JC4YKM3VQ8Z5T2N7XW9RHEA1"
TRACE = "trace:01JC4YKM3VQ8Z5T2N7XW9RHEA1"
ROTATION = "rot_20260301T071945_7f3c9e52"
REVOKED = "mgk_01JC4YKM3VQ8Z5T2N7XW9RHEA1"

FAMILIES = {
    name: [n for n in NODES if n.path[:1] == (name,) and n.path not in UNTIL_STOPPED]
    for name in COMMANDS
}


@pytest.fixture
def world(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """What the examples speak of: contexts, keys, files, and profiles to change."""
    monkeypatch.chdir(acme.home)
    for name in ("talk.jsonl", "people.yaml"):
        (acme.home / name).write_bytes((SAMPLE_FILES / name).read_bytes())
    (acme.home / "seed.yaml").write_text("contexts: [{id: acme}]\n")
    assert acme("contexts create acme-old --namespace acme --database old").code == 0
    for name in ("app-agent", "old-agent"):
        assert acme(f"keys create {name} --secret-file {name}.key").code == 0
    acme.env |= {"EDITOR": "true", "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    assert acme("profiles add prod --url http://prod.test").code == 0
    return acme


def prepare(world: CommandLine, line: str) -> str:
    """The line with ids of this server in the place of those of the examples."""
    if SESSION in line:
        made = world("sessions import talk.jsonl -q -o name").out.strip()
        line = line.replace(SESSION, made)
    if JOB in line:
        made = world("lifecycle reindex acme-prod --no-wait -q -o name").out.strip()
        line = line.replace(JOB, json.loads(world("lifecycle jobs list -o json").out)[-1]["id"])
    if TRACE in line:
        assert world("api POST /acme-prod/query --field query=plants --yes").code == 0
        line = line.replace(TRACE, world("traces list -o json").json[0]["id"])
    if REVOKED in line:
        line = line.replace(REVOKED, world("serve keys list -o json").json[0]["id"])
    if ROTATION in line:
        name = f"turn-{len(world('keys list -o name').out.split())}"
        world(f"keys create {name} --secret-file {name}.key")
        world(f"keys rotate {name} --overlap 1h --secret-file {name}.key --force --yes")
        rows = world("keys rotations list -o json").json
        line = line.replace(ROTATION, next(row["id"] for row in rows if row["name"] == name))
    return line.removesuffix(" --follow")  # which never ends


PREPARED = {
    "principals": [
        f"principals create {name} --if-exists skip" for name in ("app-agent", "planner")
    ],
    "management-keys": ["management-keys create ops --secret-file ops.key --force"],
    "profiles current": ["profiles use prod"],
    "profiles rename": ["profiles rm production --yes"],
    **{
        f"profiles {verb}": ["profiles add prod --url http://prod.test"]
        for verb in ("use", "show", "remove", "set")
    },
}
"""What the examples of a group, other than those that create, and of a verb need."""


def clear_way(world: CommandLine, line: str) -> None:
    """What an earlier example made is made anew by this one; the key in `app.key` is one that works."""
    words = line.split()
    if words[1:2] == ["create"] or words[:2] == ["profiles", "add"]:
        world(f"{words[0]} rm {words[2] if len(words) > 2 else 'none'} --yes")
    for prepared in PREPARED.get(words[0], ()):
        if words[1:2] != ["create"]:
            world(prepared)
    if words[:2] == ["management-keys", "create"]:
        world(f"management-keys revoke {words[2]} --yes --force")
    if words[:3] == ["serve", "keys", "create"]:
        for row in world("serve keys list -o json").json:
            world(f"serve keys revoke {row['id']} --yes")
    if line.startswith("keys verify env:"):  # an example has deleted it
        world("keys create old-agent --secret-file old-agent.key --force --yes")
    if "file:app.key" in line:
        world("keys rm verified --yes")
        world("keys create verified --secret-file app.key --force --yes")
    for prepared in PREPARED.get(" ".join(words[:2]), ()):
        world(prepared)


@pytest.mark.worker
@pytest.mark.parametrize("family", FAMILIES)
def test_the_examples_work(family: str, world: CommandLine) -> None:
    for node in FAMILIES[family]:
        for line in node.examples:
            clear_way(world, line)
            more = "--force --yes" if "--secret-file" in line and "--force" not in line else "--yes"
            key = (world.home / "old-agent.key").read_text().strip()
            env = {"SPECTRON_API_KEY": key} if "env:SPECTRON_API_KEY" in line else {}
            result = world(add_options(prepare(world, line), more), env=env)
            assert result.code in ENDS.get(node.path, {0}), (line, result.err)


ENDS: dict[tuple[str, ...], set[int]] = {("doctor",): {0, 9}}
"""Exit codes other than 0: no name server knows the server in memory."""


@pytest.mark.parametrize("path", sorted(UNTIL_STOPPED), ids=" ".join)
def test_the_examples_of_what_runs_until_stopped_work(
    path: tuple[str, ...], shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    port = "--port 0 " if path == ("serve",) else ""
    (node,) = [node for node in NODES if node.path == path]
    for number, line in enumerate(node.examples):
        ready = tmp_path / f"{number}.json"
        with (tmp_path / "log").open("w") as log:
            process = shell.start(f"{line} {port}--ready-file {ready}", stdout=log, stderr=log)
        while not ready.exists():
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        process.terminate()
        assert process.wait(30) in {0, -15, 143}, line

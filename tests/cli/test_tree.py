"""Promises that every command keeps, walked over the tree: a new command is covered the day it is born."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spectronctl.cli._tree import Node
from spectronctl.cli._typer import ALIASES
from tests.support.command_tree import (
    GLOBAL,
    NODES,
    OWN_SAMPLES,
    add_options,
    name_of,
    sample_line,
)
from tests.support.commandline import CommandLine
from tests.support.server import Server


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_help_is_complete(node: Node, run_alone: CommandLine) -> None:
    result = run_alone(" ".join([*node.path, "--help"]))

    assert (result.code, result.err) == (0, "")
    assert node.help
    assert all(text for _, text in node.children)
    assert all(flag.help for flag in node.flags)
    assert "Global options: run 'spectronctl options'." in result.out
    for flag in node.flags:
        assert flag.names[0] in result.out
    for word, _ in node.children:
        assert f"  {word} " in result.out


@pytest.mark.parametrize("node", [n for n in NODES if n.children], ids=name_of)
def test_what_a_group_says_of_a_command_is_what_the_command_says(node: Node) -> None:
    own = {
        child.path[-1]: child.help for child in NODES if child.path[:-1] == node.path and child.path
    }
    assert dict(node.children) == own


@pytest.mark.parametrize("node", [n for n in NODES if n.children and not n.runs], ids=name_of)
def test_a_group_alone_prints_its_help(node: Node, run_alone: CommandLine) -> None:
    assert run_alone(" ".join(node.path)) == run_alone(" ".join([*node.path, "--help"]))


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_no_command_redefines_a_global_option(node: Node) -> None:
    taken = {name for flag in GLOBAL for name in flag.names}
    assert taken.isdisjoint(name for flag in node.flags for name in flag.names)


@pytest.mark.parametrize(
    "path", ["contexts create", "contexts clone", "exec"], ids=lambda path: path.replace(" ", "-")
)
def test_a_required_option_is_asked_for(path: str, run_alone: CommandLine) -> None:
    """Options in a bundle, too."""
    (node,) = [node for node in NODES if " ".join(node.path) == path]
    required = [flag for flag in node.flags if flag.required]
    assert required
    assert run_alone(f"{path} a b").code == 2
    assert f"Missing option '{required[0].names[0]}'" in run_alone(f"{path} a b").err


GROUPS = [node for node in NODES if node.path and node.children]


@pytest.mark.parametrize("node", [n for n in GROUPS if n.path[-1].endswith("s")], ids=name_of)
def test_the_singular_of_a_group_is_a_hidden_alias(node: Node, run_alone: CommandLine) -> None:
    *above, name = node.path
    singular = name.removesuffix("s")
    shown = run_alone(" ".join([*above, singular, "--help"]))
    assert shown == run_alone(" ".join([*node.path, "--help"]))
    assert f"  {singular} " not in run_alone(" ".join([*above, "--help"])).out


@pytest.mark.parametrize("node", GROUPS, ids=name_of)
@pytest.mark.parametrize(("alias", "verbs"), ALIASES.items(), ids=ALIASES)
def test_aliases_work_everywhere(
    node: Node, alias: str, verbs: tuple[str, ...], run_alone: CommandLine
) -> None:
    words = [word for word, _ in node.children]
    meant = next((verb for verb in (alias, *verbs) if verb in words), None)
    result = run_alone(" ".join([*node.path, alias, "--help"]))
    if meant is None:
        assert result.code in {0, 2}
    else:
        assert result == run_alone(" ".join([*node.path, meant, "--help"]))
        assert result.code == 0


def test_rm_never_means_to_delete_a_whole_ontology(run_alone: CommandLine) -> None:
    assert run_alone("ontology rm --help") == run_alone("ontology remove --help")


PEOPLE = OWN_SAMPLES["ontology", "FILE|-"]
READS = [
    "contexts list",
    "contexts get acme-prod",
    "keys list",
    "keys get app",
    "ontology get",
    "ontology diff FILE",
    "whoami",
    "migrations status",
    "api GET /contexts",
    "api GET /contexts --paginate",
    "profiles list",
    "version",
]


@pytest.mark.parametrize("line", READS)
@pytest.mark.parametrize("shape", ["json", "jsonl", "yaml", "csv", "name"])
def test_what_scripts_read_is_the_same_bytes_everywhere(
    line: str, shape: str, run: CommandLine
) -> None:
    run("contexts create acme-prod --namespace acme --database prod")
    run("keys create app -c acme-prod --secret-file " + str(run.home / "secret"))
    run("ontology add -c acme-prod --entity-type Ghost --attribute Ghost=a,b --relation knows")
    line = f"{line.replace('FILE', PEOPLE)} -c acme-prod -o {shape}"

    plain = run(line)
    assert plain.code == 0
    assert plain.out
    if shape == "json":
        json.loads(plain.out)
    for env in (
        {"CI": "1"},
        {"COLUMNS": "20"},
        {"FORCE_COLOR": "1"},
        {"LC_ALL": "C", "TERM": "dumb"},
    ):
        if "last_used_at" in plain.out and line.startswith("keys"):
            continue
        assert run(line, env=env).out == plain.out
        assert run(line, env=env, terminal=True).out == plain.out


@pytest.mark.parametrize("position", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "flag", [f for f in GLOBAL if "--version" not in f.names], ids=lambda f: f.names[0]
)
def test_a_global_option_means_the_same_at_every_position(
    flag: object, position: int, run: CommandLine
) -> None:
    values = {
        "--profile": "nope",
        "--url": "http://other.test",
        "--api-key": "k",
        "--api-key-file": "/nowhere",
        "--output": "jsonl",
        "--query": "[0].source",
        "--columns": "source",
        "--sort": "source",
        "--limit": "3",
        "--color": "never",
        "--timeout": "5s",
        "--retries": "7",
    }
    name = flag.names[0]  # type: ignore[attr-defined]
    words = ["profiles", "show", "--no-input"]
    given = [name, values.get(name, "x")] if flag.takes_value else [name]  # type: ignore[attr-defined]
    expected = run(" ".join([*words, *given]))

    words[position:position] = given

    assert run(" ".join(words)) == expected
    assert expected != run("profiles show --no-input") or name in {
        "--no-input",
        "--color",
        "--debug",
        "--yes",
        "--quiet",
        "--limit",
    }


def test_the_option_nearest_the_command_wins(run_alone: CommandLine) -> None:
    result = run_alone("--output csv profiles --output yaml path --output json")
    assert result.json["path"].endswith("config.toml")


def test_a_value_that_looks_like_an_option_stays_a_value(run_alone: CommandLine) -> None:
    result = run_alone("profiles add --url http://x.test -- --profile")
    assert "--profile" in result.err


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("context list", None),
        ("contxts list", "contexts"),
        ("contexts lst", "list"),
        ("contexts list --outputt json", "--output"),
        ("contexts create x --namespac n", "--namespace"),
        ("profiles show missing", None),
    ],
)
def test_a_misspelling_is_answered_with_the_nearest(
    line: str, near: str | None, run_alone: CommandLine
) -> None:
    result = run_alone(f"{line} --json")
    assert result.code != 0
    if near:
        assert result.code == 2
        assert near in result.error["candidates"]


def test_an_option_in_the_wrong_group_is_told_where_it_belongs(run_alone: CommandLine) -> None:
    error = run_alone("contexts list --namespace acme -o json").error
    assert "contexts create" in error["hint"]


def test_version_answers_at_any_position(run_alone: CommandLine) -> None:
    first = run_alone("--version")
    assert first.out.startswith("spectronctl 0.")
    assert run_alone("contexts --version") == run_alone("contexts list --version") == first


LIBRARIES = {
    "typer",
    "pydantic",
    "httpx",
    "rich",
    "asyncio",
    "yaml",
    "jmespath",
    "tomlkit",
    "fastapi",
    "surrealdb",
    "platformdirs",
    "filelock",
}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("--version", set()),
        ("__complete profiles", set()),
        ("--help", {"typer"}),
        ("options", {"typer", "pydantic"}),
        ("help keys rotate", {"typer", "pydantic"}),
        ("contexts --help", {"typer", "pydantic"}),
        ("keys --help", {"typer", "pydantic"}),
        ("profiles --help", {"typer", "pydantic"}),
        ("ontology --help", {"typer", "pydantic"}),
        ("ontology edit --help", {"typer", "pydantic"}),
        ("serve --help", {"typer", "pydantic"}),
        ("serve exec --help", {"typer", "pydantic"}),
        ("lifecycle reindex --help", {"typer", "pydantic"}),
        ("lifecycle jobs watch --help", {"typer", "pydantic"}),
        ("migrations status --help", {"typer", "pydantic"}),
        ("api --help", {"typer", "pydantic"}),
        ("contexts clone --help", {"typer", "pydantic"}),
        ("exec --help", {"typer", "pydantic"}),
        ("profiles path", {"typer", "pydantic"}),
        (
            "contexts list --url http://127.0.0.1:1 --api-key k --retries 0",
            {"typer", "pydantic", "httpx", "asyncio"},
        ),
    ],
)
def test_startup_imports_nothing_it_does_not_need(
    line: str, wanted: set[str], tmp_path: Path
) -> None:
    code = (
        "import sys; from spectronctl.cli import main; main(sys.argv[1:]);"
        "print('\\nMODULES', *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *line.split()],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path)},
        check=True,
    )
    loaded = set(done.stderr.rpartition("MODULES")[2].split())
    assert loaded & LIBRARIES <= wanted


LENGTHS = [
    (node, flag.names[0])
    for node in NODES
    for flag in node.flags
    if flag.metavar == "DURATION" or (flag.metavar == "TIME" and "(ago)" in flag.help)
]


@pytest.mark.parametrize(
    ("node", "option"), LENGTHS, ids=[f"{name_of(node)} {option}" for node, option in LENGTHS]
)
@pytest.mark.parametrize("number", ["90", "0", "1.5"])
def test_a_length_of_time_without_a_unit_is_refused(
    node: Node, option: str, number: str, run: CommandLine, server: Server
) -> None:
    server.asked()
    needed = "--overlap 1h" if option == "--drain" else ""
    options = f"{option} {number} {needed} -c acme-prod --yes -o json"
    line = add_options(sample_line(node), options)
    result = run(line)
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert option in result.error["message"]
    assert f"{number}d" in result.error["candidates"]

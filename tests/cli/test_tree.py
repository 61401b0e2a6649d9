"""Promises that every command keeps, walked over the tree: a new command is covered the day it is born."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from spectronctl.cli._tree import Node, describe_flags, walk
from spectronctl.cli._typer import global_params
from spectronctl.cli.app import GROUPS, tree
from tests.conftest import SENTINEL, CommandLine, Server

NODES = list(walk(tree()))
LEAVES = [node for node in NODES if not node.children]
GLOBAL = describe_flags(global_params())

SAMPLES = {
    "ID": "acme-prod",
    "KEY": "app-agent",
    "NAME": "sample",
    "FIELD": "url",
    "VALUE|-": "http://other.test",
    "SHELL": "bash",
    "--namespace": "acme",
    "--database": "prod",
}
"""A fitting word for every required argument and option."""

OFFLINE = {"completion", "version", "profiles", "serve"}
"""Groups that speak to no server."""

ERROR_KEYS = {
    "kind",
    "message",
    "status",
    "type",
    "request_id",
    "hint",
    "command",
    "retry_after_secs",
    "candidates",
    "exit_code",
}
EXIT_CODES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 130}


def name_of(node: Node) -> str:
    return " ".join(node.path) or "root"


def sample_line(node: Node) -> str:
    """The command with everything it requires."""
    words = [SAMPLES[a.name] for a in node.arguments if a.required]
    for flag in node.flags:
        if flag.required:
            words += [flag.names[0], SAMPLES[flag.names[0]]]
    if node.path == ("contexts", "update"):
        words += ["--token-limit", "5"]
    return " ".join([*node.path, *words])


ONLINE = [node for node in LEAVES if node.path[0] not in OFFLINE]


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_help_is_complete(node: Node, run_alone: CommandLine) -> None:
    result = run_alone(" ".join([*node.path, "--help"]))

    assert (result.code, result.err) == (0, "")
    assert node.help
    assert all(text for _, text in node.children)
    assert all(flag.help for flag in node.flags)
    assert "Global options:" in result.out
    for flag in (*node.flags, *GLOBAL):
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


@pytest.mark.parametrize("group", [name for name in GROUPS if name.endswith("s")])
def test_the_singular_is_a_hidden_alias(group: str, run_alone: CommandLine) -> None:
    assert run_alone(f"{group[:-1]} --help").code == 0
    assert f"  {group[:-1]} " not in run_alone("--help").out


@pytest.mark.parametrize(
    ("alias", "line"),
    [
        ("ls", "contexts ls"),
        ("show", "contexts show x"),
        ("rm", "keys rm x -c y --yes"),
        ("rm", "profiles rm x"),
    ],
)
def test_aliases_work_everywhere(alias: str, line: str, run_alone: CommandLine) -> None:
    assert f"no command '{alias}'" not in run_alone(line).err


@pytest.mark.parametrize("node", LEAVES, ids=name_of)
def test_bad_usage_leaves_stdout_empty_and_one_error_object(
    node: Node, run_alone: CommandLine
) -> None:
    result = run_alone(" ".join([*node.path, "--no-such-option", "-o", "json"]))
    assert (result.code, result.out) == (2, "")
    assert set(result.error) == ERROR_KEYS
    assert result.error["kind"] == "usage"


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused", request=request)


def answer_with(status: int, text: str = SENTINEL) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status, html=f"<h1>{text}</h1>", request=request)


FAILURES = {
    "refused": refuse,
    **{
        str(status): answer_with(status)
        for status in (200, 302, 400, 401, 403, 404, 409, 418, 429, 500, 501, 503)
    },
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("node", ONLINE, ids=name_of)
def test_a_failure_is_one_error_object_without_the_secret(
    node: Node, failure: str, tmp_path: Path
) -> None:
    run = CommandLine(tmp_path, httpx.MockTransport(FAILURES[failure]))
    options = f"--api-key {SENTINEL} -c acme-prod --yes --retries 0 --url http://spectron.test"

    result = run(f"{sample_line(node)} {options} -o json", env={"CI": "1"})

    assert result.code in EXIT_CODES - {0}
    assert result.out == ""
    assert set(result.error) == ERROR_KEYS
    assert result.error["exit_code"] == result.code
    assert SENTINEL not in result.err

    for shape in ("-o table", "-o table --debug", "-o csv --debug"):
        people = run(f"{sample_line(node)} {options} {shape}")
        assert (people.code, people.out) == (result.code, "")
        assert SENTINEL not in people.err
        assert "error: " in people.err
        assert "Traceback" not in people.err


@pytest.mark.parametrize("node", ONLINE, ids=name_of)
def test_without_a_key_nothing_is_sent(node: Node, tmp_path: Path) -> None:
    sent: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    run = CommandLine(tmp_path, httpx.MockTransport(note))
    result = run(f"{sample_line(node)} -c acme-prod --yes -o json")
    assert (result.code, sent) == (3, [])
    assert "SPECTRON_MANAGEMENT_API_KEY" in result.error["hint"]


READS = [
    "contexts list",
    "contexts get acme-prod",
    "keys list",
    "keys get app",
    "whoami",
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
    line = f"{line} -c acme-prod -o {shape}"

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
        ("profiles show nobody", None),
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
        ("contexts --help", {"typer", "pydantic"}),
        ("keys --help", {"typer", "pydantic"}),
        ("profiles --help", {"typer", "pydantic"}),
        ("serve --help", {"typer", "pydantic"}),
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


@pytest.mark.parametrize("shape", ["table", "json"])
def test_a_command_that_succeeds_shows_no_key_either(shape: str, run: CommandLine) -> None:
    key = run.env["SPECTRON_MANAGEMENT_API_KEY"]
    secret_file = run.home / "secret"
    lines = [
        "contexts create acme-prod --namespace acme --database prod --provider openai=env:PROVIDER",
        "contexts update acme-prod --provider other=env:PROVIDER",
        "contexts list",
        "contexts get acme-prod",
        f"keys create app-agent --secret-file {secret_file}",
        f"keys rotate app-agent --yes --force --secret-file {secret_file}",
        "keys list",
        "keys get app-agent",
        "whoami",
        f"whoami --api-key-file {secret_file}",
        "profiles show",
        "version --server",
        "keys delete app-agent --yes",
        "contexts delete acme-prod --yes",
    ]
    assert {" ".join(node.path) for node in ONLINE} <= {
        " ".join(line.split()[:2]) for line in lines
    } | {"whoami"}
    for line in lines:
        env = {"SPECTRON_CONTEXT_ID": "acme-prod", "PROVIDER": SENTINEL}
        result = run(f"{line} --debug -o {shape}", env=env)
        assert result.code == 0, result.err
        secrets = [
            key,
            SENTINEL,
            *(secret_file.read_text().split() if secret_file.exists() else []),
        ]
        for secret in secrets:
            assert secret not in result.out + result.err


@pytest.mark.parametrize(("headers", "secs"), [({"Retry-After": "7"}, 7.0), ({}, None)])
def test_rate_limiting_tells_when_to_come_back(
    headers: dict[str, str], secs: float | None, tmp_path: Path
) -> None:
    busy = httpx.MockTransport(
        lambda request: httpx.Response(429, headers=headers, request=request)
    )
    result = CommandLine(tmp_path, busy)(
        "contexts list --api-key k --retries 0 -o json", env={"CI": "1"}
    )
    assert (result.code, result.error["retry_after_secs"]) == (8, secs)


DESTRUCTIVE = [n for n in ONLINE if any("--confirm" in flag.names for flag in n.flags)]


@pytest.mark.parametrize("node", DESTRUCTIVE, ids=name_of)
def test_destruction_without_consent_sends_nothing(
    node: Node, run: CommandLine, server: Server
) -> None:
    server.asked()
    result = run(f"{sample_line(node)} -c acme-prod -o json")
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert result.error["kind"] == "usage"


def test_what_destroys_can_be_confirmed() -> None:
    verbs = {"delete", "rotate", "remove", "revoke", "purge"}
    assert {n.path for n in ONLINE if n.path[-1] in verbs} == {n.path for n in DESTRUCTIVE}


@pytest.mark.parametrize(
    "line",
    [
        "-o json foo",
        "foo -o json",
        "contexts list -ojson --bad",
        "contexts list --bad --output=json",
        "contexts --json lst",
        "keys create --json",
        "contexts list --limit x -o json",
        "contexts list --output jsonl --timeout zz",
    ],
)
def test_the_error_has_the_form_that_was_asked_for_wherever_it_stands(
    line: str, run_alone: CommandLine
) -> None:
    result = run_alone(line)
    assert (result.code, result.out, result.error["kind"]) == (2, "", "usage")


@pytest.mark.parametrize(
    "line",
    [
        "contexts list KEY",
        "contexts list -o KEY",
        "KEY",
        "keys KEY",
        "contexts create KEY --namespace a --database b",
    ],
)
@pytest.mark.parametrize("shape", ["", "--json"])
def test_a_key_pasted_in_the_wrong_place_is_not_repeated(
    line: str, shape: str, run: CommandLine
) -> None:
    key = run.env["SPECTRON_MANAGEMENT_API_KEY"]
    result = run(f"{line.replace('KEY', key)} {shape}")
    assert result.code != 0
    assert key not in result.out + result.err

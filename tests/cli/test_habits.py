"""What people type who know other tools is told what to type here, and what they are told is a line that works."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from spectronctl.cli._habits import LINES, NOTES, NOUNS, OPTIONS, VERBS
from spectronctl.cli._typer import Context, LazyGroup
from spectronctl.cli.app import tree
from spectronctl.cli.runtime import Runtime
from tests.support.command_tree import NODES
from tests.support.commandline import CommandLine

HABITS = {
    "list contexts": "contexts list",
    "list": "contexts list",
    "list keys": "keys list",
    "list api-keys": "keys list",
    "list sessions": "sessions list",
    "list profiles": "profiles list",
    "get contexts": "contexts list",
    "get ctx": "contexts get ID",
    "get context acme": "contexts get ID",
    "get keys": "keys list",
    "get key app": "keys get KEY",
    "get jobs": "lifecycle jobs list",
    "get job 17": "lifecycle jobs get JOB",
    "get schema": "ontology get",
    "describe": "contexts get ID",
    "describe context acme": "contexts get ID",
    "describe key app": "keys get KEY",
    "contexts describe acme": "contexts get ID",
    "keys describe app": "keys get KEY",
    "sessions view 01J": "sessions get SESSION",
    "create context acme": "contexts create ID --namespace NAME --database NAME",
    "create key app": "keys create NAME",
    "create token": "keys create NAME",
    "create -f x.yaml": "contexts create ID --namespace NAME --database NAME",
    "apply -f x.yaml": "contexts update ID --config FILE",
    "apply": "contexts update ID --config FILE",
    "contexts add acme": "contexts create ID --namespace NAME --database NAME",
    "contexts edit acme": "contexts update ID",
    "contexts use acme": "profiles set NAME context ID",
    "edit context acme": "contexts update ID",
    "delete context acme": "contexts delete ID",
    "delete contexts a b": "contexts delete ID",
    "delete key app": "keys delete KEY",
    "delete acme": "contexts delete ID",
    "destroy context acme": "contexts delete ID",
    "rm context acme": "contexts delete ID",
    "delete ontology": "ontology delete",
    "drop ontology": "ontology remove",
    "revoke": "keys delete KEY",
    "revoke key app": "keys delete KEY",
    "revoke app": "keys delete KEY",
    "keys revoke app": "keys delete KEY",
    "keys add app": "keys create NAME",
    "keys issue app": "keys create NAME",
    "keys renew app": "keys rotate",
    "rotate key app": "keys rotate",
    "rotate app": "keys rotate KEY",
    "keys list acme": "keys list -c ID",
    "sessions list acme": "sessions list -c ID",
    "ontology get acme": "ontology get -c ID",
    "migrations status acme": "migrations status -c ID",
    "contexts list acme": "contexts get ID",
    "profiles list prod": "profiles get NAME",
    "config": "profiles list",
    "config view": "profiles show",
    "config current-context": "profiles current",
    "config use-context prod": "profiles use NAME",
    "configure": "profiles add NAME --url URL --api-key-file PATH",
    "login": "profiles add NAME --url URL --api-key-file PATH",
    "auth login": "profiles add NAME --url URL --api-key-file PATH",
    "logout": "profiles remove NAME",
    "auth": "whoami",
    "auth status": "whoami",
    "auth can-i get keys": "whoami",
    "token": "keys list",
    "token create app": "keys create NAME",
    "token revoke app": "keys delete KEY",
    "token lookup": "whoami",
    "tokens": "keys list",
    "secrets": "keys list",
    "use-context prod": "profiles use NAME",
    "use prod": "profiles use NAME",
    "current-context": "profiles current",
    "ctx": "contexts list",
    "tenants": "contexts list",
    "tenants list": "contexts list",
    "jobs": "lifecycle jobs list",
    "jobs watch 17": "lifecycle jobs watch JOB",
    "cancel job 17": "lifecycle jobs cancel JOB",
    "rotations list": "keys rotations list",
    "schema": "ontology get",
    "ontology list": "ontology get",
    "logs": "sessions transcript SESSION",
    "sessions export 01J": "sessions transcript",
    "export": "sessions transcript --all --output-dir PATH",
    "run": "exec --key NAME -- CMD",
    "health": "doctor",
    "ping": "doctor",
    "server": "serve",
    "start": "serve",
    "curl /contexts": "api GET /contexts",
    "reindex acme": "lifecycle reindex",
    "transcript 01J": "sessions transcript",
}
"""What is typed → the line that the error offers, where there is one."""


@pytest.mark.parametrize(("typed", "line"), HABITS.items(), ids=HABITS)
def test_a_habit_is_told_the_line(typed: str, line: str, run_alone: CommandLine) -> None:
    result = run_alone(f"{typed} --json")
    assert (result.code, result.out) == (2, "")
    assert result.error["command"] == f"spectronctl {line}"
    assert f"\n  try: spectronctl {line}\n" in run_alone(typed).err


OPTION_HABITS = {
    **{name: f"Pass {meant} instead." for name, meant in OPTIONS.items()},
    **NOTES,
}


@pytest.mark.parametrize(("option", "hint"), OPTION_HABITS.items(), ids=OPTION_HABITS)
@pytest.mark.parametrize("line", ["contexts list", "keys get app"])
def test_an_option_of_another_tool_is_told_what_stands_for_it(
    line: str, option: str, hint: str, run_alone: CommandLine
) -> None:
    result = run_alone(f"{line} {option} x")
    assert (result.code, result.out) == (2, "")
    assert " ".join(hint.split()) in " ".join(result.err.split())


def parse(line: str) -> None:
    """Typer's own parsing of a line, without running it."""
    command: Any = tree()
    context = Context(command, info_name="spectronctl", obj=Runtime(env={}))
    words = shlex.split(line)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
        command = command.loaded if isinstance(command, LazyGroup) else command
    command.make_context(command.name, words, parent=context)


QUOTED = [line for note in NOTES.values() for line in re.findall(r"'spectronctl ([^']+)'", note)]
OFFERED = sorted(
    {
        *HABITS.values(),
        *LINES.values(),
        *QUOTED,
        *(
            f"{line} {meant}"
            for line in ("contexts list", "keys list")
            for meant in OPTIONS.values()
        ),
    }
)


@pytest.mark.parametrize("line", OFFERED)
def test_what_is_offered_is_a_line_that_works(line: str) -> None:
    parse(line)


def test_no_word_of_ours_is_taken_for_a_habit() -> None:
    taken = {" ".join(node.path) for node in NODES}
    assert taken.isdisjoint(LINES)
    own = {name for node in NODES for flag in node.flags for name in flag.names}
    assert own.isdisjoint(OPTIONS.keys() - {"--format", "--host", "--server"})
    assert set(NOUNS) <= taken
    verbs = {word for node in NODES for word, _ in node.children}
    assert {verb for names in VERBS for verb in names.split()} <= verbs


def test_what_was_typed_is_not_repeated_in_the_line(run_alone: CommandLine) -> None:
    assert "mgmt-hidden" not in run_alone("revoke mgmt-hidden").err

"""Help and messages keep to the glossary, and a help line is an imperative sentence that names its unit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from spectronctl.cli._tree import Flag, Node
from tests.glossary import GLOSSARY, IMPERATIVES, UNITS
from tests.support.command_tree import GLOBAL, NODES, name_of

PACKAGE = Path(__file__).parents[2] / "spectronctl"
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN = re.compile(
    "|".join(rf"(?<![-\w])(?:{words})(?![-\w])" for words in GLOSSARY), re.IGNORECASE
)
OPTIONS = {flag.names[0]: flag for flag in GLOBAL} | {
    f"{name_of(node)} {flag.names[0]}": flag for node in NODES for flag in node.flags
}


def list_help(node: Node) -> Iterator[str]:
    yield node.help
    yield from (flag.help for flag in node.flags)
    yield from (argument.help for argument in node.arguments)


def list_all_help() -> Iterator[str]:
    for node in NODES:
        yield from list_help(node)
    yield from (flag.help for flag in GLOBAL)


def list_strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string of a module but its docstrings, with its line; what an f-string puts in is left out."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
            yield node.lineno, "{}".join(map(str, texts))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in skipped
        ):
            yield node.lineno, node.value


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_a_help_line_is_an_imperative_sentence(node: Node) -> None:
    for text in list_help(node):
        check_sentence(text)


@pytest.mark.parametrize("flag", GLOBAL, ids=lambda flag: str(flag.names[0]))
def test_the_help_of_a_global_option_is_an_imperative_sentence(flag: Flag) -> None:
    check_sentence(flag.help)


def check_sentence(text: str) -> None:
    first = re.split(r"[\s,]", text)[0]
    assert first in IMPERATIVES, f"{text!r} does not begin with a verb of tests/glossary.py"


def test_every_verb_of_the_glossary_occurs() -> None:
    assert {re.split(r"[\s,]", text)[0] for text in list_all_help()} == IMPERATIVES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_help_line_is_written_with_a_full_stop(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg == "help":
            text = ast.literal_eval(node.value) if isinstance(node.value, ast.Constant) else "-."
            assert re.search(r"\.(  \[default: .*\])?$", text.partition("\n\n")[0]), text


@pytest.mark.parametrize("name", [name for name, flag in OPTIONS.items() if flag.metavar in UNITS])
def test_an_option_that_takes_a_quantity_names_its_unit(name: str) -> None:
    flag = OPTIONS[name]
    assert re.search(UNITS[flag.metavar], flag.help), flag.help


@pytest.mark.parametrize("name", [name for name, flag in OPTIONS.items() if flag.limits])
def test_every_number_has_a_metavar_with_a_unit(name: str) -> None:
    assert OPTIONS[name].metavar in UNITS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_help_and_messages_keep_to_the_glossary(path: Path) -> None:
    found = [
        f"{line}: {text!r}"
        for line, text in list_strings(ast.parse(path.read_text()))
        if FORBIDDEN.search(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_the_description_of_a_command_keeps_to_the_glossary(node: Node) -> None:
    """Docstrings of commands are help, too."""
    assert not FORBIDDEN.search(node.description)


@pytest.mark.parametrize(
    "text",
    ["Nobody is there.", "the answer is empty", "a file exists already", "whoever holds it"],
)
def test_the_glossary_finds_what_it_forbids(text: str) -> None:
    assert FORBIDDEN.search(text)

"""`--limit` beside an option that means everything: refused in words, whichever command has the option."""

from __future__ import annotations

import pytest

from spectronctl.cli._tree import Node
from tests.support.command_tree import ONLINE, name_of
from tests.support.commandline import CommandLine

EVERYTHING = [
    (node, flag.names[0])
    for node in ONLINE
    for flag in node.flags
    if flag.names[0] in {"--all", "--all-contexts"}
]
ALSO: dict[tuple[str, ...], str] = {
    ("sessions", "transcript"): "--output-dir .",
    ("keys", "rotate"): "--secret-file '{name}.key'",
}


def test_there_are_such_options() -> None:
    assert len(EVERYTHING) > 5


@pytest.mark.parametrize(
    ("node", "option"), EVERYTHING, ids=[f"{name_of(node)} {option}" for node, option in EVERYTHING]
)
def test_everything_and_a_limit_are_refused_in_words(
    node: Node, option: str, unanswered: CommandLine
) -> None:
    unanswered.env["SPECTRON_MANAGEMENT_API_KEY"] = "mgmt-1"
    context = "" if option == "--all-contexts" else "-c acme-prod"
    unanswered.env["SPECTRON_CONTEXT_ID"] = ""
    line = f"{' '.join(node.path)} {option} {ALSO.get(node.path, '')} {context} --yes"
    result = unanswered(f"{line} --limit 2 -o json")
    assert (result.code, result.out) == (2, "")
    assert f"{option} and --limit cannot be used together" in result.error["message"]

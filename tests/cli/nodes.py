"""The command tree of the tests: every visible command, and a line that runs it."""

from __future__ import annotations

from spectronctl.cli._tree import Node, describe_flags, walk
from spectronctl.cli._typer import global_params
from spectronctl.cli.app import tree

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

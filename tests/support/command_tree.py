"""The command tree of the tests: every visible command, and a line that runs it."""

from __future__ import annotations

from pathlib import Path

from spectronctl.cli._tree import Node, describe_flags, walk
from spectronctl.cli._typer import global_params
from spectronctl.cli.app import tree

NODES = list(walk(tree()))
LEAVES = [node for node in NODES if not node.children]
GLOBAL = describe_flags(global_params())
SAMPLE_FILES = Path(__file__).with_name("samples")

SAMPLES = {
    "ID": "acme-prod",
    "SRC": "acme-prod",
    "DST": "acme-copy",
    "KEY": "app-agent",
    "NAME": "sample",
    "MANAGEMENT_KEY": "spare",
    "NEW": "renamed",
    "FIELD": "url",
    "VALUE|-": "http://other.test",
    "SHELL": "bash",
    "SOURCE": "env:SAMPLE_KEY",
    "ROTATION": "rot_20260101T000000_00000000",
    "SESSION": "session:01JZZZZZZZZZZZZZZZZZZZZZZZ",
    "TRACE": "trace:01JZZZZZZZZZZZZZZZZZZZZZZZ",
    "JOB": "job_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    "QUERY": "plants",
    "PRINCIPAL": "app-agent",
    "GRANT": "grant:manage=org/acme/*",
    "VERB": "memory:read",
    "SCOPE": "org/acme",
    "METHOD": "GET",
    "PATH": "/contexts",
    "FILE|-": str(SAMPLE_FILES / "talk.jsonl"),
    "--namespace": "acme",
    "--database": "prod",
    "--key": "app-agent",
}
"""A fitting word for every required argument and option."""

OWN_SAMPLES = {("ontology", "FILE|-"): str(SAMPLE_FILES / "people.yaml")}
"""What fits a group in place of that."""

BRINGS_A_KEY: set[tuple[str, ...]] = {("keys", "verify")}
"""Commands that send the key of their SOURCE and no other."""

DIAGNOSES: set[tuple[str, ...]] = {("doctor",)}
"""Commands whose answer is what is wrong: they print it although they fail, and ask the server without a key too."""

DESTROYS_WITH: dict[tuple[str, ...], str] = {("keys", "create"): "--if-exists rotate"}
"""Commands that destroy something only with this option."""

DESTROYS_AS: dict[tuple[str, ...], str] = {("api",): "api DELETE /contexts/acme-prod"}
"""Commands that destroy something only by other words than their sample's."""

ASKS_AFTER_READING: set[tuple[str, ...]] = {
    ("contexts", "create"),
    ("contexts", "update"),
    ("principals", "update"),
    ("ontology", "set"),
    ("ontology", "edit"),
}
"""Commands that look first and ask only where something would be lost: tests of their own hold them to it."""

NEEDS_NO_CONSENT: set[tuple[str, ...]] = {
    ("ontology", "add"),
    ("keys", "rotations", "resume"),
    ("keys", "rotations", "abort"),
    ("exec",),
}
"""Commands whose requests could destroy, and do not: they add, or end what was agreed to or what they have made."""

OFFLINE: set[tuple[str, ...]] = {
    ("completion",),
    ("options",),
    ("version",),
    ("profiles",),
    ("serve",),
    ("keys", "rotations", "list"),
    ("keys", "rotations", "get"),
    ("ontology", "validate"),
}
"""Commands, and groups of them, that speak to no server."""

ALSO_NEEDED: dict[tuple[str, ...], str] = {
    ("contexts", "update"): "--token-limit 5",
    ("principals", "update"): "--name renamed",
    ("keys", "rotate"): SAMPLES["KEY"],
    ("keys", "rotations", "resume"): SAMPLES["ROTATION"],
    ("sessions", "transcript"): SAMPLES["SESSION"],
    ("ontology", "add"): "--entity-type Person",
    ("ontology", "remove"): "--entity-type Person",
}
"""What a command wants although no single argument or option is required."""


END_OF_LINE: dict[tuple[str, ...], str] = {
    ("exec",): "-- true",
    ("serve", "exec"): "-- true",
}
"""What must come last, after all options: words of another program's."""


def name_of(node: Node) -> str:
    return " ".join(node.path) or "root"


def sample_line(node: Node, *options: str) -> str:
    """The command with everything it requires, and these options."""
    group, end = node.path[0], END_OF_LINE.get(node.path, "")
    required = [a.name for a in node.arguments if a.required and not end]
    words = [OWN_SAMPLES.get((group, name)) or SAMPLES[name] for name in required]
    for flag in node.flags:
        if flag.required:
            words += [flag.names[0], SAMPLES[flag.names[0]]]
    also = ALSO_NEEDED.get(node.path, "")
    return " ".join(filter(None, [*node.path, *words, also, *options, end]))


def add_options(line: str, options: str) -> str:
    """A line with more options, in front of another program's words."""
    own, end, words = line.partition(" -- ")
    return f"{own} {options}{end}{words}"


def is_offline(node: Node) -> bool:
    return any(node.path[: len(path)] == path for path in OFFLINE)


ONLINE = [node for node in LEAVES if not is_offline(node)]

"""What steers a terminal, in every string of every answer: shown harmlessly to people, and verbatim to programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.cli._tree import Node
from tests.support.command_tree import ONLINE, add_options, name_of
from tests.support.commandline import CommandLine, Result
from tests.support.scenes import World, find_error
from tests.support.soak import SOAK

PAYLOADS = {
    "clear the screen": "\x1b[2J\x1b[H",
    "set the title": "\x1b]0;owned\x07",
    "a link": "\x1b]8;;http://evil.test\x1b\\here\x1b]8;;\x1b\\",
    "write the clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "ask the terminal": "\x1b[6n\x1bP$q\x1b\\",
    "controls of 8 bits": "\x9b2J\x9d0;owned\x9c\x90",
    "overwrite the line": "\rok\x08\x08\x7f\x00\x0b\x0c",
    "another line": "\nerror: forged\n  try: rm -rf /",
    "turn the direction": "\u202egnp.exe\u2066\u2069\u200f\u061c",
    "other ends of lines": "\u2028\u2029\x85",
    "markup": "[bold red]x[/] [link=http://evil.test]y[/link] :boom:",
}
EVERYTHING = " ".join(PAYLOADS.values())

STEERING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

ITS_OWN = re.compile(r"\r?\x1b\[(\?25[lh]|2K|1A)")
"""What a bar of progress says to a terminal."""

NEEDED = {"status", "next_cursor", "role", "secret"}
"""Fields that a command cannot do without: with another text in them it fails, or waits for ever."""

FOUND_BY = {"id", "job_id", "name", "display_name", "expires_at"}
FINDING: set[tuple[str, ...]] = {
    ("keys", "get"),
    ("keys", "rotate"),
    ("keys", "rotations", "resume"),
    ("keys", "delete"),
    ("lifecycle", "reindex"),
    *(("principals", verb) for verb in ("get", "update", "delete", "grant", "revoke", "effective")),
    *(("management-keys", verb) for verb in ("rotate", "revoke")),
}
"""Fields by which these commands find again what they are about."""

REFUSED: set[tuple[str, ...]] = {
    ("contexts", "clone"),
    ("ontology", "edit"),
    ("ontology", "add"),
    ("ontology", "remove"),
    ("sessions", "import"),
    ("lifecycle", "jobs", "cancel"),
    ("exec",),
}
"""Commands that fail: they give the server its own texts back, which it does not take; and the job is over."""

OF_ITS_OWN: set[tuple[str, ...]] = {
    ("contexts", "delete"),
    ("keys", "rotations", "resume"),
    ("keys", "rotations", "abort"),
    ("keys", "delete"),
    ("keys", "orphans"),
    ("principals", "delete"),
    ("scopes", "delete"),
    ("scopes", "forget"),
    ("management-keys", "revoke"),
    ("ontology", "delete"),
    ("sessions", "delete"),
    ("doctor",),
}
"""Commands whose answer holds no text of the server's, but for what a diagnosis quotes."""


def spoil_strings(value: Any, payload: str, spared: set[str], name: str = "") -> Any:
    """Every string of an answer with the payload at its end, and every object with one more field, named so."""
    if isinstance(value, dict):
        spoilt = {key: spoil_strings(part, payload, spared, key) for key, part in value.items()}
        return spoilt if "next_cursor" in value else {**spoilt, **make_field(value, payload)}
    if isinstance(value, list):
        return [spoil_strings(part, payload, spared, name) for part in value]
    return value + payload if isinstance(value, str) and name not in spared else value


def make_field(known: dict[str, Any], payload: str) -> dict[str, Any]:
    """A field more: a text, or a list of them where all are lists; none where one cannot know."""
    if not known or any(
        isinstance(item, dict) for part in known.values() if isinstance(part, list) for item in part
    ):
        return {}
    are_lists = all(isinstance(part, list) for part in known.values())
    return {f"x{payload}": [f"y{payload}"] if are_lists else f"y{payload}"}


def run(world: World, node: Node, options: str, spared: set[str], **how: Any) -> Result:
    scene = world.prepare(node)
    world.proxy.rewrite = lambda body: json.dumps(
        spoil_strings(json.loads(body), EVERYTHING, spared)
    ).encode()
    waits = any("--wait-timeout" in flag.names for flag in node.flags)
    also = f"--timeout 5s --color never {'--wait-timeout 1s' if waits else ''}"
    try:
        return scene.run(add_options(scene.line, f"{also} {options}"), **how)
    finally:
        world.proxy.rewrite = None
        world.proxy.heal()
        world.look()


def list_strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        yield from (text for part in value.values() for text in list_strings(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in list_strings(part))
    elif isinstance(value, str):
        yield value


def check_harmless(result: Result) -> None:
    assert "This is a defect" not in result.err
    for text in (result.out, ITS_OWN.sub("", result.err)):
        assert STEERING.findall(text) == []
    assert "\nerror: forged" not in result.err


def check_plain(result: Result) -> None:
    """No byte of what programs read steers anything, and what fails says so in the agreed way."""
    for text in (result.out, result.err):
        assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text) == []
    if result.code:
        assert result.out == ""
        find_error(result)


def check_verbatim(node: Node, result: Result) -> None:
    """Every text of the server that is in the answer is there as it was given, and some are."""
    assert (result.code == 0) == (node.path not in REFUSED), result.err
    if result.code or node.path in OF_ITS_OWN:
        return
    strings = [text for text in list_strings(result.json) if "owned" in text]
    assert strings
    assert [text for text in strings if EVERYTHING not in text] == []


SPARED = {"all that may be": NEEDED, **({"all": set()} if SOAK else {})}
ON_TERMINALS = ("table", "wide", "name") if SOAK else ("table",)


@pytest.mark.sampled
@pytest.mark.parametrize("spared", SPARED.values(), ids=SPARED)
@pytest.mark.parametrize("node", ONLINE, ids=name_of)
def test_no_text_of_a_server_steers_a_terminal(node: Node, spared: set[str], world: World) -> None:
    spared = spared | FOUND_BY if spared and node.path in FINDING else spared
    check_harmless(run(world, node, "-o table", spared))
    for shape in ON_TERMINALS:
        check_harmless(run(world, node, f"-o {shape}", spared, terminal=True))
    result = run(world, node, "-o json", spared)
    check_plain(result)
    if spared:
        check_verbatim(node, result)


@pytest.mark.parametrize(
    "line", ["contexts list", "keys list", "ontology get", "sessions list", "whoami"]
)
def test_programs_get_every_text_as_it_is(line: str, world: World) -> None:
    (node,) = (node for node in ONLINE if name_of(node) == line)
    result = run(world, node, "-o json", NEEDED)
    assert result.code == 0, result.err
    strings = set(list_strings(result.json))
    assert {f"x{EVERYTHING}", f"y{EVERYTHING}"} <= strings
    assert any(text.endswith(EVERYTHING) and len(text) > len(EVERYTHING) + 1 for text in strings)


def test_half_a_character_is_an_error_that_says_so(world: World) -> None:
    (node,) = (node for node in ONLINE if name_of(node) == "contexts list")
    world.prepare(node)
    world.proxy.rewrite = lambda body: body.replace(b"acme", b"\\ud800")
    try:
        result = world.prepare(node).run("contexts list -o json")
    finally:
        world.proxy.rewrite = None
    assert result.code == 9
    assert "Invalid JSON" in result.error["message"]


@pytest.mark.sampled
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_no_error_of_a_server_steers_a_terminal(status: int, payload: str, tmp_path: Path) -> None:
    problem = {name: f"{name}{payload}" for name in ("type", "title", "detail", "request_id")}
    transport = httpx.MockTransport(
        lambda request: httpx.Response(status, json=problem, request=request)
    )
    run = CommandLine(tmp_path, transport, {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-key"})
    for shape, terminal in (("table", False), ("table", True), ("json", False)):
        result = run(
            f"contexts get acme --retries 0 --color never -o {shape} --debug", terminal=terminal
        )
        assert result.code in {5, 6, 7, 9}
        check_harmless(result)


def test_a_secret_of_a_server_steers_no_terminal_either(tmp_path: Path) -> None:
    minted = {"id": "cak_1", "name": "agent", "secret": f"sk-acme-{EVERYTHING}"}
    transport = httpx.MockTransport(
        lambda request: httpx.Response(201, json=minted, request=request)
    )
    env = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-key", "SPECTRON_CONTEXT_ID": "acme"}
    run = CommandLine(tmp_path, transport, env)
    line = "keys create agent --reveal --color never"
    shown = run(line, terminal=True)
    assert (shown.code, shown.out) == (9, "")
    check_harmless(shown)
    assert run(f"{line} -o json").out == ""

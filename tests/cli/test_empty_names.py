"""An empty word where a name belongs is refused, and never becomes the path of all things of a kind."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from spectronctl.cli._tree import Node
from tests.support.command_tree import ONLINE, OWN_SAMPLES, SAMPLES, name_of, sample_line
from tests.support.commandline import CommandLine

KEYS = {
    "SPECTRON_MANAGEMENT_API_KEY": "mgmt-key",
    "SPECTRON_API_KEY": "sk-acme-k",
    "SPECTRON_CONTEXT_ID": "acme-prod",
}


@pytest.mark.parametrize("node", [node for node in ONLINE if node.arguments], ids=name_of)
def test_no_empty_segment_is_sent(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sent: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        return httpx.Response(404, request=request)

    run = CommandLine(tmp_path, httpx.MockTransport(note), KEYS)
    for argument in node.arguments:
        with monkeypatch.context() as patch:
            patch.setitem(SAMPLES, argument.name, "''")
            patch.setitem(OWN_SAMPLES, (node.path[0], argument.name), "''")
            for line in (sample_line(node, "--yes"), f"{sample_line(node, '--yes')} ''"):
                run(f"{line} --timeout 2s --retries 0")
    assert not [each for each in sent if "//" in each or each.endswith("/")]


@pytest.mark.parametrize("line", ["contexts delete ''", "contexts get ''", "sessions get ''"])
def test_an_empty_name_is_refused(line: str, acme: CommandLine) -> None:
    result = acme(f"{line} --yes" if "delete" in line else line)
    assert (result.code, "a name is needed" in result.err) == (2, True), result.err


@pytest.mark.parametrize(
    "path", ["/contexts/", "contexts//keys", "/", "", "/api/v1/", "acme//sessions"]
)
def test_a_deletion_of_ones_own_has_no_empty_name(path: str, acme: CommandLine) -> None:
    result = acme(f"api DELETE '{path}' --yes")
    assert (result.code, "empty name" in result.err) == (2, True)


@pytest.mark.parametrize(
    "path", ["contexts//keys", "/", "", "/api/v1/", "acme//sessions", "contexts//"]
)
def test_a_request_of_ones_own_has_no_empty_name(path: str, acme: CommandLine) -> None:
    result = acme(f"api GET '{path}'")
    assert (result.code, "empty name" in result.err) == (2, True)


def test_a_last_slash_is_not_sent(acme: CommandLine) -> None:
    result = acme("api GET /contexts/ --debug")
    assert (result.code, "GET /api/v1/contexts 200" in result.err) == (0, True)


VARIABLES = ("SPECTRON_CONTEXT_ID", "SPECTRON_URL", "SPECTRONCTL_PROFILE", "SPECTRONCTL_TIMEOUT")
INVISIBLE = {"\r": "\\r", "\xa0": "\\xa0", "\u200b": "\\u200b", "\x00": "\\x00"}


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize(("mark", "shown"), INVISIBLE.items())
def test_an_invisible_character_of_the_environment_is_shown(
    name: str, mark: str, shown: str, acme: CommandLine
) -> None:
    result = acme("keys list", env={name: f"http://x{mark}"})
    assert result.code == 2
    assert name in result.err
    assert f"x{shown}" in result.err

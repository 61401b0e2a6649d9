"""A key typed where an id, a name or a value belongs is never repeated: by no command, no option and no log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from spectronctl.cli._tree import Node
from tests.support.command_tree import LEAVES, OWN_SAMPLES, SAMPLES, name_of, sample_line
from tests.support.commandline import CommandLine

KEYS = ("mgmt-01M8ZZZZZZZZZZZZZZZZZZZZZZ_secretpart", "sk-c1-01M8ZZZZZZZZZZZZZZZZZZZZZZ-secretpart")
CONFIGURED = "a-configured-secret-of-no-usual-form"
WAITS = {"--for"}
NO_WAIT: dict[tuple[str, ...], str] = {("lifecycle", "reindex"): "--no-wait"}
STARTS_PROGRAMS = {"serve", "exec"}
NODES = [node for node in LEAVES if node.path[0] not in STARTS_PROGRAMS]


@pytest.fixture
def typed(acme: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)  # an option that makes a file makes one of that name
    return acme


def list_lines(node: Node, key: str, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """The command with the key in each of its places, and in the ones that all commands share."""
    line = sample_line(node, NO_WAIT.get(node.path, ""))
    yield f"{line} {key}"
    for option in ("-c", "--profile", "--columns", "--query", "--timeout"):
        yield f"{line} {option} {key}"
    for flag in node.flags:
        if flag.takes_value and flag.names[0] not in WAITS:
            yield f"{line} {flag.names[0]} {key}"
    for argument in node.arguments:
        with patch.context() as inner:
            inner.setitem(SAMPLES, argument.name, key)
            inner.setitem(OWN_SAMPLES, (node.path[0], argument.name), key)
            yield sample_line(node)


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_a_key_in_any_place_is_never_repeated(
    node: Node,
    typed: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "spectronctl.server")
    logging.getLogger("spectronctl.server").propagate = True
    for key in KEYS:
        for line in list_lines(node, key, monkeypatch):
            result = typed(f"{line} --debug --yes --retries 0 --timeout 5s")
            assert key not in result.err + caplog.text, line


def test_a_key_of_any_form_is_hidden_once_it_is_configured(
    acme: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "k").write_text(CONFIGURED)
    result = acme(f"contexts get {CONFIGURED} --debug --api-key-file {tmp_path / 'k'}")
    assert result.code != 0
    assert "[secret]" in result.err
    assert CONFIGURED not in result.err


def test_a_path_with_a_key_in_it_is_logged_without_it(
    acme: CommandLine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "spectronctl.server")
    acme(f"api GET /contexts/{KEYS[0]}")
    assert "/api/v1/contexts/mgmt-[secret]" in caplog.text

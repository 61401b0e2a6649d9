"""What the tests of commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.command_tree import SAMPLES
from tests.support.commandline import CommandLine


@pytest.fixture
def acme(run: CommandLine) -> CommandLine:
    """The command line, with a context `acme-prod` to work in."""
    assert run("contexts create acme-prod --namespace acme --database prod").code == 0
    run.env["SPECTRON_CONTEXT_ID"] = "acme-prod"
    return run


@pytest.fixture
def session(acme: CommandLine) -> str:
    """The id of a session that holds the sample conversation."""
    return acme(f"sessions import {SAMPLES['FILE|-']} -o name").out.strip()


@pytest.fixture
def unanswered(tmp_path: Path) -> Iterator[CommandLine]:
    """A command line that has a key and may send nothing."""
    sent: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(500)

    env = {"SPECTRON_API_KEY": "sk-acme-k", "SPECTRON_CONTEXT_ID": "acme-prod", "CI": "1"}
    yield CommandLine(tmp_path, httpx.MockTransport(note), env)
    assert sent == []


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

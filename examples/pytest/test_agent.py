"""
An agent's tests against a real Spectron server: run `pytest` where spectronctl is installed with its extra `local`.

The fixture `spectron_server` comes with spectronctl. The server starts once; each test has a context of its own.
"""

from __future__ import annotations

from urllib.error import HTTPError

import pytest
from agent import Agent

from spectronctl.testing import SpectronServer


@pytest.fixture
def agent(spectron_server: SpectronServer) -> Agent:
    context = spectron_server.create_context()
    return Agent(spectron_server.url, context.id, context.key)


def test_what_was_heard_is_recalled(agent: Agent) -> None:
    agent.hear("Bo prefers green tea.")
    agent.hear("The printer is out of paper.")
    assert agent.recall("What does Bo like to drink: tea?")[0] == "Bo prefers green tea."


def test_an_agent_begins_with_nothing(agent: Agent) -> None:
    assert agent.recall("tea") == []


def test_a_key_that_was_revoked_is_refused(spectron_server: SpectronServer) -> None:
    context = spectron_server.create_context()
    agent = Agent(spectron_server.url, context.id, context.key)
    (key,) = spectron_server.admin.keys.list(context.id)
    spectron_server.admin.keys.delete(context.id, key.id)
    with pytest.raises(HTTPError, match="401"):
        agent.recall("tea")

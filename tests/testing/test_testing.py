"""The server for tests of applications: what it gives, and that nothing of it is left."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from spectronctl.errors import ConfigError, ConflictError, InvalidError
from spectronctl.ground.installing import find_install_command
from spectronctl.testing import SpectronServer, run_server


@pytest.fixture(scope="module")
def running() -> Iterator[SpectronServer]:
    with run_server() as server:
        yield server


def ask(server: SpectronServer, context_id: str, key: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{server.url}/api/v1/{context_id}/me", headers=headers)


def test_each_context_is_one_of_its_own_with_a_key_that_works_only_there(
    running: SpectronServer,
) -> None:
    first, second = running.create_context(), running.create_context()
    assert first.id != second.id
    assert ask(running, first.id, first.key).json()["kind"] == "agent"
    assert ask(running, second.id, first.key).status_code == 401
    assert {first.id, second.id} <= {context.id for context in running.admin.contexts.list()}


def test_a_context_is_made_as_it_is_wanted(running: SpectronServer) -> None:
    context = running.create_context(
        "acme-test",
        namespace="acme",
        database="test",
        config={"retention_days": 7},
        ontology={"entity_types": ["Person"]},
        principal="supervisor",
        scope_floor={"org": "acme"},
    )
    made = running.admin.contexts.get("acme-test")
    assert (context.id, made.namespace, made.database) == ("acme-test", "acme", "test")
    assert made.config == {"retention_days": 7}
    assert running.admin.ontology.get("acme-test").value.entity_types == ["Person"]
    identity = ask(running, context.id, context.key).json()
    assert [key.principal for key in running.admin.keys.list("acme-test")] == ["supervisor"]
    assert identity["effectiveGrants"]["memory:read"] == ["org/acme/*"]
    assert context.env == {
        "SPECTRON_URL": running.url,
        "SPECTRON_MANAGEMENT_API_KEY": running.management_key,
        "SPECTRON_CONTEXT_ID": "acme-test",
        "SPECTRON_API_KEY": context.key,
    }


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"id": "Acme"}, "the context cannot be made:\nid: lowercase letters"),
        ({"principal": "boss"}, "keys[0].principal: must be 'agent' or 'supervisor'"),
        ({"ontology": {"entity_types": [1]}}, "\nontology.entity_types[0]: must be a string"),
        ({"config": {"token_limit": 0}}, "context: "),
        ({"scope_floor": "a b"}, "context.keys[0]: "),
    ],
)
def test_what_cannot_be_made_is_named_with_its_place(
    running: SpectronServer, wanted: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        running.create_context(**wanted)
    assert says in str(caught.value)


def test_an_id_that_is_taken_is_a_conflict(running: SpectronServer) -> None:
    taken = running.create_context().id
    with pytest.raises(ConflictError, match=taken):
        running.create_context(taken)


def test_a_context_without_keys_says_so(running: SpectronServer) -> None:
    (context,) = running.plant({"contexts": [{"id": "keyless"}]})
    assert "SPECTRON_API_KEY" not in context.env
    with pytest.raises(LookupError, match="keyless"):
        context.key  # noqa: B018


def test_what_was_said_and_learnt_is_there(running: SpectronServer) -> None:
    (context,) = running.plant(
        {
            "contexts": [
                {
                    "id": "remembers",
                    "keys": [{"name": "one", "scope_floor": {"org": "acme"}}],
                    "sessions": [
                        {"scopes": "org/acme", "metadata": {"by": "seed"}, "turns": turns(501)},
                        {},
                    ],
                    "facts": [
                        {"text": "Bo likes tea", "scopes": "org/acme"},
                        {"text": "Bo likes tea in secret", "scopes": "org/other"},
                    ],
                }
            ]
        }
    )
    base, headers = f"{running.url}/api/v1/remembers", {"API-KEY": context.key}
    found = httpx.post(f"{base}/query", json={"query": "tea"}, headers=headers).json()["hits"]
    assert [hit["text"] for hit in found] == ["Bo likes tea"]
    session, empty = context.sessions
    page = f"{base}/sessions/{session}/turns?offset=500"
    (last,) = httpx.get(page, headers=headers).json()["turns"]
    assert (last["content"], last["role"]) == ("turn 500", "user")
    manager = {"API-KEY": running.management_key}
    assert httpx.get(f"{base}/sessions/{empty}/turns", headers=manager).json()["turns"] == []
    assert httpx.get(f"{base}/sessions/{session}", headers=manager).json()["metadata"] == {
        "by": "seed"
    }


def turns(count: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"turn {number}"} for number in range(count)]


def test_what_is_no_seed_plants_nothing(running: SpectronServer) -> None:
    before = [context.id for context in running.admin.contexts.list()]
    with pytest.raises(InvalidError, match=r"contexts\[1\]\.id: is missing"):
        running.plant({"contexts": [{"id": "good"}, {}]})
    assert [context.id for context in running.admin.contexts.list()] == before


def test_no_secret_is_in_what_is_printed_of_it(running: SpectronServer) -> None:
    context = running.create_context()
    shown = repr(context) + repr(running)
    assert running.url in shown
    assert context.key not in shown
    assert running.management_key not in shown


def test_jobs_are_worked_on(running: SpectronServer) -> None:
    context = running.create_context()
    started = running.admin.lifecycle.reindex(context.id)
    *_, last = running.admin.lifecycle.watch(context.id, started.job_id, timeout=30)
    assert last.status == "succeeded"


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with run_server() as server:
        assert server.admin.whoami(server.create_context().id).kind


def test_nothing_of_it_is_left(caplog: pytest.LogCaptureFixture) -> None:
    before = threading.active_count()
    with caplog.at_level(logging.INFO), run_server() as server:
        port = httpx.URL(server.url).port
        server.create_context()
    assert threading.active_count() == before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert "POST" in caplog.text, "a test that fails shows the server's log"


def test_a_request_that_never_ends_does_not_keep_it_up() -> None:
    with socket.socket() as silent, run_server() as server:
        silent.settimeout(20)
        silent.connect(("127.0.0.1", httpx.URL(server.url).port))
        silent.sendall(
            f"POST /api/v1/contexts/x HTTP/1.1\r\nHost: x\r\nAPI-KEY: {server.management_key}\r\n"
            "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n".encode()
        )
        assert b"100 Continue" in silent.recv(1_000), "it waits for the rest"
        began = time.monotonic()
    assert time.monotonic() - began < 10


def test_a_store_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from spectronctl.server.serving import throwaway

    async def refuse(url: str) -> None:
        raise ConfigError(f"{url} cannot be opened")

    monkeypatch.setattr(throwaway, "open_store", refuse)
    with pytest.raises(ConfigError, match="mem:// cannot be opened"), run_server():
        pytest.fail("there is no server")


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("throwaway", "listening"):
        monkeypatch.delitem(sys.modules, f"spectronctl.server.serving.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigError, match="there is no uvicorn") as caught, run_server():
        pytest.fail("there is no server")
    assert caught.value.command == find_install_command()

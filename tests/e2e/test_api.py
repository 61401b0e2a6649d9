"""`spectronctl api` over a socket: a proxy spoils a request, and the server is asked what became of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine, Result
from tests.support.processes import Serve, Shell
from tests.support.proxies import Fault, Proxy
from tests.support.rotation_processes import Outside

PASSES: set[Fault] = {"reset before", "reset after", "429", "503", "truncated"}
"""What a call that may be repeated gets over."""
LANDS: set[Fault] = {"reset after", "no answer", "truncated"}
FAULTS: list[Fault] = sorted(PASSES | LANDS | {"500", "page 200"})
"""The matrix of all commands has the others too."""
SESSIONS = "/api/v1/acme-prod/sessions"


@pytest.fixture
def call(outside: Outside, proxy: Proxy, tmp_path: Path) -> CommandLine:
    """The command line in this process, through the proxy, with a context of its own."""
    env = {**outside.served.env, "SPECTRON_URL": proxy.url, "SPECTRON_CONTEXT_ID": "acme-prod"}
    run = CommandLine(tmp_path, None, env)
    run("contexts delete acme-prod --yes --if-missing ok")
    assert run("contexts create acme-prod --namespace acme --database prod").code == 0
    return run


def spoil(call: CommandLine, proxy: Proxy, fault: Fault, line: str) -> Result:
    proxy.spoil(0, fault)
    wait = 1 if fault == "no answer" else 20
    return call(f"api {line} --timeout {wait}s -o json")


def count_sessions(call: CommandLine, proxy: Proxy) -> int:
    proxy.heal()
    return len(call("api GET /{context}/sessions --paginate -o json").json)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("options", ["", "--paginate"])
def test_a_read_gets_over_what_passes(
    options: str, fault: Fault, call: CommandLine, proxy: Proxy
) -> None:
    result = spoil(call, proxy, fault, f"GET /contexts/{{context}}/keys {options}")
    if fault in PASSES:
        assert (result.code, len(proxy.exchanges)) == (0, 2), result.err
    else:
        assert (result.code, result.out) == (9, "")
    assert proxy.failures == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_write_reaches_the_server_once(fault: Fault, call: CommandLine, proxy: Proxy) -> None:
    result = spoil(call, proxy, fault, "POST /{context}/sessions --field metadata.n=1 --yes")
    assert (result.code, result.out) == (8 if fault == "429" else 9, "")
    assert len(proxy.exchanges) == 1
    is_told = "It may have been carried out all the same" in (result.error["hint"] or "")
    assert is_told == (fault != "429")
    assert count_sessions(call, proxy) == (fault in LANDS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deletion_ends_in_what_is_reported(fault: Fault, call: CommandLine, proxy: Proxy) -> None:
    made = call("api POST /{context}/sessions --yes -o json").json
    result = spoil(call, proxy, fault, f"DELETE /{{context}}/sessions/{made['id']} --yes")
    assert result.out == ""
    assert (result.code == 0) == (fault in PASSES)
    assert count_sessions(call, proxy) == (fault not in PASSES | LANDS)


def test_the_installed_command_carries_a_body_through_a_pipe(serve: Serve, shell: Shell) -> None:
    shell.env = serve().env
    create = "api POST /contexts/acme-prod --yes -d - -o json"
    made = shell(create, stdin='{"namespace": "acme", "database": "prod"}')
    assert (made.returncode, made.stderr) == (0, "")
    assert json.loads(made.stdout)["id"] == "acme-prod"
    unsaid = shell("api DELETE /contexts/acme-prod")
    assert (unsaid.returncode, unsaid.stdout) == (2, "")
    head = shell("api OPTIONS /contexts --include -o json")
    assert (head.returncode, head.stdout) == (9, "")
    assert json.loads(head.stderr)["status"] == 405

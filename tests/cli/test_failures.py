"""What every command does when it fails: exit codes, streams, secrets, consent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from spectronctl.cli._tree import Node
from tests.support.command_tree import (
    ASKS_AFTER_READING,
    BRINGS_A_KEY,
    DESTROYS_AS,
    DESTROYS_WITH,
    DIAGNOSES,
    LEAVES,
    NEEDS_NO_CONSENT,
    ONLINE,
    OWN_SAMPLES,
    SAMPLES,
    add_options,
    name_of,
    sample_line,
)
from tests.support.commandline import SENTINEL, CommandLine, Result
from tests.support.destruction import is_destructive
from tests.support.server import Server

ERROR_KEYS = {
    "kind",
    "message",
    "status",
    "type",
    "request_id",
    "hint",
    "command",
    "retry_after_secs",
    "candidates",
    "exit_code",
}
CLONE = "contexts clone acme-prod acme-copy --namespace acme --database copy"
ONTOLOGY = OWN_SAMPLES["ontology", "FILE|-"]
EXIT_CODES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 130}


@pytest.mark.parametrize("node", LEAVES, ids=name_of)
def test_bad_usage_leaves_stdout_empty_and_one_error_object(
    node: Node, run_alone: CommandLine
) -> None:
    result = run_alone(" ".join([*node.path, "--no-such-option", "-o", "json"]))
    assert (result.code, result.out) == (2, "")
    assert set(result.error) == ERROR_KEYS
    assert result.error["kind"] == "usage"


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused", request=request)


def answer_with(status: int, text: str = SENTINEL) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status, html=f"<h1>{text}</h1>", request=request)


FAILURES = {
    "refused": refuse,
    **{
        str(status): answer_with(status)
        for status in (200, 302, 400, 401, 403, 404, 409, 418, 429, 500, 501, 503)
    },
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("node", ONLINE, ids=name_of)
def test_a_failure_is_one_error_object_without_the_secret(
    node: Node, failure: str, tmp_path: Path
) -> None:
    run = CommandLine(
        tmp_path, httpx.MockTransport(FAILURES[failure]), env={"SAMPLE_KEY": SENTINEL}
    )
    options = f"--api-key {SENTINEL} -c acme-prod --yes --retries 0 --url http://spectron.test"

    result = run(sample_line(node, options, "-o json"), env={"CI": "1"})

    assert result.code in EXIT_CODES - {0}
    assert set(result.error) == ERROR_KEYS
    assert result.error["exit_code"] == result.code
    assert SENTINEL not in result.err
    check_answer_of_failure(node, result)
    if node.path in DIAGNOSES:
        assert result.json["exit_code"] == result.code
        assert result.error["message"] in {check["detail"] for check in result.json["checks"]}

    for shape in ("-o table", "-o table --debug", "-o csv --debug"):
        people = run(sample_line(node, options, shape))
        assert people.code == result.code
        check_answer_of_failure(node, people)
        assert SENTINEL not in people.err
        assert "error: " in people.err
        assert "Traceback" not in people.err


def check_answer_of_failure(node: Node, result: Result) -> None:
    """Nothing on stdout, unless what is wrong is the answer itself."""
    if node.path not in DIAGNOSES:
        assert result.out == ""
    else:
        assert "failed" in result.out
        assert SENTINEL not in result.out


@pytest.mark.parametrize("node", [n for n in ONLINE if n.path not in BRINGS_A_KEY], ids=name_of)
def test_without_a_key_nothing_is_sent(node: Node, tmp_path: Path) -> None:
    sent: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    run = CommandLine(tmp_path, httpx.MockTransport(note))
    result = run(sample_line(node, "-c acme-prod --yes -o json"))
    asked = [request.url.path for request in sent]
    needs_none = ["/api/v1/health", "/api/v1/ready"] if node.path in DIAGNOSES else []
    assert (result.code, asked) == (3, needs_none)
    assert "SPECTRON_MANAGEMENT_API_KEY" in result.error["hint"]


@pytest.mark.worker
@pytest.mark.parametrize("shape", ["table", "json"])
def test_a_command_that_succeeds_shows_no_key_either(
    shape: str, run: CommandLine, server: Server
) -> None:
    secret_file = run.home / "secret"
    lines = [
        "contexts create acme-prod --namespace acme --database prod --provider openai=env:PROVIDER",
        "contexts update acme-prod --provider other=env:PROVIDER",
        "contexts list",
        "contexts get acme-prod",
        "contexts wait acme-prod",
        f"keys create app-agent --secret-file {secret_file}",
        f"keys rotate app-agent --yes --force --secret-file {secret_file}",
        f"keys create app-agent --if-exists rotate --yes --secret-file {secret_file}",
        f"keys create app-agent --if-exists skip --secret-file {secret_file}",
        f"keys verify file:{secret_file}",
        f"keys rotate app-agent --overlap 1h --yes --secret-file {secret_file}",
        "keys rotations list",
        "keys rotations get ROTATION",
        "keys rotations resume",
        "keys rotations abort ROTATION",
        "keys list",
        "keys orphans --grace 0s",
        "keys get app-agent",
        "exec --key app-agent -- true",
        f"{CLONE} --provider openai=env:PROVIDER --secret-file '{run.home}/{{name}}.key'",
        "contexts delete acme-copy --yes",
        "whoami",
        f"whoami --api-key-file {secret_file}",
        "whoami --plane management",
        "whoami --plane both",
        f"ontology set {ONTOLOGY}",
        "ontology get",
        f"ontology diff {ONTOLOGY}",
        "ontology edit",
        "ontology add --relation knows",
        "ontology remove --relation knows --yes",
        "ontology delete --yes",
        f"sessions import {SAMPLES['FILE|-']}",
        "sessions create --scope org/acme",
        "sessions list",
        "sessions get SESSION",
        "sessions context SESSION plants",
        "sessions transcript SESSION",
        "sessions delete SESSION --yes",
        "lifecycle decay --yes",
        "lifecycle expire --dry-run",
        "lifecycle expire --all-contexts --yes",
        "lifecycle fsck",
        "lifecycle reindex",
        "lifecycle reindex --no-wait",
        "lifecycle jobs list",
        "lifecycle jobs get JOB",
        "lifecycle jobs watch JOB",
        "migrations status",
        "api GET /contexts/acme-prod --include",
        "api POST /{context}/sessions --field metadata.kind=test --yes",
        "api GET /{context}/sessions --paginate",
        "profiles show",
        "version --server",
        "version --check-server",
        "doctor",
        "keys delete app-agent.g2 --yes",
        "contexts delete acme-prod --yes",
    ]
    untried = [
        node
        for node in ONLINE
        if not any(line.startswith(" ".join(node.path)) for line in [*lines, *WHILE_QUEUED])
    ]
    assert untried == []
    check_no_key_is_shown(run, lines, shape, secret_file, server)


def check_destruction_is_declared(line: str, asked: list[str]) -> None:
    destroying = list(filter(is_destructive, asked))
    (node,) = (node for node in LEAVES if f"{line} ".startswith(" ".join(node.path) + " "))
    declared = node.path in NEEDS_NO_CONSENT or any("--confirm" in f.names for f in node.flags)
    assert declared or not destroying, f"{line} sends {destroying} and has no --confirm"


WHILE_QUEUED = [
    "contexts create acme-prod --namespace acme --database prod",
    "lifecycle reindex --no-wait",
    "lifecycle jobs cancel JOB",
]
"""What succeeds only while no worker runs jobs."""


@pytest.mark.parametrize("shape", ["table", "json"])
def test_cancelling_a_job_shows_no_key_either(shape: str, run: CommandLine) -> None:
    check_no_key_is_shown(run, WHILE_QUEUED, shape, run.home / "secret")


def check_no_key_is_shown(
    run: CommandLine,
    lines: list[str],
    shape: str,
    secret_file: Path,
    server: Server | None = None,
) -> None:
    """And, where the server tells what was asked of it, that what destroys is what can be confirmed."""
    key = run.env["SPECTRON_MANAGEMENT_API_KEY"]
    for line in lines:
        if "ROTATION" in line:
            line = line.replace("ROTATION", run("keys rotations list -o name").out.strip())
        if "SESSION" in line:
            listed = run("sessions list -o name -c acme-prod").out
            line = line.replace("SESSION", listed.splitlines()[0])
        if "JOB" in line:
            listed = run("lifecycle jobs list -o name -c acme-prod").out
            line = line.replace("JOB", listed.splitlines()[0])
        env = {"SPECTRON_CONTEXT_ID": "acme-prod", "PROVIDER": SENTINEL, "EDITOR": "true"}
        result = run(add_options(line, f"--debug -o {shape}"), env=env)
        assert result.code == 0, result.err
        check_destruction_is_declared(line, server.asked() if server else [])
        secrets = [
            key,
            SENTINEL,
            *(secret_file.read_text().split() if secret_file.exists() else []),
        ]
        for secret in secrets:
            assert secret not in result.out + result.err


@pytest.mark.parametrize(("headers", "secs"), [({"Retry-After": "7"}, 7.0), ({}, None)])
def test_rate_limiting_tells_when_to_come_back(
    headers: dict[str, str], secs: float | None, tmp_path: Path
) -> None:
    busy = httpx.MockTransport(
        lambda request: httpx.Response(429, headers=headers, request=request)
    )
    result = CommandLine(tmp_path, busy)(
        "contexts list --api-key k --retries 0 -o json", env={"CI": "1"}
    )
    assert (result.code, result.error["retry_after_secs"]) == (8, secs)


CONFIRMED = [n for n in ONLINE if any("--confirm" in flag.names for flag in n.flags)]
DESTRUCTIVE = [n for n in CONFIRMED if n.path not in ASKS_AFTER_READING]


@pytest.mark.parametrize("node", DESTRUCTIVE, ids=name_of)
def test_destruction_without_consent_sends_nothing(
    node: Node, run: CommandLine, server: Server
) -> None:
    server.asked()
    option = DESTROYS_WITH.get(node.path, "")
    line = DESTROYS_AS.get(node.path) or sample_line(node, option)
    result = run(add_options(line, "-c acme-prod -o json"))
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert result.error["kind"] == "usage"


def test_what_destroys_can_be_confirmed() -> None:
    verbs = {"delete", "rotate", "remove", "revoke", "purge", "decay", "expire"}
    others = DESTROYS_WITH | DESTROYS_AS
    destroying = {n.path for n in ONLINE if n.path[-1] in verbs or n.path in others}
    assert destroying == {n.path for n in DESTRUCTIVE}
    assert {n.path for n in CONFIRMED} == destroying | ASKS_AFTER_READING


@pytest.mark.parametrize(
    "line",
    [
        "-o json foo",
        "foo -o json",
        "contexts list -ojson --bad",
        "contexts list --bad --output=json",
        "contexts --json lst",
        "keys create --json",
        "contexts list --limit x -o json",
        "contexts list --output jsonl --timeout zz",
    ],
)
def test_the_error_has_the_form_that_was_asked_for_wherever_it_stands(
    line: str, run_alone: CommandLine
) -> None:
    result = run_alone(line)
    assert (result.code, result.out, result.error["kind"]) == (2, "", "usage")


@pytest.mark.parametrize(
    "line",
    [
        "contexts list KEY",
        "contexts list -o KEY",
        "KEY",
        "keys KEY",
        "contexts create KEY --namespace a --database b",
    ],
)
@pytest.mark.parametrize("shape", ["", "--json"])
def test_a_key_pasted_in_the_wrong_place_is_not_repeated(
    line: str, shape: str, run: CommandLine
) -> None:
    key = run.env["SPECTRON_MANAGEMENT_API_KEY"]
    result = run(f"{line.replace('KEY', key)} {shape}")
    assert result.code != 0
    assert key not in result.out + result.err

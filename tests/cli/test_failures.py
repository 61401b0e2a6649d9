"""What every command does when it fails: exit codes, streams, secrets, consent."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from spectronctl.cli._tree import Node
from spectronctl.output.standard import open_writer
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
from tests.support.commandline import SENTINEL, CommandLine, Result, Stream
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


@pytest.mark.sampled
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


def lines_that_succeed(run: CommandLine) -> list[str]:
    """Every command that asks a server, in an order in which each of them succeeds."""
    secret_file = run.home / "secret"
    return [
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
        "principals create planner --grant memory:read=org/acme/*",
        "principals list",
        "principals get planner",
        "principals update planner --name router",
        "principals grant router scope:read=org/acme",
        "principals revoke router scope:read=org/acme --yes",
        "principals effective router org/acme",
        "principals whocan memory:read org/acme",
        "principals delete router --yes",
        "scopes create org/spare",
        "scopes list",
        "scopes forget org/spare --yes",
        "scopes delete org/spare --yes",
        f"management-keys create spare --secret-file {secret_file} --force",
        "management-keys list",
        f"management-keys rotate spare --secret-file {secret_file} --force --yes",
        "management-keys revoke spare --yes",
        "audit list",
        "audit tail --management",
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
        "api POST /{context}/query --field query=plants --yes",
        "traces list",
        "traces get TRACE",
        "traces stats",
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


@pytest.mark.worker
@pytest.mark.parametrize("shape", ["table", "json"])
def test_a_command_that_succeeds_shows_no_key_either(
    shape: str, run: CommandLine, server: Server
) -> None:
    lines = lines_that_succeed(run)
    untried = [
        node
        for node in ONLINE
        if not any(line.startswith(" ".join(node.path)) for line in [*lines, *WHILE_QUEUED])
    ]
    assert untried == []
    check_no_key_is_shown(run, lines, shape, run.home / "secret", server)


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


FOR_LINES = {"SPECTRON_CONTEXT_ID": "acme-prod", "PROVIDER": SENTINEL, "EDITOR": "true"}


def fill_in(run: CommandLine, line: str) -> str:
    """The line with the ids that are known only once the lines before it have run."""
    if "ROTATION" in line:
        line = line.replace("ROTATION", run("keys rotations list -o name").out.strip())
    if "SESSION" in line:
        listed = run("sessions list -o name -c acme-prod").out
        line = line.replace("SESSION", listed.splitlines()[0])
    if "JOB" in line:
        listed = run("lifecycle jobs list -o name -c acme-prod").out
        line = line.replace("JOB", listed.splitlines()[0])
    if "TRACE" in line:
        listed = run("traces list -o name -c acme-prod").out
        line = line.replace("TRACE", listed.splitlines()[0])
    return line


STREAMS: dict[str, Callable[[], io.TextIOWrapper]] = {
    "full": lambda: open_writer(os.open("/dev/full", os.O_WRONLY)),
    "closed": lambda: open_writer(None),
}


@pytest.mark.worker
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("kind", STREAMS)
def test_no_command_succeeds_when_its_result_cannot_be_written(kind: str, run: CommandLine) -> None:
    silent = {"exec --key app-agent -- true", "version --check-server"}
    for line in lines_that_succeed(run):
        stdout = STREAMS[kind]()
        result = run(add_options(fill_in(run, line), "-o json"), env=FOR_LINES, stdout=stdout)
        if line in silent:
            continue
        assert (line, result.code) == (line, 1)
        error = json.loads(result.err.splitlines()[-1])  # after what tells of the progress
        assert error["message"].startswith("cannot write the result to stdout: ")


@pytest.mark.sampled
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("node", LEAVES, ids=name_of)
def test_no_help_succeeds_when_it_cannot_be_written(
    node: Node, kind: str, run_alone: CommandLine
) -> None:
    result = run_alone(f"{' '.join(node.path)} --help", stdout=STREAMS[kind]())
    assert result.code == 1
    assert "cannot write the result to stdout: " in result.err


MINTING = [
    "keys create another",
    "keys create app --if-exists rotate --yes",
    "keys rotate app --yes",
    "keys rotate app --overlap 1h --yes",
    "keys rotate app --leaked --yes",
    "api POST /contexts/{context}/keys --field name=another --yes",
]
"""What prints a secret, where it is given no other place."""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("line", MINTING)
def test_no_secret_is_minted_for_a_stdout_that_cannot_take_it(
    kind: str, line: str, acme: CommandLine, server: Server
) -> None:
    assert acme("keys create app").code == 0
    server.asked()
    result = acme(line, stdout=STREAMS[kind]())
    assert result.code == 1
    assert "the secret cannot be written to stdout" in result.err
    assert "nothing was sent" in result.err
    assert [asked for asked in server.asked() if not asked.startswith("GET")] == []


class FullAfterwards(Stream):
    """A stdout that has room when it is tried, and none when it is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.detach()
        super(Stream, self).__init__(io.BufferedWriter(_Full()), encoding="utf-8")


class _Full(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("line", MINTING)
def test_a_secret_that_is_lost_on_the_way_to_stdout_is_told_of(
    line: str, acme: CommandLine
) -> None:
    assert acme("keys create app").code == 0
    result = acme(f"{line} -o json", stdout=FullAfterwards())
    assert result.code == 1
    assert "lost" in result.error["hint"]
    assert "fresh" in result.error["hint"]


@pytest.mark.parametrize("line", ["serve keys create ci", "serve --bootstrap --port 0"])
def test_a_management_key_that_cannot_be_shown_is_taken_back(
    run_alone: CommandLine, tmp_path: Path, line: str
) -> None:
    store = f"--store surrealkv://{tmp_path}/store"
    result = run_alone(f"{line} {store}", stdout=FullAfterwards())
    assert (result.code, "No space left" in result.err) == (1, True), result.err
    assert run_alone(f"serve keys list {store} -o json").json == []


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
        line = fill_in(run, line)
        result = run(add_options(line, f"--debug -o {shape}"), env=FOR_LINES)
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
    verbs = {"delete", "rotate", "remove", "revoke", "purge", "decay", "expire", "forget"}
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


@pytest.mark.parametrize(
    "line",
    [
        "contexts create other --namespace acme --database other",
        "contexts update acme-prod --token-limit 5 --yes",
        "sessions create",
        "contexts delete acme-prod --yes",
    ],
)
@pytest.mark.parametrize("kind", ["query", "closed"])
def test_a_result_that_cannot_be_shown_does_not_hide_that_the_change_was_made(
    line: str, kind: str, acme: CommandLine
) -> None:
    query = "--query 'abs(id)'" if kind == "query" else ""
    stdout = None if kind == "query" else STREAMS["closed"]()
    result = acme(f"{line} {query} -o json", stdout=stdout)
    assert result.code == 1
    error = json.loads(result.err.splitlines()[-1])
    assert error["hint"] == (
        "The server has carried out what was asked; only the result is not shown."
    )


def test_a_query_that_does_not_fit_what_was_read_is_a_usage_error(acme: CommandLine) -> None:
    assert acme("contexts get acme-prod --query 'abs(id)'").code == 2

"""`spectronctl sessions transcript` on stdout: formats, places, shaping, following."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.output import streams
from tests.cli.test_sessions import TALK, WORDS
from tests.support.command_tree import SAMPLES
from tests.support.commandline import CommandLine
from tests.support.server import Server

UNKNOWN = SAMPLES["SESSION"]


def read_lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


READERS: dict[str, Callable[[str], Any]] = {
    "json": lambda text: json.loads(text)["turns"],
    "jsonl": read_lines,
    "csv": lambda text: list(csv.DictReader(io.StringIO(text))),
}


def test_a_transcript_is_text_unless_something_else_is_asked_for(
    acme: CommandLine, session: str
) -> None:
    plain = acme(f"sessions transcript {session}")
    assert (plain.code, plain.err) == (0, "")
    assert plain.out.startswith("#0 user 2026-05-01T12:30:00Z\n  Hi, my name is Ada.")
    assert acme(f"sessions transcript {session} --format text").out == plain.out
    assert acme(f"sessions transcript {session}", terminal=True).out != plain.out
    assert "\x1b[" in acme(f"sessions transcript {session}", terminal=True).out


@pytest.mark.parametrize("shape", READERS)
def test_o_means_the_format_of_that_name(shape: str, acme: CommandLine, session: str) -> None:
    by_output = acme(f"sessions transcript {session} -o {shape}")
    by_format = acme(f"sessions transcript {session} --format {shape}")
    both = acme(f"sessions transcript {session} --format {shape} -o {shape}")
    assert by_output.out == by_format.out == both.out
    rows = READERS[shape](by_output.out)
    assert [(row["role"], row["content"]) for row in rows] == [
        (word["role"], word["content"]) for word in WORDS
    ]


def test_an_environment_that_says_json_is_no_contradiction(acme: CommandLine, session: str) -> None:
    env = {"SPECTRONCTL_OUTPUT": "json"}
    assert json.loads(acme(f"sessions transcript {session}", env=env).out)["turns"]
    told = acme(f"sessions transcript {session} --format markdown", env=env)
    assert told.out.startswith("# Session")


@pytest.mark.parametrize(
    ("options", "seqs"),
    [
        ("--tail 2", [3, 4]),
        ("--tail 0", []),
        ("--tail 99", [0, 1, 2, 3, 4]),
        ("--from-seq 3", [3, 4]),
        ("--from-seq 99", []),
        ("--role tool", [3]),
        ("--role user --role tool", [0, 2, 3]),
        ("--tail 2 --role assistant", [4]),
        ("--limit 2", [0, 1]),
        ("--limit 1 --role assistant", [1]),
    ],
)
def test_only_the_wanted_turns_are_there(
    options: str, seqs: list[int], acme: CommandLine, session: str
) -> None:
    told = acme(f"sessions transcript {session} {options} -o jsonl")
    assert told.code == 0
    assert [turn["seq"] for turn in read_lines(told.out)] == seqs
    assert ("There are more" in told.err) == ("--limit" in options)


def test_a_query_runs_over_the_whole_transcript(acme: CommandLine, session: str) -> None:
    told = acme(f"sessions transcript {session} --query 'turns[].role' -o json")
    assert told.json == [word["role"] for word in WORDS]
    assert acme(f"sessions transcript {session} --query session.id").out == f"{session}\n"


def test_csv_without_a_header(acme: CommandLine, session: str) -> None:
    whole = acme(f"sessions transcript {session} -o csv").out
    assert whole.partition("\n")[2] == acme(f"sessions transcript {session} -o csv --no-header").out


@pytest.mark.parametrize("shape", ["text", "jsonl", "csv", "html", "json", "markdown"])
def test_a_transcript_that_breaks_off_leaves_stdout_empty(
    shape: str, acme: CommandLine, server: Server, tmp_path: Any
) -> None:
    talk = tmp_path / "long.jsonl"
    talk.write_text('{"role": "user", "content": "again"}\n' * 1200)
    session = acme(f"sessions import {talk} -o name").out.strip()

    class Broken(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.params.get("offset") == "1000":
                return httpx.Response(500, json={"detail": "broken"})
            return server.handle_request(request)

    acme.transport = Broken()
    told = acme(f"sessions transcript {session} --format {shape}")
    assert (told.code, told.out) == (9, "")
    assert "broken" in told.err


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("--format pdf", "--format"),
        ("--format html -o json", "--format html and -o json"),
        ("-o yaml", "yaml"),
        ("-o wide", "wide"),
        ("--tail 1 --from-seq 1", "--tail and --from-seq"),
        ("--tail -1", "--tail"),
        ("--from-seq -1", "--from-seq"),
        ("--parallel 0", "--parallel"),
        ("--role agent", "--role"),
        ("--follow --format html", "html"),
        ("--follow -o json", "json"),
        ("--resume", "--resume"),
        ("--force", "--force"),
        ("--all", "--all"),
        (f"{UNKNOWN}2", "several"),
        ("--query x --format json", "--query"),
        ("--query '['", "--query"),
        ("--query x --follow", "--query"),
        ("--columns seq", "--columns"),
        ("--sort seq", "--sort"),
        ("--output-file a --output-dir .", "--output-dir"),
        ("--output-dir . --follow", "--follow"),
        ("--output-dir no/such", "no directory"),
        ("--output-file no/such/file", "no directory"),
        ("--output-file a --limit 3", "--limit"),
        ("--output-file a.html --follow", "html"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(
    options: str, names: str, unanswered: CommandLine
) -> None:
    told = unanswered(f"sessions transcript {UNKNOWN} {options}")
    assert (told.code, told.out) == (2, "")
    assert names in told.err


@pytest.mark.parametrize("line", ["sessions transcript", "sessions transcript --all"])
def test_a_session_and_a_place_must_be_named(line: str, unanswered: CommandLine) -> None:
    assert unanswered(line).code == 2


def test_a_format_of_transcripts_is_not_the_one_of_errors(acme: CommandLine) -> None:
    assert acme(f"sessions transcript {UNKNOWN} --format json").err.startswith("error: ")


def test_an_unknown_session_is_not_found(acme: CommandLine) -> None:
    told = acme(f"sessions transcript {UNKNOWN} -o json")
    assert (told.code, told.out, told.error["kind"]) == (5, "", "not_found")


@pytest.fixture
def speaker(
    acme: CommandLine, session: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Words that are said while a follower waits, one per wait; then an interrupt."""
    words: list[str] = []

    def wait(self: streams.Streams, seconds: float) -> None:
        if not words:
            raise KeyboardInterrupt
        say(acme, session, words.pop(0))

    monkeypatch.setattr(streams.Streams, "wait_for_reader", wait)
    yield words
    assert words == []


def say(run: CommandLine, session_id: str, text: str) -> None:
    """Append to a session, as an agent does."""
    from spectronctl.api import facts
    from spectronctl.client import Client

    key = run.env["SPECTRON_MANAGEMENT_API_KEY"]
    with Client("http://spectron.test", api_key=key, transport=Unclosed(run.transport)) as client:
        client.send(facts.create_fact("acme-prod", text, session_id=session_id))


class Unclosed(httpx.BaseTransport):
    """A transport that others go on using."""

    def __init__(self, inner: httpx.BaseTransport | None) -> None:
        assert inner
        self.handle_request = inner.handle_request  # type: ignore[method-assign]


def test_following_goes_on_until_interrupted(
    acme: CommandLine, session: str, speaker: list[str]
) -> None:
    speaker += ["one more", "and another"]
    told = acme(f"sessions transcript {session} --follow --tail 1 -o jsonl")
    assert told.code == 130
    assert [turn["content"] for turn in read_lines(told.out)] == [
        WORDS[-1]["content"],
        "one more",
        "and another",
    ]


def test_what_ends_following_says_how_to_go_on(
    acme: CommandLine, session: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inner = acme.transport
    assert inner
    away, sleep = False, time.sleep

    def answer(request: httpx.Request) -> httpx.Response:
        if away:
            raise httpx.ConnectError("Connection refused", request=request)
        return inner.handle_request(request)

    def wait(*_: object) -> None:
        nonlocal away
        away = True
        sleep(0.02)

    monkeypatch.setattr("spectronctl.client._polling.MAX_SILENCE_SECS", 0.05)
    monkeypatch.setattr(streams.Streams, "wait_for_reader", wait)
    acme.transport = httpx.MockTransport(answer)
    told = acme(f"sessions transcript {session} --follow --role user --retries 0")
    assert told.code != 0
    assert "warning: no response, trying again" in told.err
    last = max(seq for seq, word in enumerate(WORDS) if word["role"] == "user")
    assert (
        f"try: spectronctl sessions transcript {session} -c acme-prod --follow --role user"
        in told.err
    )
    assert f"--from-seq {last + 1}" in told.err

    away = False
    monkeypatch.setattr(time, "sleep", wait)
    path = tmp_path / "t.jsonl"
    told = acme(f"sessions transcript {session} --follow --output-file {path} --retries 0")
    assert "The same command with --resume goes on." in told.err
    away = False
    assert acme(f"sessions transcript {session} --output-file {path} --resume").code == 0
    assert len(read_lines(path.read_text())) == len(WORDS)


def test_a_limit_ends_following(acme: CommandLine, session: str, speaker: list[str]) -> None:
    speaker += ["one more"]
    told = acme(f"sessions transcript {session} --follow --tail 0 --limit 1 -o jsonl")
    assert told.code == 0
    assert [turn["content"] for turn in read_lines(told.out)] == ["one more"]


def test_talk_is_shipped_as_it_is_read() -> None:
    assert len(WORDS) == 5, TALK


def list_seqs(acme: CommandLine, session: str, options: str) -> list[int]:
    found = acme(f"sessions transcript {session} -o json {options}")
    assert found.code == 0, found.err
    return [turn["seq"] for turn in found.json["turns"]]


def test_turns_are_picked_by_their_time_and_their_text(acme: CommandLine) -> None:
    lines = [
        {"role": role, "content": text, "ts": f"2026-05-0{day}T12:00:00Z"}
        for day, (role, text) in enumerate(
            [("user", "Rain?"), ("assistant", "No rain."), ("user", "Sun?"), ("tool", "sun: 9")], 1
        )
    ]
    path = acme.home / "talk.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    session = acme(f"sessions import {path} -o name").out.strip()

    for options, seqs in {
        "--since 2026-05-02T12:00:00Z": [1, 2, 3],
        "--until 2026-05-02T12:00:00Z": [0, 1],
        "--since 2026-05-02 --until 2026-05-03": [1],
        "--grep [Rr]ain": [0, 1],
        "--grep '(?i)SUN'": [2, 3],
        "--grep '(?i)SUN' --role user": [2],
        "--grep rain --tail 2": [],
        "--since 1h": [],
    }.items():
        assert list_seqs(acme, session, options) == seqs, options
    out = acme.home / "out.json"
    line = f"sessions transcript {session} --since 9999d --grep rain --output-file {out}"
    assert acme(line).code == 0
    assert [turn["seq"] for turn in json.loads(out.read_text())["turns"]] == [1]
    assert "already complete" in acme(f"{line} --resume").err

    (listed,) = acme("sessions list -o json").json
    assert listed["last_turn_at"] == "2026-05-04T12:00:00Z"
    assert "LAST_TURN_AT" in acme("sessions list").out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--grep '('", "--grep '('"),
        ("--since soon", "--since: 'soon'"),
        ("--since 2026-05-02 --until 2026-05-01", "nothing fits"),
        ("--follow --until 1h", "--until"),
    ],
)
def test_what_cannot_be_picked_by_is_refused_before_anything_is_sent(
    unanswered: CommandLine, options: str, says: str
) -> None:
    refused = unanswered(f"sessions transcript session:1 {options}")
    assert (refused.code, refused.out) == (2, "")
    assert says in refused.err

"""`spectronctl sessions transcript` into files, one or many, and `spectronctl sessions import` out of them."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.operations import imports
from tests.cli.test_sessions import TALK, WORDS
from tests.support.command_tree import SAMPLES
from tests.support.commandline import CommandLine
from tests.support.faults import lose_answer, lose_request
from tests.support.server import Server

UNKNOWN = SAMPLES["SESSION"]
LONG = 1200
"""Turns: three pages, three chunks."""


@pytest.fixture
def long(acme: CommandLine) -> str:
    """The id of a session of LONG turns."""
    path = write_talk(acme.home / "long.jsonl")
    return acme(f"sessions import {path} -o name").out.strip()


def write_talk(path: Path, count: int = LONG) -> Path:
    lines = [json.dumps({"role": "user", "content": f"wörds {n}"}) + "\n" for n in range(count)]
    path.write_text("".join(lines), "utf-8")
    return path


class Broken(httpx.BaseTransport):
    """The server, until something is asked that `breaks`: that ends as `how` says."""

    def __init__(
        self,
        server: Server,
        breaks: Callable[[httpx.Request], bool],
        how: type[BaseException] = httpx.ReadError,
    ) -> None:
        self._server = server
        self._breaks = breaks
        self._how = how

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._breaks(request):
            raise self._how("connection reset")
        return self._server.handle_request(request)


def is_at(offset: int) -> Callable[[httpx.Request], bool]:
    return lambda request: request.url.params.get("offset") == str(offset)


@pytest.mark.parametrize(
    ("name", "options", "start"),
    [
        ("talk.txt", "", "#0 user"),
        ("talk", "", "#0 user"),
        ("talk.md", "", "# Session"),
        ("talk.HTML", "", "<!DOCTYPE html>"),
        ("talk.json", "", '{\n  "session"'),
        ("talk.jsonl", "", '{"id":'),
        ("talk.csv", "", "seq,role"),
        ("talk.html", "--format csv", "seq,role"),
        ("talk", "-o jsonl", "#0 user"),
    ],
)
def test_a_file_has_the_format_that_is_said_or_that_its_name_says(
    name: str, options: str, start: str, acme: CommandLine, session: str
) -> None:
    path = acme.home / name
    told = acme(f"sessions transcript {session} --output-file {path} {options}")
    assert told.code == 0
    assert path.read_text("utf-8").startswith(start)
    assert f"Wrote 5 turns of {session} to {path}." in told.err


def test_a_file_holds_what_stdout_shows(acme: CommandLine, long: str) -> None:
    path = acme.home / "talk.json"
    told = acme(f"sessions transcript {long} --output-file {path} -o json")
    assert told.json == {
        "session": long,
        "file": str(path),
        "status": "written",
        "turns": LONG,
        "error": None,
    }
    assert path.read_text("utf-8") == acme(f"sessions transcript {long} -o json").out


@pytest.mark.parametrize("shape", ["text", "markdown", "html", "json", "jsonl", "csv"])
def test_an_interrupted_file_is_resumed_to_the_same_bytes(
    shape: str, acme: CommandLine, server: Server, long: str
) -> None:
    whole, path = acme.home / "whole", acme.home / "part"
    line = f"sessions transcript {long} --format {shape}"
    assert acme(f"{line} --output-file {whole}").code == 0
    acme.transport = Broken(server, is_at(1000))
    cut = acme(f"{line} --output-file {path} --retries 0")
    assert (cut.code, path.exists()) == (9, False)
    acme.transport = server

    refused = acme(f"{line} --output-file {path}")
    assert refused.code == 2
    assert "--resume" in refused.err
    server.asked()
    assert acme(f"{line} --output-file {path} --resume").code == 0
    assert path.read_bytes() == whole.read_bytes()
    asked = [each.url.params for each in server.requests if each.url.path.endswith("/turns")]
    assert not any(each["offset"] == "0" and each["limit"] != "1" for each in asked)
    server.requests.clear()
    again = acme(f"{line} --output-file {path} --resume")
    assert (again.code, server.asked()) == (0, [])
    assert "was already complete" in again.err


def test_a_file_that_is_there_is_replaced_only_by_force(acme: CommandLine, session: str) -> None:
    path = acme.home / "talk.txt"
    path.write_text("mine")
    line = f"sessions transcript {session} --output-file {path}"
    refused = acme(line)
    assert (refused.code, path.read_text()) == (2, "mine")
    assert acme(f"{line} --force").code == 0
    assert path.read_text().startswith("#0")


def test_an_interrupted_file_says_how_to_go_on(
    acme: CommandLine, server: Server, long: str
) -> None:
    acme.transport = Broken(server, is_at(500), KeyboardInterrupt)
    line = f"sessions transcript {long} --output-file {acme.home}/talk.txt"
    cut = acme(f"{line} --parallel 1")
    assert (cut.code, cut.out) == (130, "")
    assert "--resume goes on" in cut.err
    acme.transport = server
    assert acme(f"{line} --resume").code == 0


def test_following_into_a_file_leaves_it_whole(
    acme: CommandLine, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = acme.home / "talk.jsonl"

    def wait(seconds: float) -> None:
        assert len(Path(f"{path}.part").read_text("utf-8").splitlines()) == len(WORDS)
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", wait)
    told = acme(f"sessions transcript {session} --follow --output-file {path}")
    assert told.code == 130
    assert len(path.read_text("utf-8").splitlines()) == len(WORDS)
    assert not Path(f"{path}.part").exists()


@pytest.fixture
def several(acme: CommandLine) -> list[str]:
    """Ids of sessions of 1, 2, … turns."""
    ids = []
    for count in range(1, 6):
        path = write_talk(acme.home / f"talk-{count}.jsonl", count)
        ids.append(acme(f"sessions import {path} -o name").out.strip())
    (acme.home / "out").mkdir()
    return ids


def test_every_session_goes_to_a_file_of_its_own(acme: CommandLine, several: list[str]) -> None:
    out = acme.home / "out"
    told = acme(f"sessions transcript --all --output-dir {out} --format jsonl --json")
    assert told.code == 0
    assert [row["session"] for row in told.json] == several
    assert [row["turns"] for row in told.json] == [1, 2, 3, 4, 5]
    assert {row["status"] for row in told.json} == {"written"}
    for row in told.json:
        plain = acme(f"sessions transcript {row['session']} -o jsonl")
        assert Path(row["file"]).read_text("utf-8") == plain.out
    events = [json.loads(line) for line in told.err.splitlines()]
    assert [event["done"] for event in events] == [1, 2, 3, 4, 5]


def test_some_sessions_by_name_or_all_and_never_a_limited_part(
    acme: CommandLine, several: list[str]
) -> None:
    out = acme.home / "out"
    named = acme(f"sessions transcript {several[0]} {several[2]} --output-dir {out} --json")
    assert [row["turns"] for row in named.json] == [1, 3]
    for which in ("--all", f"{several[0]} {several[1]}"):
        assert acme(f"sessions transcript {which} --limit 2 --output-dir {out} --force").code == 2
    assert len(list(out.iterdir())) == 2


def test_one_that_fails_stops_no_other_and_is_made_up_for(
    acme: CommandLine, server: Server, several: list[str]
) -> None:
    out = acme.home / "out"
    line = f"sessions transcript --all --output-dir {out} --retries 0"
    third = several[2].partition(":")[2]
    acme.transport = Broken(server, lambda request: third in str(request.url))
    told = acme(f"{line} -o csv")
    assert told.code == 1
    rows = [row.split(",") for row in told.out.splitlines()[1:]]
    assert [row[1] for row in rows] == ["written", "written", "failed", "written", "written"]
    assert "1 of 5 exports failed" in told.err
    assert "connection reset" in told.err

    acme.transport = server
    again = acme(line)
    assert again.code == 2
    assert "already exists, and 3 more" in again.err
    resumed = acme(f"{line} --resume --json")
    assert [row["turns"] for row in resumed.json] == [0, 0, 3, 0, 0]
    assert [row["status"] for row in resumed.json].count("was there") == 4


def test_an_interrupted_export_of_many_goes_on(
    acme: CommandLine, several: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from spectronctl.output.progress import Progress

    def interrupt(self: Progress, text: str = "", count: int = 1) -> None:
        raise KeyboardInterrupt

    line = f"sessions transcript --all --output-dir {acme.home}/out"
    with monkeypatch.context() as patched:
        patched.setattr("spectronctl.output.progress.Progress.advance", interrupt)
        cut, told = acme(line), acme(f"{line} --resume -o json")
    assert (cut.code, cut.out) == (told.code, told.out) == (130, "")
    assert "--resume goes on" in cut.err
    event = json.loads(told.err.splitlines()[0])
    assert (event["event"], "--resume goes on" in event["text"]) == ("interrupted", True)
    done = acme(f"{line} --resume -o json")
    assert (done.code, len(done.json)) == (0, 5)


def test_no_id_leads_out_of_the_directory_or_to_the_file_of_another() -> None:
    from spectronctl.cli.commands.sessions._format import Format
    from spectronctl.cli.commands.sessions.transcript import name_files

    ids = [
        "session:1",
        "session_1",
        "session%5F1",
        "../x",
        "a/b",
        "..",
        "C:\\x",
        "a\0b",
        "sessíon:1",
    ]
    paths = name_files(ids, Format.TEXT, Path("out"))
    assert paths[0] == Path("out/session_1.txt")
    assert len({path.name for path in paths}) == len(ids)
    assert all(path.parent == Path("out") for path in paths)
    assert not any(set('\\:\0"') & set(path.name) for path in paths)


def test_an_export_can_be_imported_again(acme: CommandLine, session: str) -> None:
    path = acme.home / "talk.json"
    acme(f"sessions transcript {session} --output-file {path}")
    told = acme(f"sessions import {path} -o json")
    assert told.json == {"session": told.json["session"], "found": 0, "sent": len(WORDS)}
    assert told.json["session"] != session
    columns = "turns[].[role, content, created_at]"
    both = [
        acme(f"sessions transcript {each} --query '{columns}' -o json").json
        for each in (session, told.json["session"])
    ]
    assert both[0] == both[1]


def test_an_import_that_is_repeated_doubles_nothing(acme: CommandLine, session: str) -> None:
    again = acme(f"sessions import {TALK} -o json")
    assert again.json == {"session": session, "found": len(WORDS), "sent": 0}
    named = acme(f"sessions import {TALK} --session {session}")
    assert (named.code, named.out) == (0, "")
    assert f"Imported 0 turns into {session}; 5 were there before." in named.err


def test_stdin_is_read_as_it_comes(acme: CommandLine) -> None:
    talk = "\ufeff" + Path(TALK).read_text("utf-8")
    told = acme("sessions import - -o json", stdin=talk)
    assert (told.json["found"], told.json["sent"]) == (0, len(WORDS))
    both = acme("sessions import - --api-key-file - -o json", stdin=talk)
    assert (both.code, both.error["kind"]) == (2, "usage")


def test_a_growing_conversation_is_caught_up_with(acme: CommandLine) -> None:
    path = write_talk(acme.home / "talk.jsonl", 600)
    first = acme(f"sessions import {path} -o json").json
    write_talk(path, LONG)
    second = acme(f"sessions import {path} --session {first['session']} -o json").json
    assert (second["found"], second["sent"]) == (600, LONG - 600)


def test_an_import_that_loses_answers_and_goes_on(
    acme: CommandLine, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "FIRST_PAUSE", 0.0)
    path = write_talk(acme.home / "talk.jsonl")
    server.faults += [lose_answer, lose_request, lose_answer]
    told = acme(f"sessions import {path} -o json")
    assert told.code == 0
    turns = acme(f"sessions transcript {told.json['session']} -o jsonl").out.splitlines()
    assert [json.loads(turn)["content"] for turn in turns] == [f"wörds {n}" for n in range(LONG)]


@pytest.mark.parametrize("how", [httpx.ReadError, KeyboardInterrupt])
def test_an_import_that_is_cut_says_how_to_go_on(
    how: type[BaseException], acme: CommandLine, server: Server
) -> None:
    path = write_talk(acme.home / "talk.jsonl")
    posts: list[Any] = []

    def breaks(request: httpx.Request) -> bool:
        posts.append(request)
        return request.url.path.endswith("/batch") and len(posts) > 4

    acme.transport = Broken(server, breaks, how)
    cut = acme(f"sessions import {path} --retries 0")
    assert (cut.code, cut.out) == ({httpx.ReadError: 9, KeyboardInterrupt: 130}[how], "")
    acme.transport = server
    made = acme("sessions list -o name").out.strip()
    command = f"spectronctl sessions import {path} --session {made}"
    assert command in cut.err
    done = acme(command.removeprefix("spectronctl ") + " -o json").json
    assert done["found"] > 0
    assert done["found"] + done["sent"] == LONG


def test_another_conversation_is_not_mixed_in(acme: CommandLine, session: str) -> None:
    path = write_talk(acme.home / "talk.jsonl", 3)
    told = acme(f"sessions import {path} --session {session} -o json")
    assert (told.code, told.out) == (6, "")
    assert acme(f"sessions get {session} -o json").json["turn_count"] == len(WORDS)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b'{"role": "user", "content": "a"}\n{"role": "user"}\n', "line 2: content"),
        (b'{"role": "robot", "content": "a"}\n', "line 1: role: 'robot'"),
        (b'{"role": "user", "content": "a"}\n\nnot json\n', "line 3: not JSON"),
        (
            b'{"role": "user", "content": "a"}\n{"role": "user", "content": "\xff"}\n',
            "line 2: not UTF-8",
        ),
        (b'{"role": "user", "content": "a", "ts": "noon"}\n', "line 1: ts"),
        (b"a sentence, not a conversation\n", "line 1: not JSON"),
        (b'{"session": {}}\n', "line 1: role"),
        (b"", "no turns to import"),
        (b"\n\n", "no turns to import"),
        (b"[]", "no turns to import"),
    ],
)
def test_a_file_that_is_no_conversation_is_told_before_anything_is_sent(
    text: bytes, names: str, unanswered: CommandLine
) -> None:
    path = unanswered.home / "talk"
    path.write_bytes(text)
    told = unanswered(f"sessions import {path} -o json")
    assert (told.code, told.out) == (2, "")
    assert names in told.error["message"]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("sessions import no/such/file", "no/such/file"),
        ("sessions import .", "is a directory"),
        (f"sessions import {TALK} --session {UNKNOWN} --scope org/a", "--scope"),
        (f"sessions import {TALK} --parallel 0", "--parallel"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(
    line: str, names: str, unanswered: CommandLine
) -> None:
    told = unanswered(f"{line} -o json")
    assert (told.code, told.out) == (2, "")
    assert names.casefold() in told.error["message"].casefold()


def test_a_session_that_is_not_there_takes_no_turns(acme: CommandLine, server: Server) -> None:
    server.asked()
    told = acme(f"sessions import {TALK} --session {UNKNOWN} -o json")
    assert (told.code, told.error["kind"]) == (5, "not_found")
    assert not any("POST" in each for each in server.asked())


def test_retries_bound_how_often_a_chunk_is_sent(
    acme: CommandLine, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "FIRST_PAUSE", 0.0)
    server.faults += [lose_request] * 3
    assert acme(f"sessions import {TALK} --retries 2 -o json").code == 9
    assert acme(f"sessions import {TALK} --retries 0").code == 0


SCOPED = """sessions create --scope org/acme --metadata '{"ticket": 4711}' -o name"""


def test_an_export_comes_back_with_scopes_metadata_and_times(acme: CommandLine) -> None:
    key = acme.home / "agent.key"
    acme(f"keys create agent --scope-floor org=acme --secret-file {key}")
    first = acme(SCOPED).out.strip()
    acme(f"sessions import {TALK} --session {first}")
    path = acme.home / "export.json"
    assert acme(f"sessions transcript {first} --output-file {path}").code == 0
    before = json.loads(path.read_text())
    assert acme(f"sessions delete {first} --yes").code == 0

    told = acme(f"sessions import {path} -o json")
    assert told.code == 0
    second = told.json["session"]
    after = acme(f"sessions transcript {second} -o json").json
    for field in ("scopes", "metadata", "created_at", "turn_count"):
        assert after["session"][field] == before["session"][field], field
    taken = [{**turn, "id": "", "session": ""} for turn in before["turns"]]
    assert [{**turn, "id": "", "session": ""} for turn in after["turns"]] == taken
    assert told.err.splitlines()[1:] == [f"Imported {len(WORDS)} turns into {second}."]

    seen = acme(f"sessions list --api-key-file {key} -o name")
    assert seen.out.split() == [second]
    again = acme(f"sessions import {path} -o json")
    assert again.json == {"session": second, "found": len(WORDS), "sent": 0}


def test_what_of_an_export_is_not_taken_over_is_said(acme: CommandLine, session: str) -> None:
    export = {"session": {"id": "s1"}, "turns": WORDS}
    path = acme.home / "export.json"
    path.write_text(json.dumps(export))
    assert "The export names no scopes" in acme(f"sessions import {path}").err
    assert "names no scopes" not in acme(f"sessions import {path} --scope org/acme").err
    empty = acme(SCOPED).out.strip()
    assert "keeps its own scopes" in acme(f"sessions import {path} --session {empty}").err


@pytest.mark.parametrize("status", [201, 400])
def test_a_server_that_dates_sessions_itself_is_told_of(
    acme: CommandLine, server: Server, status: int
) -> None:
    def forget_time(request: httpx.Request) -> httpx.Response:
        if request.method != "POST" or not request.url.path.endswith("/sessions"):
            return server.handle_request(request)
        body = json.loads(request.content)
        if body.pop("createdAt", None) and status == 400:
            return httpx.Response(400, json={"detail": "createdAt: unknown field"})
        headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
        changed = httpx.Request("POST", request.url, headers=headers, json=body)
        return server.handle_request(changed)

    path = acme.home / "export.json"
    made = {"id": "s1", "scopes": [["org/acme"]], "created_at": "2026-01-02T03:04:05Z"}
    path.write_text(json.dumps({"session": made, "turns": WORDS}))
    acme.transport = httpx.MockTransport(forget_time)
    told = acme(f"sessions import {path}")
    assert told.code == 0
    assert "created at 2026-01-02T03:04:05Z is lost" in told.err
    (listed,) = acme("sessions list -o json").json
    assert listed["scopes"] == [["org/acme"]]


def test_an_export_with_a_wrong_time_is_refused(acme: CommandLine, server: Server) -> None:
    path = acme.home / "export.json"
    path.write_text(json.dumps({"session": {"created_at": "yesterday"}, "turns": WORDS}))
    server.asked()
    refused = acme(f"sessions import {path}")
    assert (refused.code, server.asked()) == (2, [])
    assert "session: created_at: 'yesterday'" in refused.err


@pytest.mark.parametrize("limit", ["1", "2"])
def test_a_limit_of_the_environment_makes_no_export_partial(
    acme: CommandLine, several: list[str], limit: str, tmp_path: Path
) -> None:
    env = {"SPECTRONCTL_LIMIT": limit}
    out = tmp_path / "all"
    out.mkdir()
    line = f"sessions transcript --all --output-dir {out} --format json -q -o name"
    assert acme(line, env=env).code == 0
    assert len(list(out.iterdir())) == len(acme("sessions list -o name").out.split()) > int(limit)
    one = acme(f"sessions transcript {several[0]} --format json", env=env)
    assert one.out == acme(f"sessions transcript {several[0]} --format json").out
    file = tmp_path / "one.json"
    assert acme(f"sessions transcript {several[0]} --output-file {file}", env=env).code == 0
    assert len(acme("sessions list -o name", env=env).out.split()) == int(limit)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_transcript_is_written_to_a_disk_without_locks(
    acme: CommandLine,
    several: list[str],
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    file = tmp_path / "one.json"
    result = acme(f"sessions transcript {several[0]} --output-file {file} -o json")
    assert (result.code, result.json["status"]) == (0, "written"), result.err
    assert file.read_text() == acme(f"sessions transcript {several[0]} --format json").out

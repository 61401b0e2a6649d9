"""`spectronctl keys rotations`: what is under way, taken further, delivered elsewhere, given up."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.local.checkpoints import Journal
from tests.support.commandline import CommandLine
from tests.support.server import Server

KEYS = "/api/v1/contexts/acme-prod/keys"


@pytest.fixture
def sink(tmp_path: Path) -> Path:
    directory = tmp_path / "sink"
    directory.mkdir()
    return directory / "agent.key"


@pytest.fixture
def agent(acme: CommandLine, sink: Path) -> CommandLine:
    """The command line, with a key `agent` whose secret is in the sink."""
    acme.env["PATH"] = os.environ["PATH"]
    assert acme(f"keys create agent --secret-file {sink}").code == 0
    return acme


def works(run: CommandLine, secret: str) -> bool:
    return run("whoami --api-key-file -", stdin=secret).code == 0


def names(run: CommandLine) -> list[str]:
    return run("keys list -o name").out.split()


def start(run: CommandLine, options: str) -> dict[str, Any]:
    """A rotation that is under way afterwards."""
    run(f"keys rotate agent --yes {options}")
    (rotation,) = run("keys rotations list -o json").json
    assert isinstance(rotation, dict)
    return rotation


def journal_of(run: CommandLine) -> list[Path]:
    return sorted((run.home / ".local/state/spectronctl/rotations").glob("*.json"))


def test_what_is_under_way_is_listed_from_the_journal_alone(
    agent: CommandLine, server: Server, sink: Path
) -> None:
    assert agent("keys rotations list -o json").json == []
    (old,) = agent("keys list -o json").json
    started = start(agent, f"--overlap 1h --drain 2m --secret-file {sink}")
    server.asked()
    (row,) = agent("keys rotations list -o json").json
    assert row == started == agent(f"keys rotations get {row['id']} -o json").json
    assert server.asked() == []
    assert row["key"] == {"id": old["id"], "name": "agent"}
    assert row["successor"]["name"] == "agent.g2"
    assert (row["method"], row["step"], row["overlap"], row["drain"]) == (
        "overlap",
        "waiting",
        3600.0,
        120.0,
    )
    assert row["places"] == [f"file {sink}"]
    assert set(row) == {
        "id", "url", "context", "name", "method", "step", "key", "lifetime", "successor", "retiring",
        "overlap", "drain", "due_at", "places", "delivered", "error", "created_at", "updated_at",
    }  # fmt: skip


def test_people_see_a_table(agent: CommandLine, sink: Path) -> None:
    rotation = start(agent, f"--overlap 1h --secret-file {sink}")
    table = agent("keys rotations list").out.splitlines()
    assert table[0].split() == ["ID", "NAME", "STEP", "DUE_AT", "CONTEXT"]
    assert table[1].split()[:3] == [rotation["id"], "agent", "waiting"]
    assert table[1].split()[-1] == "acme-prod"
    assert f"file {sink}" in agent("keys rotations list -o wide").out
    assert "waiting" in agent(f"keys rotations get {rotation['id']}").out


def test_what_is_over_is_listed_when_asked_for(agent: CommandLine, sink: Path) -> None:
    assert agent(f"keys rotate agent --leaked --yes --secret-file {sink}").code == 0
    assert agent("keys rotations list -o json").json == []
    (row,) = agent("keys rotations list --all -o json").json
    assert (row["method"], row["step"]) == ("leaked", "done")


@pytest.mark.parametrize("verb", ["get", "resume", "abort"])
def test_an_unknown_rotation_names_the_near_ones(
    agent: CommandLine, server: Server, sink: Path, verb: str
) -> None:
    rotation = start(agent, f"--overlap 1h --secret-file {sink}")
    server.asked()
    error = agent(f"keys rotations {verb} {rotation['id'][:-1]} -o json").error
    assert (error["exit_code"], error["candidates"]) == (5, [rotation["id"]])
    for stranger in ("../../etc/passwd", "*"):
        assert agent(f"keys rotations {verb} {stranger}").code == 5
    assert server.asked() == []


def test_resume_leaves_alone_what_is_not_due(
    agent: CommandLine, server: Server, sink: Path
) -> None:
    rotation = start(agent, f"--overlap 1h --secret-file {sink}")
    server.asked()
    assert agent("keys rotations resume -o json").json == [rotation]
    assert agent(f"keys rotations resume {rotation['id']} -o json").json == rotation
    assert set(server.asked()) == {"GET /api/v1/health"}  # it says what time it is
    assert names(agent) == ["agent", "agent.g2"]


def test_a_waiting_rotation_that_is_given_up_leaves_both_keys(
    agent: CommandLine, sink: Path
) -> None:
    before = sink.read_text()
    rotation = start(agent, f"--overlap 1h --secret-file {sink}")
    result = agent(f"keys rotations abort {rotation['id']} -o json")
    assert result.json["step"] == "aborted"
    assert result.json["alive"] == [rotation["key"]["id"], rotation["successor"]["id"]]
    assert names(agent) == ["agent", "agent.g2"]
    assert works(agent, before)
    assert works(agent, sink.read_text())
    again = agent(f"keys rotations abort {rotation['id']} -o json").error
    assert again["exit_code"] == 6
    assert "aborted already" in again["message"]


def test_one_that_delivered_nothing_takes_its_successor_back(
    agent: CommandLine, sink: Path
) -> None:
    rotation = start(agent, "--overlap 1h --secret-command false")
    assert (rotation["step"], rotation["delivered"]) == ("delivering", ["failed"])
    result = agent(f"keys rotations abort {rotation['id']}")
    assert result.code == 0
    assert f"alive: {rotation['key']['id']}." in result.err
    assert names(agent) == ["agent"]
    assert works(agent, sink.read_text())


def test_a_secret_can_be_delivered_elsewhere(agent: CommandLine, sink: Path) -> None:
    rotation = start(agent, "--overlap 0s --drain 0s --secret-command false")
    elsewhere = sink.with_name("elsewhere")
    resumed = agent(
        f"keys rotations resume {rotation['id']} --secret-file {elsewhere} -o json"
    ).json
    assert (resumed["step"], resumed["places"]) == ("done", [f"file {elsewhere}"])
    assert names(agent) == ["agent.g2"]
    assert works(agent, elsewhere.read_text())


def test_several_secrets_are_not_delivered_to_one_other_place(
    agent: CommandLine, server: Server, sink: Path
) -> None:
    start(agent, "--overlap 1h --secret-command false")
    server.asked()
    result = agent(f"keys rotations resume --secret-file {sink}")
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert "name one ROTATION" in result.err


def refuse(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    return httpx.Response(429, json={"detail": "not now"}, request=request)


@pytest.fixture
def unprinted(agent: CommandLine, server: Server) -> dict[str, Any]:
    """A rotation that failed before it could print its secret."""
    server.faults.append(refuse)
    rotation = start(agent, "--overlap 1h")
    assert (rotation["step"], rotation["places"]) == ("planned", ["stdout"])
    return rotation


def test_a_secret_that_was_to_be_printed_is_printed_by_resume(
    agent: CommandLine, unprinted: dict[str, Any]
) -> None:
    result = agent(f"keys rotations resume {unprinted['id']} -o json")
    assert result.code == 0
    assert works(agent, result.json["secret"])
    assert result.json["name"] == "agent.g2"
    assert result.json["rotation"]["step"] == "waiting"
    assert result.json["secret"] not in result.err


def test_on_a_terminal_only_with_reveal(
    agent: CommandLine, server: Server, unprinted: dict[str, Any]
) -> None:
    server.asked()
    line = f"keys rotations resume {unprinted['id']}"
    refused = agent(line, terminal=True)
    assert (refused.code, refused.out, server.asked()) == (2, "", [])
    assert "--reveal" in refused.err
    shown = agent(f"{line} --reveal -q", terminal=True)
    assert works(agent, shown.out)


def test_resuming_all_prints_no_secret_and_says_how_to_get_it(
    agent: CommandLine, server: Server, unprinted: dict[str, Any]
) -> None:
    server.asked()
    result = agent("keys rotations resume")
    assert (result.code, server.asked()) == (1, [])
    assert f"keys rotations resume {unprinted['id']} --secret-file PATH" in result.err
    assert names(agent) == ["agent"]


def test_a_journal_of_a_newer_version_stops_no_other(agent: CommandLine, sink: Path) -> None:
    start(agent, f"--overlap 0s --drain 5m --secret-file {sink}")
    agent("keys create other --secret-file " + str(sink.with_name("other")))
    line = f"keys rotate other --overlap 1h --yes --secret-file {sink.with_name('other')}"
    assert agent(line).code == 0
    (newer,) = (path for path in journal_of(agent) if '"name": "other"' in path.read_text())
    newer.write_text(json.dumps({**json.loads(newer.read_text()), "version": 2}))
    result = agent("keys rotations resume -o json")
    assert result.code == 11
    assert [row["name"] for row in json.loads(result.out)] == ["agent"]
    assert "written by a newer spectronctl (version 2)" in result.err

    listed = agent("keys rotations list -o json")
    assert (listed.code, [row["name"] for row in listed.json]) == (11, ["agent"])
    assert "written by a newer spectronctl (version 2)" in listed.err
    assert agent("keys orphans").code == 11  # what it says of any key may be wrong


JOURNAL_READERS = [
    "keys rotations list",
    "keys rotations get {id}",
    "keys rotations resume",
    "keys rotations resume {id}",
    "keys rotations abort {id}",
    "keys orphans",
    "keys rotate agent --overlap 1h --yes --secret-file {sink}",
]


def hide_journal(directory: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the journal one that is there and cannot be read."""
    aside = directory.with_name("aside")
    match damage:
        case "a file in its place":
            directory.rename(aside)
            directory.touch()
        case "a dangling link":
            directory.rename(aside)
            directory.symlink_to(directory.with_name("not-mounted"))
        case "a dangling link above it":
            directory.parent.rename(directory.parent.with_name("aside"))
            directory.parent.symlink_to(directory.parent.with_name("not-mounted"))
        case number:
            listdir = os.listdir

            def fail(path: Any = ".") -> list[str]:
                if Path(path) == directory:
                    raise OSError(int(number), os.strerror(int(number)))
                return listdir(path)

            monkeypatch.setattr(os, "listdir", fail)


@pytest.mark.parametrize(
    "damage",
    [
        *("a file in its place", "a dangling link", "a dangling link above it"),
        *(str(errno.EACCES), str(errno.EIO)),
    ],
)
def test_a_journal_that_cannot_be_read_is_not_an_empty_one(
    agent: CommandLine,
    server: Server,
    sink: Path,
    damage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rotation = start(agent, f"--overlap 1h --secret-file {sink}")
    hide_journal(journal_of(agent)[0].parent, damage, monkeypatch)
    for line in JOURNAL_READERS:
        server.asked()
        result = agent(line.format(id=rotation["id"], sink=sink) + " -o json")
        assert (result.code, result.error["kind"]) == (11, "config"), line
        assert "rotations" in result.error["message"]
        assert all(request.startswith("GET") for request in server.asked()), line
    report = agent("doctor -o json").json
    (check,) = (each for each in report["checks"] if each["check"] == "rotations")
    assert check["status"] == "failed"


def test_a_key_in_its_overlap_is_offered_under_no_url_of_its_server(
    agent: CommandLine, sink: Path
) -> None:
    start(agent, f"--overlap 1h --secret-file {sink}")
    for url in ("http://spectron.test", "http://SPECTRON.test:80/", "http://spectron.test/api/v1"):
        assert agent(f"keys orphans --url {url} -o name").out == "", url


def test_rotations_of_other_servers_are_left_alone(
    agent: CommandLine, server: Server, sink: Path
) -> None:
    start(agent, f"--overlap 0s --drain 5m --secret-file {sink}")
    server.asked()
    result = agent("keys rotations resume -o json --url http://elsewhere.test")
    assert (result.code, result.json, server.asked()) == (0, [], [])
    assert "Under way at other servers: agent (--url http://spectron.test)" in result.err
    listed = agent("keys rotations list -o json --url http://elsewhere.test")
    assert "agent (--url http://spectron.test)" in listed.err
    assert "other servers" not in agent("keys rotations list -o json").err


SPELLINGS = ["HTTP://Spectron.TEST", "http://spectron.test:80/", "http://spectron.test./api/v1"]


@pytest.mark.parametrize("url", SPELLINGS)
def test_a_server_is_the_same_however_its_url_is_spelled(
    url: str, agent: CommandLine, sink: Path
) -> None:
    start(agent, f"--overlap 0s --drain 5m --secret-file {sink}")
    again = agent(f"keys rotate agent --leaked --yes --secret-file {sink} -o json --url {url}")
    assert (again.code, "is being rotated already" in again.error["message"]) == (6, True)
    found = agent(f"keys rotations resume -o json --url {url}")
    assert [row["name"] for row in found.json] == ["agent"]
    assert agent(f"keys orphans -o json --url {url}").json == []


def test_a_rotation_in_a_file_named_after_another_spelling_is_found(
    agent: CommandLine, sink: Path
) -> None:
    rotation = start(agent, f"--overlap 0s --drain 5m --secret-file {sink}")
    (path,) = journal_of(agent)
    path.rename(path.with_name(f"0123456789abcdef01234567.{path.name.partition('.')[2]}"))
    again = agent(f"keys rotate agent --leaked --yes --secret-file {sink} -o json")
    assert again.error["candidates"] == [rotation["id"]]
    assert agent("keys rotations resume -o json").json[0]["step"] == "waiting"
    assert len(journal_of(agent)) == 1


def test_a_logical_name_goes_on(agent: CommandLine, sink: Path) -> None:
    for generation in (2, 3):
        line = f"keys rotate agent --overlap 0s --drain 0s --yes --secret-file {sink}"
        assert agent(line).code == 0
        assert agent("keys get agent -o json").json["name"] == f"agent.g{generation}"
    assert names(agent) == ["agent.g3"]
    assert works(agent, sink.read_text())


def test_the_holder_of_a_key_is_named_before_it_has_written_anything(
    agent: CommandLine, server: Server, sink: Path
) -> None:
    line = f"keys rotate agent --leaked --yes --secret-file {sink}"
    assert agent(line).code == 0  # one that is over, and must not be named
    (path,) = journal_of(agent)
    with Journal(path.parent).hold(path.name.partition(".")[0], "rot_1"):
        server.asked()
        error = agent(f"{line} -o json").error
        assert (error["exit_code"], error["candidates"]) == (6, ["rot_1"])
        assert server.asked() == [f"GET {KEYS}"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_nothing_can_be_locked_no_key_is_rotated(
    agent: CommandLine, server: Server, sink: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    other = sink.with_name("other.key")
    other.write_text(sink.read_text())
    server.asked()
    result = agent(f"keys rotate agent --leaked --secret-file {other} --yes -o json")
    assert (result.code, os.strerror(number) in result.error["message"]) == (11, True)
    assert "XDG_STATE_HOME" in result.error["hint"]
    assert all(request.startswith("GET") for request in server.asked())
    assert works(agent, sink.read_text())


def test_a_token_among_the_words_of_a_command_does_not_stay(
    acme: CommandLine, tmp_path: Path
) -> None:
    acme.env |= {"PATH": os.environ["PATH"], "SPECTRONCTL_HOME": str(tmp_path / "home")}
    journal = tmp_path / "home" / "state" / "rotations"
    deliver = "--secret-command \"sh -c 'cat > /dev/null; exit $0' {} token-1\""
    for method in ("", "--overlap 1h", "--leaked"):
        assert acme(f"keys create app{method[2:4]}").code == 0
        line = f"keys rotate app{method[2:4]} {method} --yes {deliver.format(0)}"
        assert acme(line).code == 0
    assert acme("keys create failing").code == 0
    assert acme(f"keys rotate failing --overlap 0s --yes {deliver.format(1)}").code == 1
    texts = [path.read_text() for path in journal.glob("*.json")]
    assert len(texts) == 4
    (needed,) = (text for text in texts if "token-1" in text)
    assert acme(f"keys rotations abort {json.loads(needed)['id']}").code == 0
    assert not [
        path for path in journal.glob("**/*") if path.is_file() and b"token-1" in path.read_bytes()
    ]
    assert "command sh" in acme("keys rotations list --all -o wide").out

"""`spectronctl keys rotate`: what is refused before anything is sent, and what becomes of one key and of many."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.commandline import CommandLine, Result
from tests.support.server import Server

KEYS = "/api/v1/contexts/acme-prod/keys"


@pytest.fixture
def sink(tmp_path: Path) -> Path:
    """A directory for secrets alone."""
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


def is_read_only(server: Server) -> bool:
    return all(line.startswith("GET ") for line in server.asked())


NOTHING_SENT = [
    ("", 2, "which key?"),
    ("agent --all --secret-file {sink}-{{name}}", 2, "not both"),
    ("--all --match 'a*' --secret-file {sink}-{{name}}", 2, "--all is every key"),
    ("--all", 2, "needs a place of its own"),
    ("--all --secret-file {sink}", 2, "{{name}} or {{id}}"),
    ("--all --secret-file {sink}-{{context}}", 2, "{{name}} or {{id}}"),
    ("agent --leaked --overlap 1h", 2, "--leaked deletes the old key at once"),
    ("agent --drain 5m", 2, "--drain says how --overlap ends"),
    ("agent --overlap soon", 2, "--overlap"),
    ("agent --overlap 1h --drain soon", 2, "--drain"),
    ("agent --overlap -1h", 2, "--overlap"),
    ("--older-than soon --secret-file {sink}-{{name}}", 2, "--older-than"),
    ("--all --secret-file {sink}-{{name}} --parallel 0", 2, "--parallel"),
    ("agent --secret-file {sink}/nowhere/key", 2, "nowhere"),
    ("agent --secret-file /proc/key", 11, "/proc/key"),
    ("agent --secret-env-file {sink}.env:TWICE", 2, "lines 1 and 2"),
    ("agent --secret-env-file {sink}.env:9X", 2, "9X"),
    ("agent --secret-command no-such-program", 2, "no-such-program"),
    ("agent --secret-file {sink} --secret-file {sink}", 2, "twice"),
    ("agent --columns nonsense", 2, "nonsense"),
]


@pytest.mark.parametrize(("options", "code", "says"), NOTHING_SENT)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    agent: CommandLine, server: Server, sink: Path, options: str, code: int, says: str
) -> None:
    sink.with_name("agent.key.env").write_text("TWICE=1\nTWICE=2\n")
    before = {path.name: path.read_text() for path in sink.parent.iterdir()}
    server.asked()
    result = agent(f"keys rotate {options.format(sink=sink)} --yes")
    assert (result.code, result.out, server.asked()) == (code, "", [])
    assert says.format() in result.err
    assert {path.name: path.read_text() for path in sink.parent.iterdir()} == before


def test_a_terminal_wants_a_place_or_reveal(agent: CommandLine, server: Server) -> None:
    server.asked()
    result = agent("keys rotate agent --yes", terminal=True)
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert "--reveal" in result.err
    shown = agent("keys rotate agent --yes --reveal -q", terminal=True)
    assert works(agent, shown.out)


def test_a_state_directory_that_cannot_be_written_is_found_first(
    agent: CommandLine, server: Server, sink: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    server.asked()
    line = f"keys rotate agent --overlap 1h --yes --secret-file {sink}"
    result = agent(line, env={"XDG_STATE_HOME": f"{tmp_path}/file"})
    assert (result.code, result.out, server.asked()) == (11, "", [])
    assert "Nothing was sent. XDG_STATE_HOME moves it." in result.err


def test_an_unknown_key_names_the_near_ones(agent: CommandLine, server: Server, sink: Path) -> None:
    server.asked()
    error = agent(f"keys rotate agnet --yes --secret-file {sink} -o json").error
    assert (error["exit_code"], error["candidates"]) == (5, ["agent"])
    assert is_read_only(server)


class Twins(httpx.BaseTransport):
    """A server that lists every key twice, under two ids."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.server.handle_request(request)
        document = json.loads(answer.read())
        twins = [{**key, "id": key["id"][:-1] + "0"} for key in document.get("keys", [])]
        document["keys"] = [*document.get("keys", []), *twins]
        return httpx.Response(answer.status_code, json=document)


def test_an_ambiguous_name_is_not_guessed(agent: CommandLine, server: Server, sink: Path) -> None:
    agent.transport = Twins(server)
    server.asked()
    error = agent(f"keys rotate agent --yes --secret-file {sink} -o json").error
    assert (error["exit_code"], len(error["candidates"])) == (6, 2)
    assert is_read_only(server)


def test_an_overlap_beyond_the_keys_life_is_refused(
    acme: CommandLine, server: Server, sink: Path
) -> None:
    assert acme(f"keys create brief --expires-in 2h --secret-file {sink}").code == 0
    before = sink.read_text()
    server.asked()
    result = acme(f"keys rotate brief --overlap 3h --yes --secret-file {sink}")
    assert (result.code, result.out) == (2, "")
    assert "--overlap is longer than what is left of key brief" in result.err
    assert is_read_only(server)
    assert sink.read_text() == before


def test_a_journal_from_a_newer_version_keeps_the_key_from_being_touched(
    agent: CommandLine, server: Server, sink: Path
) -> None:
    line = f"keys rotate agent --overlap 1h --yes --secret-file {sink}"
    assert agent(line).code == 0
    (journal,) = (agent.home / ".local/state/spectronctl/rotations").glob("*.json")
    journal.write_text(json.dumps({**json.loads(journal.read_text()), "version": 99}))
    before = sink.read_text()
    server.asked()
    result = agent(line)
    assert (result.code, result.out) == (11, "")
    assert "written by a newer spectronctl (version 99)" in result.err
    assert is_read_only(server)
    assert sink.read_text() == before


class Generous(httpx.BaseTransport):
    """A server that lets the keys of contexts manage."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/api/v1/contexts"):
            for header in ("Authorization", "API-KEY"):
                if header in request.headers:
                    prefix = "Bearer " if header == "Authorization" else ""
                    request.headers[header] = prefix + self.server.key
        return self.server.handle_request(request)


@pytest.mark.parametrize("how", ["--overlap 1h", "--leaked", ""])
def test_the_key_that_signs_the_run_is_refused_as_its_target(
    agent: CommandLine, server: Server, sink: Path, how: str
) -> None:
    agent.transport = Generous(server)
    del agent.env["SPECTRON_MANAGEMENT_API_KEY"]
    line = f"keys rotate agent {how} --yes --api-key-file {sink}"
    server.asked()
    result = agent(f"{line} --secret-file {sink}-elsewhere")
    assert (result.code, result.out) == (2, "")
    assert "signs this very command" in result.err
    assert is_read_only(server)
    assert works(agent, sink.read_text())


def test_unless_in_place_where_it_is_kept(agent: CommandLine, server: Server, sink: Path) -> None:
    agent.transport = Generous(server)
    del agent.env["SPECTRON_MANAGEMENT_API_KEY"]
    before = sink.read_text()
    line = f"keys rotate agent --yes --api-key-file {sink} --secret-file {sink}"
    assert agent(line).code == 0
    assert sink.read_text() != before
    assert works(agent, sink.read_text())
    assert not works(agent, before)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("", "The old secret stops working at once: its users fail until they have the new one."),
        ("--leaked", "The old key is deleted first: requests that use it fail at once."),
        ("--overlap 24h", "The old key is deleted after 1d, once it has not been used for 5m."),
    ],
)
def test_the_question_says_what_will_break(
    agent: CommandLine, server: Server, sink: Path, how: str, says: str
) -> None:
    (key,) = agent("keys list -o json").json
    before = sink.read_text()
    server.asked()
    line = f"keys rotate agent {how} --secret-file {sink}"
    result = agent(line, stdin="n\n", terminal=True)
    assert (result.code, result.out) == (1, "")
    assert f"Rotate agent ({key['id']}) of context acme-prod? {says} [y/N]" in result.err
    assert "Nothing was rotated." in result.err
    assert is_read_only(server)
    assert sink.read_text() == before
    unasked = agent(line)
    assert (unasked.code, server.asked()) == (2, [])
    assert agent(line, stdin="y\n", terminal=True).code == 0
    assert sink.read_text() != before


def test_a_protected_profile_wants_the_contexts_name(
    agent: CommandLine, server: Server, sink: Path
) -> None:
    assert agent("profiles add prod --url http://spectron.test --protected").code == 0
    line = f"keys rotate agent --overlap 1h --secret-file {sink} --profile prod"
    server.asked()
    for refused in ("--yes", "--confirm acme"):
        result = agent(f"{line} {refused}")
        assert (result.code, result.out, server.asked()) == (2, "", [])
    assert agent(f"{line} --confirm acme-prod").code == 0


def test_a_dry_run_sends_nothing_and_shows_the_places(
    agent: CommandLine, server: Server, sink: Path
) -> None:
    agent("keys create batch --secret-file " + str(sink.with_name("batch.key")))
    before = sorted(path.name for path in sink.parent.iterdir())
    server.asked()
    line = f"keys rotate --all --overlap 24h --secret-file {sink.parent}/{{name}}.key --dry-run"
    rows = agent(f"{line} -o json").json
    assert [(row["name"], row["method"], row["successor"]) for row in rows] == [
        ("agent", "overlap", "agent.g2"),
        ("batch", "overlap", "batch.g2"),
    ]
    assert [row["places"] for row in rows] == [
        [f"file {sink.parent}/agent.key"],
        [f"file {sink.parent}/batch.key"],
    ]
    table = agent(line)
    assert f"file {sink.parent}/batch.key" in table.out
    assert "2 to rotate; nothing was sent." in table.err
    assert is_read_only(server)
    assert sorted(path.name for path in sink.parent.iterdir()) == before
    assert agent("keys rotations list --all -o json").json == []


def test_placeholders_name_a_place_for_each(agent: CommandLine, sink: Path) -> None:
    command = shlex.quote(f"sh -c 'cat > {sink.parent}/$SPECTRONCTL_KEY_NAME.taken'")
    line = (
        f"keys rotate --match 'agent*' --overlap 1h --yes --secret-command {command}"
        f" --secret-file {sink.parent}/{{context}}.{{name}}.{{id}}"
    )
    (old,) = agent("keys list -o json").json
    (row,) = agent(f"{line} -o json").json
    secret = (sink.parent / f"acme-prod.agent.{old['id']}").read_text()
    assert works(agent, secret)
    assert (sink.parent / "agent.taken").read_text() == secret
    assert "secret" not in row
    assert row["rotation"]["replaces"] == {"id": old["id"], "name": "agent"}


def rotate_all(run: CommandLine, directory: Path, options: str) -> Result:
    return run(
        f"keys rotate --all --overlap 1h --yes --secret-file '{directory}/{{name}}/key' {options}"
    )


def make_keys(run: CommandLine, directory: Path, count: int, *, ready: int) -> list[str]:
    """Keys of which the first `ready` have a directory for their secret."""
    made = [f"key-{number:02}" for number in range(count)]
    for number, name in enumerate(made):
        assert run(f"keys create {name}").code == 0
        if number < ready:
            (directory / name).mkdir()
    return made


def test_many_are_rotated_several_at_a_time(acme: CommandLine, tmp_path: Path) -> None:
    made = make_keys(acme, tmp_path, 30, ready=30)
    result = rotate_all(acme, tmp_path, "--parallel 8 -o jsonl")
    assert result.code == 0
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [row["name"] for row in rows] == [f"{name}.g2" for name in made]
    assert {row["rotation"]["step"] for row in rows} == {"waiting"}
    secrets = {name: (tmp_path / name / "key").read_text() for name in made}
    assert len(set(secrets.values())) == 30
    for name, secret in secrets.items():
        assert secret not in result.out + result.err
        me = acme("whoami --api-key-file - -o json", stdin=secret).json
        assert me["key_name"] == f"{name}.g2"


def test_exit_1_names_each_that_failed_with_the_command_that_continues(
    acme: CommandLine, tmp_path: Path
) -> None:
    make_keys(acme, tmp_path, 4, ready=2)
    ids = {key["name"]: key["id"] for key in acme("keys list -o json").json}
    result = rotate_all(acme, tmp_path, "-o json")
    assert result.code == 1
    error = json.loads(result.err.splitlines()[-1])
    assert error["message"] == "2 of 4 rotations failed"
    for name in ("key-02", "key-03"):
        command = (
            f"spectronctl keys rotate {ids[name]} -c acme-prod --overlap 1h --drain 5m"
            f" --secret-file {tmp_path}/{name}/key"
        )
        assert f"{name}: there is no directory {tmp_path}/{name}" in error["hint"]
        assert f"try: {command}" in error["hint"]
        (tmp_path / name).mkdir()
        assert acme(f"{command.removeprefix('spectronctl ')} --yes").code == 0
    assert sorted(names(acme)[4:]) == ["key-00.g2", "key-01.g2", "key-02.g2", "key-03.g2"]


def test_too_many_failures_begin_no_more(acme: CommandLine, server: Server, tmp_path: Path) -> None:
    make_keys(acme, tmp_path, 6, ready=0)
    server.asked()
    result = rotate_all(acme, tmp_path, "--parallel 1 --max-failures 2 -o json")
    assert result.code == 1
    assert "2 of 6 rotations failed, 4 were not begun" in result.err
    assert is_read_only(server)


def test_a_failure_is_one_row_among_the_others(acme: CommandLine, tmp_path: Path) -> None:
    make_keys(acme, tmp_path, 3, ready=1)
    result = rotate_all(acme, tmp_path, "-o json")
    rows: list[dict[str, Any]] = json.loads(result.out or "[]")
    assert [row["name"] for row in rows] == ["key-00.g2", "key-01", "key-02"]
    assert [row["rotation"]["error"] is None for row in rows] == [True, False, False]


@pytest.mark.parametrize("chosen", ["--all", "--older-than 0s"])
def test_a_dry_run_of_many_needs_no_place_either_and_takes_no_limit(
    chosen: str, acme: CommandLine
) -> None:
    for name in ("app", "batch"):
        acme(f"keys create {name} --secret-file {acme.home}/{name}.key")
    rows = acme(f"keys rotate {chosen} --dry-run -o json").json
    assert [row["name"] for row in rows] == ["app", "batch"]
    assert acme(f"keys rotate {chosen} --dry-run --secret-file one.key").code == 2
    refused = acme(f"keys rotate {chosen} --dry-run --limit 1 -o json")
    assert (refused.code, refused.out) == (2, "")
    assert "--limit" in refused.error["message"]


def test_a_dry_run_at_a_terminal_needs_no_place_for_a_secret(acme: CommandLine) -> None:
    acme(f"keys create app --secret-file {acme.home}/app.key")
    result = acme("keys rotate app --dry-run", terminal=True)
    assert result.code == 0, result.err
    assert "1 to rotate; nothing was sent." in result.err
    assert acme("keys rotate app --yes", terminal=True).code == 2

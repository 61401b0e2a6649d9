"""`spectronctl scopes`: list, create, delete, forget, and what is asked before the last two."""

from __future__ import annotations

import httpx
import pytest

from tests.support.commandline import CommandLine
from tests.support.keeping import keep
from tests.support.server import Server


def fill(acme: CommandLine, server: Server) -> None:
    keep(server, "Bo likes tea", scopes=["org/acme/bo"])
    keep(server, "Ann likes milk", scopes=[["org/acme/ann", "org/other"]])
    keep(server, "Cy likes beer", scopes=["org/other"])


def list_paths(acme: CommandLine) -> list[str]:
    return acme("scopes list -o name").out.split()


def test_a_scope_is_created_with_those_above_it_and_may_be_again(acme: CommandLine) -> None:
    made = acme("scopes create org/acme --display-name 'Acme Inc' -o json")
    assert (made.json["path"], made.json["display_name"]) == ("org/acme/", "Acme Inc")
    assert made.err == "Registered org/acme/.\n"
    again = acme("scopes create /org/acme/ --description 'A customer' -o json")
    assert again.json == {**made.json, "description": "A customer"}
    assert list_paths(acme) == ["org/", "org/acme/"]


def test_a_deleted_scope_takes_those_below_along_and_is_revived_by_name(acme: CommandLine) -> None:
    acme("scopes create org/acme/bo")
    assert acme("scopes delete org/acme --yes").err == "Deleted org/acme.\n"
    rows = acme("scopes list -o json").json
    assert [bool(row.get("tombstoned_at")) for row in rows] == [False, True, True]
    below = acme("scopes create org/acme/bo -o json")
    assert (below.code, below.error["kind"]) == (7, "invalid")
    assert "org/acme is tombstoned" in below.error["message"]
    assert acme("scopes create org/acme").code == 0
    unknown = acme("scopes delete org/nope --yes -o json")
    assert (unknown.code, unknown.error["kind"]) == (5, "not_found")
    missing = acme("scopes rm org/nope --yes --if-missing ok -o json")
    assert (missing.code, missing.json) == (0, {"path": "org/nope", "deleted": False})


def test_a_dry_run_counts_what_would_be_forgotten(acme: CommandLine, server: Server) -> None:
    fill(acme, server)
    found = acme("scopes forget org/acme --dry-run -o json")
    assert found.json == {
        "forgotten": 6,
        "dry_run": True,
        "rows": {"sessions": 2, "turns": 2, "memories": 2, "queries": 0},
        "co_owned": {"sessions": 1, "turns": 1, "memories": 1, "queries": 0},
    }
    assert found.err == (
        "6 rows (sessions 2, turns 2, memories 2, cached queries 0), 3 of them co-owned by other scopes"
        " would be erased; nothing was erased.\n"
    )
    assert acme("scopes forget org/acme --dry-run -o name").out == "6\n"
    assert len(acme("sessions list -o name").out.split()) == 3


def test_the_question_tells_how_much_would_go_and_no_changes_nothing(
    acme: CommandLine, server: Server
) -> None:
    fill(acme, server)
    declined = acme("scopes forget org/acme", terminal=True, stdin="n\n")
    assert declined.code == 1
    assert "Erase 6 rows" in declined.err
    assert "3 of them co-owned" in declined.err
    assert "Nothing was erased." in declined.err
    assert len(acme("sessions list -o name").out.split()) == 3
    assert acme("scopes forget org/acme --yes -o json").json["forgotten"] == 6
    assert len(acme("sessions list -o name").out.split()) == 1
    assert list_paths(acme)[:2] == ["org/", "org/acme/"]


def test_nothing_is_sent_when_nobody_can_be_asked(acme: CommandLine, server: Server) -> None:
    server.requests.clear()
    for line in ("scopes forget org/acme", "scopes delete org/acme"):
        told = acme(f"{line} -o json")
        assert (told.code, told.error["kind"]) == (2, "usage")
    assert server.requests == []


def test_a_server_without_a_preview_is_never_asked_for_one_by_a_post(
    run_alone: CommandLine,
) -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(405 if request.method == "GET" else 200, json={"forgotten": 4})

    run = CommandLine(run_alone.home, httpx.MockTransport(answer))
    told = run("scopes forget org/acme --dry-run -c acme --api-key k -o json", env={"CI": "1"})
    assert (told.code, told.error["kind"], sent) == (9, "not_available", ["GET"])
    done = run("scopes forget org/acme --yes -c acme --api-key k -o json", env={"CI": "1"})
    assert (done.json, sent) == ({"forgotten": 4}, ["GET", "POST"])
    assert done.err == "Erased 4 rows.\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("scopes create 'a b'", "path: must be a path"),
        ("scopes create /", "path: is the whole context"),
        ("scopes delete / --yes", "path: is the whole context"),
        ("scopes forget / --yes", "path: is the whole context"),
        ("scopes forget / --dry-run", "path: is the whole context"),
        ("scopes forget 'org/*' --yes", "path: must be a path"),
    ],
)
def test_what_is_no_scope_is_refused(line: str, told: str, acme: CommandLine) -> None:
    result = acme(f"{line} -o json")
    assert (result.code, result.out, result.error["kind"]) == (7, "", "invalid")
    assert told in result.error["message"]


def test_a_key_of_the_context_is_sent_and_its_refusal_told(acme: CommandLine) -> None:
    env = {"SPECTRON_API_KEY": acme("keys create reader --scope-floor org=acme").out.strip()}
    acme("scopes create org/acme/bo")
    assert acme("scopes list -o name", env=env).out.split() == ["org/acme/", "org/acme/bo/"]
    for line in ("create org/acme/x", "delete org/acme/bo --yes", "forget org/acme --yes"):
        told = acme(f"scopes {line} -o json", env=env)
        assert (told.code, told.error["kind"]) == (4, "forbidden")

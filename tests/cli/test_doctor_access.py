"""`spectronctl doctor` at the server: which headers, which keys, which plane, which routes, what time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.support.commandline import SENTINEL, CommandLine, Result
from tests.support.diagnoses import find, first_failure, statuses
from tests.support.server import Server
from tests.support.sockets import open_door

pytestmark = pytest.mark.usefixtures("no_proxies")


def doctor(run: CommandLine, options: str = "", **env: str) -> Result:
    result = run(f"doctor -o json {options}", env=env)
    assert SENTINEL not in result.out + result.err
    return result


def mint(run: CommandLine, context: str = "acme-prod") -> str:
    """The secret of a new key of the context."""
    name = f"agent-{context}"
    created = run(f"keys create {name} -c {context} -o json --secret-file {run.home / name}")
    assert created.code == 0, created.err
    return (run.home / name).read_text().strip()


def test_all_is_well(acme: CommandLine, server: Server) -> None:
    server.asked()
    result = doctor(acme)
    assert (result.code, result.err) == (0, "")
    assert result.json["status"] == "ok"
    assert find(result, "health")["detail"].startswith("Spectron 0.")
    assert find(result, "context")["facts"]["principal_id"] == "operator"
    assert set(statuses(result).values()) == {"ok", "skipped"}
    assert {line.split()[0] for line in server.asked()} == {"GET"}


def test_every_route_of_our_own_server_is_found(acme: CommandLine) -> None:
    facts = find(doctor(acme), "capabilities")["facts"]
    assert facts
    assert all(facts.values())


def test_the_first_context_will_do_to_try_routes_on(acme: CommandLine, server: Server) -> None:
    """A management key is let into every context, and none has to be chosen."""
    secret = mint(acme)
    del acme.env["SPECTRON_CONTEXT_ID"]
    for env in ({}, {"SPECTRON_API_KEY": secret}):
        result = doctor(acme, **env)
        assert find(result, "context")["status"] == "skipped"
        assert all(find(result, "capabilities")["facts"].values())
        assert secret not in result.out


def test_a_context_that_is_not_there_says_nothing_of_the_routes(run: CommandLine) -> None:
    facts = find(doctor(run, "-c missing"), "capabilities")["facts"]
    assert [facts[name] for name in ("keys", "ontology", "jobs")] == [None] * 3
    assert False not in facts.values()

    assert run("contexts create acme --namespace acme --database prod").code == 0
    result = doctor(run, "-c missing")
    assert (result.code, first_failure(result)["check"]) == (5, "context")
    assert all(find(result, "capabilities")["facts"].values())


def test_what_no_one_has_seen_is_not_said_to_lack_routes(acme: CommandLine, server: Server) -> None:
    """With a context's key alone, a server may answer 404 where it does not know the context."""

    def fault(request: httpx.Request) -> httpx.Response | None:
        is_inside = request.url.path.startswith("/api/v1/acme-prod/")
        return httpx.Response(404, json={"detail": "not found"}) if is_inside else None

    secret = mint(acme)
    acme.transport = answer_like(server, fault)
    result = doctor(acme, SPECTRON_MANAGEMENT_API_KEY="", SPECTRON_API_KEY=secret)
    assert first_failure(result)["check"] == "context"
    assert set(find(result, "capabilities")["facts"].values()) == {None}


Fault = Callable[[httpx.Request], httpx.Response | None]


def answer_like(server: Server, fault: Fault) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: fault(request) or server.handle_request(request))


def older(request: httpx.Request) -> httpx.Response | None:
    """A server without our extensions: the list of sessions is POST only, other things are not there at all."""
    path = request.url.path
    if path.endswith("/sessions") and request.method == "GET":
        return httpx.Response(405, json={"detail": "method not allowed"})
    if path.endswith(("/migrations", "/ready", "/query", "/jobs")):
        return httpx.Response(404, json={"detail": "not found"})
    return httpx.Response(501, json={}) if path.endswith("/lifecycle/expire") else None


def test_what_an_older_server_lacks_is_told_and_no_failure(
    acme: CommandLine, server: Server
) -> None:
    acme.transport = answer_like(server, older)
    result = doctor(acme)
    assert (result.code, find(result, "schema")["status"]) == (0, "skipped")
    row = find(result, "capabilities")
    lacking = {name for name, is_there in row["facts"].items() if not is_there}
    assert lacking == {"migrations", "jobs", "sessions", "query", "expiry preview"}
    assert "not offered: migrations, jobs, sessions, expiry preview, query" in row["detail"]


def test_contexts_behind_are_a_warning(acme: CommandLine, server: Server) -> None:
    def fault(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/migrations"):
            body = {"schema_version": 5, "contexts": [], "behind": ["acme-prod"], "failures": []}
            return httpx.Response(200, json=body)
        return None

    acme.transport = answer_like(server, fault)
    result = doctor(acme)
    row = find(result, "schema")
    assert (result.code, result.json["status"], row["status"]) == (0, "warning", "warning")
    assert row["command"] == "spectronctl migrations status"


def test_a_database_that_does_not_answer_is_the_servers_ill_health(
    acme: CommandLine, server: Server
) -> None:
    acme.transport = answer_like(
        server,
        lambda request: (
            httpx.Response(503, json={"detail": "the database does not respond"})
            if request.url.path.endswith("/ready")
            else None
        ),
    )
    result = doctor(acme)
    assert (result.code, first_failure(result)["check"]) == (9, "health")
    assert "the database does not respond" in result.error["message"]


def test_a_check_asks_once(acme: CommandLine, server: Server) -> None:
    asked: list[str] = []

    def fault(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(503, json={"detail": "not now"}, headers={"Retry-After": "0"})

    acme.transport = answer_like(server, fault)
    result = doctor(acme)
    assert (result.code, first_failure(result)["check"]) == (9, "health")
    assert asked == ["/api/v1/health"]


# Headers


def take_only(header: str) -> Fault:
    """A server of one generation: the other header is nothing it knows."""
    other = {"authorization": "api-key", "api-key": "authorization"}[header]

    def fault(request: httpx.Request) -> httpx.Response | None:
        needs_none = request.url.path.endswith(("/health", "/ready"))
        if header not in request.headers and not needs_none:
            return httpx.Response(401, json={"detail": "no key"})
        request.headers.pop(other, None)
        return None

    return fault


@pytest.mark.parametrize(("header", "name"), [("authorization", "bearer"), ("api-key", "api-key")])
def test_a_server_of_one_header_takes_both_at_once_and_is_told(
    header: str, name: str, acme: CommandLine, server: Server
) -> None:
    acme.transport = answer_like(server, take_only(header))
    result = doctor(acme)
    row = find(result, "auth_header")
    assert (result.code, row["status"]) == (0, "ok")
    assert row["facts"] == {"auth_header": "both", "accepted": ["both", name]}

    other = {"bearer": "api-key", "api-key": "bearer"}[name]
    wrong = doctor(acme, SPECTRONCTL_AUTH_HEADER=other)
    row = first_failure(wrong)
    assert (wrong.code, row["check"]) == (3, "auth_header")
    assert row["command"] == f"export SPECTRONCTL_AUTH_HEADER={name}"
    assert find(wrong, "management_key")["status"] == "skipped"


def test_a_server_that_minds_the_other_header_is_told_with_what_to_set(
    acme: CommandLine, server: Server
) -> None:
    def fault(request: httpx.Request) -> httpx.Response | None:
        both = {"authorization", "api-key"} <= request.headers.keys()
        return httpx.Response(401, json={}) if both else None

    acme.transport = answer_like(server, fault)
    acme("profiles add prod --url http://spectron.test --use")
    del acme.env["SPECTRON_URL"]
    row = first_failure(doctor(acme))
    assert row["check"] == "auth_header"
    assert row["command"] == "spectronctl profiles set prod auth_header api-key"
    assert acme(row["command"].removeprefix("spectronctl ")).code == 0
    assert doctor(acme).code == 0


@pytest.mark.parametrize(("status", "code"), [(429, 8), (503, 9)])
def test_a_server_that_is_busy_says_nothing_of_the_header(
    status: int, code: int, acme: CommandLine, server: Server
) -> None:
    def fault(request: httpx.Request) -> httpx.Response | None:
        is_asked = {"authorization", "api-key"} & request.headers.keys()
        return httpx.Response(status, json={}) if is_asked else None

    acme.transport = answer_like(server, fault)
    result = doctor(acme)
    assert (result.code, first_failure(result)["check"]) == (code, "auth_header")


# Keys


def test_no_key(acme: CommandLine, server: Server) -> None:
    acme.env["SPECTRON_MANAGEMENT_API_KEY"] = ""
    server.asked()
    result = doctor(acme)
    row = first_failure(result)
    assert (result.code, row["check"]) == (3, "keys")
    assert "SPECTRON_MANAGEMENT_API_KEY" in row["hint"]
    assert find(result, "health")["status"] == "ok"
    assert find(result, "context")["detail"] == "needs keys, which failed"
    assert server.asked() == ["GET /api/v1/health", "GET /api/v1/ready"]


def test_a_wrong_key(acme: CommandLine) -> None:
    result = doctor(acme, SPECTRON_MANAGEMENT_API_KEY=f"mgmt-{SENTINEL}")
    assert (result.code, first_failure(result)["check"]) == (3, "management_key")
    assert find(result, "auth_header")["status"] == "skipped"


def test_a_contexts_key_in_the_place_of_a_management_key(acme: CommandLine) -> None:
    secret = mint(acme)
    result = doctor(acme, SPECTRON_MANAGEMENT_API_KEY=secret)
    row = first_failure(result)
    assert (result.code, row["check"]) == (4, "management_key")
    assert "the key is a context's (sk-…), sent as a management key" in row["detail"]
    assert "SPECTRON_API_KEY" in row["hint"]
    assert find(result, "context")["status"] == "ok"
    assert secret not in result.out + result.err


def test_a_contexts_key_alone_is_enough_for_its_context(acme: CommandLine) -> None:
    secret = mint(acme)
    result = doctor(acme, SPECTRON_MANAGEMENT_API_KEY="", SPECTRON_API_KEY=secret)
    assert result.code == 0
    assert find(result, "management_key")["status"] == "skipped"
    assert find(result, "auth_header")["status"] == "ok"
    assert find(result, "context")["facts"]["kind"] == "agent"
    facts = find(result, "capabilities")["facts"]
    assert facts["sessions"] is True
    assert facts["keys"] is None


def test_a_key_of_another_context(acme: CommandLine) -> None:
    acme("contexts create other --namespace acme --database other")
    secret = mint(acme, "other")
    result = doctor(acme, SPECTRON_API_KEY=secret)
    row = first_failure(result)
    assert (result.code, row["check"]) == (3, "context")
    assert "another context's than acme-prod" in row["hint"]


def test_a_server_that_takes_no_management_key_inside_a_context(
    acme: CommandLine, server: Server
) -> None:
    def fault(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(401, json={}) if request.url.path.endswith("/me") else None

    acme.transport = answer_like(server, fault)
    row = first_failure(doctor(acme))
    assert row["check"] == "context"
    assert "'spectronctl keys create' makes one" in row["hint"]


def test_a_context_that_is_not_there(acme: CommandLine) -> None:
    result = doctor(acme, "-c missing")
    row = first_failure(result)
    assert (result.code, row["check"]) == (5, "context")
    assert row["command"] == "spectronctl contexts list"


# The clock


@pytest.mark.parametrize(
    ("seconds", "status", "words"),
    [
        (0, "ok", "no difference"),
        (10, "ok", "s ahead"),
        (-10, "ok", "s behind"),
        (120, "warning", "s ahead"),
        (-7200, "warning", "s behind"),
    ],
)
def test_a_clock_that_is_wrong(
    seconds: int, status: str, words: str, run_alone: CommandLine, server: Server
) -> None:
    with open_door(server.handle_request) as door:
        door.date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
        result = doctor(
            run_alone,
            f"--url http://127.0.0.1:{door.port}",
            SPECTRON_MANAGEMENT_API_KEY=server.key,
        )
    row = find(result, "clock")
    assert (result.code, row["status"]) == (0, status)
    assert words in row["detail"]
    assert abs(row["facts"]["seconds_ahead"] - seconds) < 5

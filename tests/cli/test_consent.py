"""What can destroy asks: with the count, by name on a protected profile, and never where no person can be asked."""

from __future__ import annotations

import pytest

from tests.server.test_documentation import OPERATIONS
from tests.support.commandline import SENTINEL, CommandLine
from tests.support.destruction import DESTROYS, HARMLESS, PREFIX, is_destructive
from tests.support.keeping import keep_passing
from tests.support.server import Server


@pytest.fixture
def protected(acme: CommandLine) -> CommandLine:
    """The command line on a protected profile."""
    acme("profiles add prod --protected --url http://spectron.test")
    acme.env |= {"SPECTRON_URL": "", "SPECTRONCTL_PROFILE": "prod"}
    return acme


def test_every_operation_of_the_server_is_known_to_destroy_or_not() -> None:
    changing = {
        operation.replace(PREFIX, "", 1)
        for operation in OPERATIONS
        if operation.split()[0] not in {"GET", "HEAD"}
    }
    assert changing == DESTROYS | HARMLESS


EXPIRIES = ("lifecycle decay", "lifecycle expire")


@pytest.mark.parametrize("line", EXPIRIES)
@pytest.mark.parametrize("options", ["", "--yes", "--confirm other"])
def test_memories_of_a_protected_context_stay_unless_it_is_named(
    protected: CommandLine, server: Server, line: str, options: str
) -> None:
    keep_passing(server, 2)
    server.asked()
    result = protected(f"{line} {options} -o json")
    assert (result.code, result.error["kind"], server.asked()) == (2, "usage", [])
    done = protected(f"{line} --confirm acme-prod -o json")
    assert (done.code, done.json["affected"]) == (0, 2)


@pytest.mark.parametrize("line", EXPIRIES)
def test_a_person_is_asked_with_the_count(acme: CommandLine, server: Server, line: str) -> None:
    keep_passing(server, 3)
    declined = acme(line, stdin="n\n", terminal=True)
    assert (declined.code, declined.out) == (1, "")
    assert "Expire 3 memories in context acme-prod at http://spectron.test?" in declined.err
    assert "Nothing was expired." in declined.err
    assert acme("lifecycle expire --dry-run").out == "3\n"
    assert acme(line, stdin="y\n", terminal=True).code == 0
    assert acme("lifecycle expire --dry-run").out == "0\n"


def test_a_protected_person_types_the_name(protected: CommandLine, server: Server) -> None:
    keep_passing(server, 1)
    assert protected("lifecycle decay", stdin="yes\n", terminal=True).code == 1
    assert protected("lifecycle decay", stdin="acme-prod\n", terminal=True).code == 0


def test_several_contexts_are_confirmed_together(protected: CommandLine, server: Server) -> None:
    protected("contexts create beta --namespace acme --database beta")
    keep_passing(server, 2)
    line = "lifecycle expire acme-prod beta"
    asked = protected(line, stdin="\n", terminal=True)
    assert "Expire 2 memories in 2 contexts (acme-prod, beta)" in asked.err
    assert protected(f"{line} --confirm acme-prod").code == 2
    assert protected(f"{line} --confirm acme-prod,beta -q -o name").code == 0
    every = "lifecycle expire --all-contexts"
    env = {"SPECTRON_CONTEXT_ID": ""}
    assert protected(f"{every} --yes", env=env).code == 2
    assert protected(f"{every} --confirm prod", env=env).code == 0


def test_a_server_without_a_preview_is_asked_about_without_a_count(
    acme: CommandLine, server: Server
) -> None:
    asked = acme("lifecycle decay missing", stdin="\n", terminal=True)
    assert "the server cannot tell how many" in asked.err
    assert "POST /api/v1/contexts/missing/lifecycle/decay" not in server.asked()


SHORTER = [
    ("--retention-days 90", "--retention-days 1", "after 1d instead of"),
    ("", "--retention-days 1", "after 1d instead of 1w"),
    ("--retention-days 90", "--unset retention_days", "after 1w instead of"),
    ("--set memory_ttl.context=7d", "--set memory_ttl.context=1h", "after 1h instead of 1w"),
    ("", "--set memory_ttl.identity=1h", "memories of identity will expire after 1h"),
    ("--token-limit 9", "--token-limit 8", "fall from 9 to 8"),
    ("", "--token-limit 8", "token limit of 8"),
    ("--provider openai=env:P", "--unset providers.openai", "key of provider openai"),
    ("--provider openai=env:P", "--unset providers", "key of provider openai"),
]


@pytest.mark.parametrize(
    ("verb", "before", "change", "says"),
    [("update", *case) for case in SHORTER]
    + [("create", *case) for case in SHORTER if "--unset" not in case[1]],
)
def test_an_update_that_loses_something_asks(
    protected: CommandLine, server: Server, verb: str, before: str, change: str, says: str
) -> None:
    binding = "--namespace acme --database losing"
    protected.env["P"] = SENTINEL
    assert protected(f"contexts create losing {binding} {before}").code == 0
    line = f"contexts update losing {change}"
    if verb == "create":
        line = f"contexts create losing {binding} --if-exists update {change}"
    server.asked()

    for refused in ("", "--yes"):
        assert protected(f"{line} {refused}").code == 2
    assert not any(map(is_destructive, server.asked()))

    declined = protected(line, stdin="n\n", terminal=True)
    assert (declined.code, declined.err.count("Nothing was changed.")) == (1, 1)
    assert says in declined.err
    assert not any(map(is_destructive, server.asked()))

    done = protected(f"{line} --confirm losing -o json")
    assert (done.code, "PATCH /api/v1/contexts/losing" in server.asked()) == (0, True)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ("", "--retention-days 90"),
        ("--retention-days 3", "--retention-days 4"),
        ("--retention-days 3", "--unset retention_days"),
        ("--set memory_ttl.identity=1h", "--unset memory_ttl.identity"),
        ("--token-limit 8", "--token-limit 9"),
        ("--token-limit 8", "--unset token_limit"),
        ("--provider openai=env:P", "--provider openai=env:P"),
        ("--set labels.a=b", "--unset labels.a"),
    ],
)
def test_an_update_that_loses_nothing_asks_nothing(
    protected: CommandLine, before: str, change: str
) -> None:
    protected.env["P"] = SENTINEL
    protected(f"contexts create gaining --namespace acme --database gaining {before}")
    assert protected(f"contexts update gaining {change}").code == 0

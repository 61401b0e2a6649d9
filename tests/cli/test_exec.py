"""`spectronctl exec` against a real server in memory: which key is minted, and what becomes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.models.keys import is_lent, lend_name, split_name
from tests.support.commandline import SENTINEL, CommandLine
from tests.support.faults import Fault, lose_answer, lose_request, truncate_answer
from tests.support.server import Server

TWIN = re.compile(r"app\.exec-[0-9a-f]{8}")


@pytest.fixture
def acme(acme: CommandLine, server: Server) -> CommandLine:
    """The command line in a context that has a key `app`; nothing asked of the server yet."""
    made = acme(f"keys create app --scope-floor org=acme --secret-file {acme.home}/app.key")
    assert made.code == 0
    server.asked()
    return acme


def find_minted(server: Server) -> dict[str, Any]:
    """What was said of the key that was minted."""
    (body,) = [
        json.loads(request.content)
        for request in server.requests
        if request.method == "POST" and request.url.path.endswith("/keys")
    ]
    return dict(body)


def test_the_twin_is_limited_like_the_key(acme: CommandLine, server: Server) -> None:
    limits = {"memory:read": ["org/acme/a/*"]}
    path = "/contexts/acme-prod/principals/admin/keys/bot"
    assert acme(f"api POST {path} --yes --field 'grants={json.dumps(limits)}'").code == 0
    assert acme("exec --key bot -- true").code == 0
    minted = find_minted(server)
    assert (minted["principal_id"], minted["grants"]) == ("admin", limits)


def list_names(run: CommandLine) -> list[str]:
    return run("keys list -o name").out.split()


def read_env(run: CommandLine, line: str, **env: str) -> dict[str, str]:
    """The environment of the program that a line runs."""
    seen = run.home / "seen"
    program = f"sh -c 'env -0 > {seen}'"
    result = run(f"{line} -- {program}", env=env)
    assert (result.code, result.out) == (0, "")
    return dict(pair.split("=", 1) for pair in seen.read_text().split("\0") if pair)


def test_the_program_gets_a_twin_of_the_key_and_the_twin_is_gone_afterwards(
    acme: CommandLine, server: Server
) -> None:
    result = acme("exec --key app -- sh -c 'exit 5'")
    assert (result.code, result.out, result.err) == (5, "", "")
    minted = find_minted(server)
    assert TWIN.fullmatch(minted.pop("name"))
    assert minted.pop("principal_id") == acme("keys get app -o json --query principal_id").json
    assert minted == {"principal": "agent", "scope_floor": {"org": "acme"}, "expires_in": 86400}
    assert list_names(acme) == ["app"]


def test_nothing_but_the_new_key_is_in_its_environment(acme: CommandLine) -> None:
    (acme.home / "other.key").write_text(SENTINEL)
    config = acme.home / ".config/spectronctl"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(
        '[profiles.p]\nurl = "http://spectron.test"\napi_key_env = "OURS"\n'
        'ca_file = "/etc/ca.pem"\nproxy = "http://proxy.test:1"\nauth_header = "api-key"\n'
        '[profiles.p.context_keys.acme-prod]\napi_key_env = "OURS_TOO"\n'
    )
    given = {
        "SPECTRONCTL_API_KEY": acme.env["SPECTRON_MANAGEMENT_API_KEY"],
        "SPECTRON_MGMT_KEY": SENTINEL,
        "SPECTRON_API_KEY": SENTINEL,
        "SPECTRONCTL_API_KEY_FILE": f"{acme.home}/other.key",
        "SPECTRONCTL_STORE_PASSWORD": SENTINEL,
        "SPECTRONCTL_PROFILE": "p",
        "OURS": SENTINEL,
        "OURS_TOO": SENTINEL,
        "SPECTRON_SERVER": "http://elsewhere.test",
        "SPECTRONCTL_URL": "http://spectron.test",
        "SPECTRONCTL_CONTEXT": "acme-prod",
        "SPECTRON_CONTEXT_ID": "elsewhere",
        "SPECTRONCTL_PROXY": "http://proxy.test:2",
        "SPECTRON_API_KEY_ACME_PLANNER": SENTINEL,
        "KEPT": "yes",
        "PATH": "/usr/bin:/bin",
    }
    env = read_env(acme, "exec --key app", **given)
    assert env.pop("SPECTRON_API_KEY").startswith("sk-acme-prod-")
    assert {name: text for name, text in env.items() if name not in {"PWD", "SHLVL", "_"}} == {
        "HOME": str(acme.home),
        "PATH": "/usr/bin:/bin",
        "KEPT": "yes",
        "SPECTRON_URL": "http://spectron.test",
        "SPECTRON_CONTEXT_ID": "acme-prod",
        "SPECTRONCTL_CONFIG": "/dev/null",
        "SPECTRONCTL_CA_FILE": "/etc/ca.pem",
        "SPECTRONCTL_PROXY": "http://proxy.test:2",
        "SPECTRONCTL_AUTH_HEADER": "api-key",
    }


def test_the_key_may_be_named_by_its_id_or_a_generation(acme: CommandLine, server: Server) -> None:
    assert (
        acme(f"keys rotate app --overlap 1h --yes --force --secret-file {acme.home}/app.key").code
        == 0
    )
    for name in ("app", "app.g2", acme("keys get app -o json").json["id"]):
        server.asked()
        assert acme(f"exec --key {name} -- true").code == 0
        assert TWIN.fullmatch(find_minted(server)["name"])


@pytest.mark.parametrize(
    ("line", "life"),
    [("--expires-in 90s", {"expires_in": 90}), ("--expires-in 30d", {"expires_at": "the key's"})],
)
def test_the_twin_lives_no_longer_than_was_said_nor_than_the_key(
    line: str, life: dict[str, Any], acme: CommandLine, server: Server
) -> None:
    made = acme("keys create brief --expires-in 1d -o json").json
    server.asked()
    assert acme(f"exec --key brief {line} -- true").code == 0
    minted = find_minted(server)
    said = {name: minted[name] for name in ("expires_in", "expires_at") if name in minted}
    assert said == ({"expires_at": made["expires_at"]} if "expires_at" in life else life)


def test_a_key_that_has_expired_lends_nothing(acme: CommandLine, server: Server) -> None:
    acme("keys create brief --expires-in 1s -o name")
    server.asked()
    while acme("keys get brief -o json").json["status"] == "active":
        pass
    server.asked()
    refused = acme("exec --key brief -- true")
    assert (refused.code, refused.out) == (6, "")
    assert "has expired" in refused.err
    assert not [line for line in server.asked() if line.startswith("POST")]


def test_an_unknown_key_names_the_near_ones_and_both_ways_out(
    acme: CommandLine, server: Server
) -> None:
    error = acme("exec --key ap -o json -- true").error
    assert (error["exit_code"], error["candidates"]) == (5, ["app"])
    assert "--scope-floor" in error["hint"]
    assert error["command"] == "spectronctl keys list -c acme-prod"
    assert not [line for line in server.asked() if line.startswith("POST")]
    assert "--scope-floor" not in acme("exec --key ap -c nowhere -- true").err


@pytest.mark.parametrize(
    ("options", "rights"),
    [
        ("--scope-floor org=other", {"principal": "agent", "scope_floor": {"org": "other"}}),
        ("--principal supervisor", {"principal": "supervisor"}),
    ],
)
def test_where_there_is_no_such_key_the_rights_may_be_given(
    options: str, rights: dict[str, Any], acme: CommandLine, server: Server
) -> None:
    assert acme(f"exec --key job {options} -- true").code == 0
    minted = find_minted(server)
    assert re.fullmatch(r"job\.exec-[0-9a-f]{8}", minted.pop("name"))
    assert minted == {**rights, "expires_in": 86400}
    assert list_names(acme) == ["app"]


def test_rights_that_contradict_the_keys_are_refused(acme: CommandLine, server: Server) -> None:
    refused = acme("exec --key app --scope-floor org=other -- true")
    assert refused.code == 6
    assert '"acme"' in refused.err
    assert "Leave --principal and --scope-floor out" in refused.err
    assert "delete" not in refused.err
    assert acme("exec --key app --principal supervisor -- true").code == 6
    assert not [line for line in server.asked() if line.startswith("POST")]


@pytest.mark.parametrize(
    ("options", "agrees"),
    [
        ("--scope-floor org=acme", True),
        ("--principal supervisor", True),
        ("--principal supervisor --scope-floor org=acme", True),
        ("--principal agent", False),
    ],
)
def test_of_the_rights_of_a_key_those_are_compared_that_are_given(
    options: str, agrees: bool, acme: CommandLine, server: Server
) -> None:
    made = "keys create super --principal supervisor --scope-floor org=acme"
    assert acme(f"{made} --secret-file {acme.home}/super.key").code == 0
    server.asked()
    assert acme(f"exec --key super {options} -- true").code == (0 if agrees else 6)
    if agrees:
        minted = find_minted(server)
        assert (minted["principal"], minted["scope_floor"]) == ("supervisor", {"org": "acme"})


def test_a_lent_key_is_no_generation_and_no_name_is_too_long(
    acme: CommandLine, server: Server
) -> None:
    name = lend_name("app", "0123abcd")
    assert (name, split_name(name), is_lent(name)) == ("app.exec-0123abcd", (name, 1), True)
    assert not is_lent("app")
    assert not is_lent("app.g2")
    assert acme(f"exec --key {'n' * 128} --principal agent -- true").code == 0
    assert len(find_minted(server)["name"]) == 128


def test_many_keys_are_rotated_and_one_that_a_program_uses_is_not(acme: CommandLine) -> None:
    acme(f"keys create {lend_name('app', '0123abcd')} --secret-file {acme.home}/lent.key")
    for selection in ("--all", "--principal agent"):
        rows = acme(f"keys rotate {selection} --secret-file {{name}}.key --dry-run -o json").json
        assert [row["name"] for row in rows] == ["app"]
    one = acme(f"keys rotate {lend_name('app', '0123abcd')} --dry-run -o json")
    assert one.json["name"] == lend_name("app", "0123abcd")


def test_a_program_that_is_not_there_is_said_before_anything_is_sent(
    acme: CommandLine, server: Server
) -> None:
    for program, code, says in (
        ("absent", 127, "No such file"),
        ("/etc/passwd", 126, "Permission denied"),
    ):
        result = acme(f"exec --key app -- {program}")
        assert (result.code, result.out, server.asked()) == (code, "", [])
        assert says in result.err
        assert acme(f"exec --key app -o json -- {program}").error["exit_code"] == code


def test_a_program_that_turns_out_to_be_none_leaves_no_key(acme: CommandLine) -> None:
    program = acme.home / "program"
    program.write_bytes(b"\0")
    program.chmod(0o755)
    result = acme(f"exec --key app -- {program}")
    assert (result.code, result.out) == (126, "")
    assert "Exec format error" in result.err
    assert list_names(acme) == ["app"]


def test_a_lost_answer_leaves_no_key(acme: CommandLine, server: Server) -> None:
    for fault, code in ((lose_answer, 4), (truncate_answer, 4), (lose_request, 9)):
        server.faults.append(fault)
        assert acme("exec --key app -- sh -c 'exit 4'").code == code
        assert list_names(acme) == ["app"]


def refuse_rotation(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    return httpx.Response(403, json={"detail": "no"}, request=request)


def test_a_lost_answer_that_cannot_be_settled_leaves_no_key_either(
    acme: CommandLine, server: Server
) -> None:
    server.faults += [lose_answer, refuse_rotation]
    result = acme("exec --key app -- touch ran")
    assert (result.code, result.out) == (4, "")
    assert "No key is left, and the program was not run." in result.err
    assert list_names(acme) == ["app"]
    assert not Path("ran").exists()


def interrupt_after(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    inner.handle_request(request).read()
    raise KeyboardInterrupt


def test_an_interrupt_while_the_key_is_minted_leaves_none(
    acme: CommandLine, server: Server
) -> None:
    server.faults.append(interrupt_after)
    result = acme("exec --key app -- true")
    assert (result.code, result.out) == (130, "")
    assert list_names(acme) == ["app"]


@pytest.mark.parametrize(
    ("mint", "code"), [([interrupt_after], 130), ([lose_answer, refuse_rotation], 4)]
)
def test_a_key_that_may_be_left_by_its_minting_is_named(
    mint: list[Fault], code: int, acme: CommandLine, server: Server
) -> None:
    server.faults += [*mint, refuse_rotation]  # the deletion, in the end
    result = acme("exec --key app -- true")
    assert (result.code, result.out) == (code, "")
    (name,) = {key for key in list_names(acme) if key != "app"}
    assert re.search(rf"Key {name} may be left until 20..-..-..T..:..:..Z\.", result.err)
    command = f"keys delete {name} -c acme-prod --if-missing ok"
    assert f"try: spectronctl {command}\n" in result.err
    assert acme(f"{command} --yes").code == 0
    assert list_names(acme) == ["app"]


def pass_on(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    return inner.handle_request(request)


def fail_deletion(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    return httpx.Response(500, json={"detail": "down"}, request=request)


@pytest.mark.parametrize(("fault", "code"), [(fail_deletion, 9), (interrupt_after, 1)])
@pytest.mark.parametrize("own_code", [0, 5])
def test_a_key_that_cannot_be_deleted_is_named_with_the_command_that_does(
    fault: Fault, code: int, own_code: int, acme: CommandLine, server: Server
) -> None:
    server.faults += [pass_on, fault]
    result = acme(f"exec --key app -o json -- sh -c 'exit {own_code}'")
    assert (result.code, result.out) == (own_code or code, "")
    error = result.error
    (left,) = [request for request in server.requests if request.method == "DELETE"]
    key_id = left.url.path.rpartition("/")[2]
    assert key_id in error["hint"]
    assert error["command"] == f"spectronctl keys delete {key_id} -c acme-prod --if-missing ok"
    assert acme(error["command"].removeprefix("spectronctl ") + " --yes").code == 0
    assert list_names(acme) == ["app"]


def test_the_deletion_is_tried_again(acme: CommandLine, server: Server) -> None:
    server.faults += [pass_on, lose_request]
    assert acme("exec --key app -- true").code == 0
    assert list_names(acme) == ["app"]


def test_a_context_that_the_program_deletes_takes_the_key_along(
    acme: CommandLine, server: Server
) -> None:
    def delete_first(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        gone = httpx.Request(
            "DELETE", "http://spectron.test/api/v1/contexts/acme-prod", headers=request.headers
        )
        assert inner.handle_request(gone).status_code == 204
        return inner.handle_request(request)

    server.faults += [pass_on, delete_first]
    assert acme("exec --key app -- true").code == 0


def test_the_local_store_has_no_address_to_give(tmp_path: Path) -> None:
    run = CommandLine(tmp_path, env={"SPECTRONCTL_LOCAL_STORE": f"{tmp_path}/store"})
    result = run("exec --key app -c acme --profile local -- true")
    assert (result.code, result.out) == (2, "")
    assert "spectronctl serve exec" in result.err
    assert not (tmp_path / "store").exists()


def test_words_behind_the_program_are_its_own(acme: CommandLine) -> None:
    seen = acme.home / "seen"
    show = f'sh -c \'printf "%s\\n" "$@" > {seen}\' -'
    own = ["-c", "other", "--key", "k", "-o", "json", "--", "--help", "--version", "-"]
    for separator in ("--", ""):
        assert acme(f"exec -c acme-prod --key app {separator} {show} {' '.join(own)}").code == 0
        assert seen.read_text().splitlines() == own


def test_the_programs_words_do_not_shape_our_errors(acme: CommandLine) -> None:
    for separator in ("--", ""):
        result = acme(f"exec --key missing {separator} true -o json --debug")
        assert (result.code, result.err.startswith("error: ")) == (5, True)
    typo = acme("exec --keyy missing -- true -o json")
    assert (typo.code, typo.err.startswith("error: ")) == (2, True)


def test_what_does_not_fit_is_refused_before_anything_is_sent(
    acme: CommandLine, server: Server
) -> None:
    for line, says in (
        ("exec --key app", "CMD"),
        ("exec --key app --", "CMD"),
        ("exec -- true", "--key"),
        ("exec --key app --expires-in soon -- true", "--expires-in"),
        ("exec --key app --expires-in 0s -- true", "--expires-in"),
        ("exec --key app --scope-floor , -- true", "--scope-floor"),
    ):
        result = acme(line)
        assert (result.code, result.out, server.asked()) == (2, "", [])
        assert says in result.err

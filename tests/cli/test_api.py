"""`spectronctl api`: one request of one's own against a real server in memory, its path, parts, consent and answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.test_failures import FAILURES
from tests.support.command_tree import SAMPLES
from tests.support.commandline import SENTINEL, CommandLine, Result
from tests.support.faults import lose_answer, lose_request
from tests.support.server import Server

ACME = "/api/v1/contexts/acme-prod"


class Echo(httpx.BaseTransport):
    """Answers everything with one and the same, and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else httpx.Response(200, json={})

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def call(tmp_path: Path, echo: Echo) -> CommandLine:
    """The command line against an echo, with a key for each plane."""
    env = {
        "SPECTRON_URL": "http://spectron.test",
        "SPECTRON_MANAGEMENT_API_KEY": "mgmt-1",
        "SPECTRON_API_KEY": "sk-acme-prod-1",
        "SPECTRON_CONTEXT_ID": "acme-prod",
    }
    return CommandLine(tmp_path, echo, env)


# Where it goes


@pytest.mark.parametrize(
    "path",
    [
        "/contexts",
        "contexts",
        "/api/v1/contexts",
        "api/v1/contexts",
        "http://spectron.test/api/v1/contexts",
        "http://SPECTRON.test:80/contexts",
    ],
)
def test_every_spelling_of_a_path_means_the_same(
    path: str, acme: CommandLine, server: Server
) -> None:
    server.asked()
    result = acme(f"api GET {path} --query contexts[].id -o json")
    assert (result.code, result.json) == (0, ["acme-prod"])
    assert server.asked() == ["GET /api/v1/contexts"]


REFUSED_PATHS = [
    "http://other.test/api/v1/contexts",
    "https://spectron.test/api/v1/contexts",
    "http://spectron.test:81/contexts",
    "http://spectron.test.evil/contexts",
    "http://spectron.test@evil.test/contexts",
    "http://spectron.test",
    "ftp://spectron.test/contexts",
    "//evil.test/contexts",
    "/contexts//acme-prod",
    "/contexts/../acme-prod/me",
    "/contexts/%2e%2E/acme-prod/me",
    "/contexts/.%2e",
    "/contexts/.",
    "/contexts/a%2f..%2fb",
    "/contexts/a%5C..",
    "'/contexts/a\\..\\b'",
    "/api/v1/../../admin",
    "/contexts#part",
    "/contexts/{id}",
    "/contexts/50%",
    "/contexts/%zz",
    "'/contexts?a=%ff'",
    "''",
    "/",
    "/api/v1",
]


@pytest.mark.parametrize("path", REFUSED_PATHS)
def test_a_path_that_could_lead_elsewhere_is_refused_unsent(
    path: str, call: CommandLine, echo: Echo
) -> None:
    result = call(f"api GET {path} -o json")
    assert (result.code, result.out, echo.requests) == (2, "", [])
    assert result.error["message"].startswith("PATH: ") or "http://HOST" in result.error["message"]


def test_a_url_below_another_prefix_of_the_same_host_is_another_server(
    call: CommandLine, echo: Echo
) -> None:
    base = "--url http://spectron.test/ours"
    assert call(f"api GET http://spectron.test/api/v1/contexts {base}").code == 2
    assert call(f"api GET http://spectron.test/ours2/contexts {base}").code == 2
    assert echo.requests == []
    assert call(f"api GET http://spectron.test/ours/api/v1/contexts {base} --api-key k").code == 0
    assert echo.last.url.raw_path == b"/ours/api/v1/contexts"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=12))
def test_a_name_stays_one_name(call: CommandLine, echo: Echo, name: str) -> None:
    echo.requests.clear()
    written = quote(name, safe="", errors="surrogatepass")
    code = call(f"api GET /contexts/{written}/keys -o json").code
    if code == 2:
        assert not echo.requests
        assert {".", ".."} & set(name.replace("\\", "/").split("/"))
        return
    assert code == 0
    segments = echo.last.url.raw_path.decode().split("/")
    assert segments[:4] == ["", "api", "v1", "contexts"]
    assert segments[5:] == ["keys"]
    assert unquote(segments[4]) == unquote(written)


def test_the_chosen_context_is_filled_in_as_one_name(call: CommandLine, echo: Echo) -> None:
    assert call("api GET /contexts/{context}/keys -c 'a?b/c%41 d'").code == 0
    assert echo.last.url.raw_path == b"/api/v1/contexts/a%3Fb%2Fc%2541%20d/keys"
    call("api GET /{context}/me")
    assert echo.last.url.raw_path == b"/api/v1/acme-prod/me"
    assert call("api GET /{context}/me -c ..").code == 2
    del call.env["SPECTRON_CONTEXT_ID"]
    assert "no context chosen" in call("api GET /{context}/me").err
    assert len(echo.requests) == 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_query_is_kept_and_fields_join_it(method: str, call: CommandLine, echo: Echo) -> None:
    line = f"api {method} '/contexts?b=&a=1&a=%26%3D+é&c' --field a=3 --field d.e=@x --yes"
    (call.home / "x").write_text("from file\n")
    line = line.replace("@x", f"@{call.home}/x")
    assert call(line).code == 0
    assert list(echo.last.url.params.multi_items()) == [
        *(("b", ""), ("a", "1"), ("a", "&= é"), ("a", "3"), ("c", ""), ("d.e", "from file")),
    ]
    assert echo.last.content == b""


# With which key


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/contexts", "mgmt-1"),
        ("/contexts/acme-prod/keys", "mgmt-1"),
        ("/verbs", "mgmt-1"),
        ("/migrations", "mgmt-1"),
        ("/No-Context/me", "mgmt-1"),
        ("/acme-prod/me", "sk-acme-prod-1"),
        ("/{context}/sessions", "sk-acme-prod-1"),
        ("/health", None),
        ("/ready", None),
    ],
)
def test_each_plane_gets_its_own_key(
    path: str, key: str | None, call: CommandLine, echo: Echo
) -> None:
    assert call(f"api GET {path}").code == 0
    assert echo.last.headers.get("API-KEY") == key
    assert echo.last.headers.get("Authorization") == (f"Bearer {key}" if key else None)


def test_health_asks_for_no_key(run: CommandLine) -> None:
    del run.env["SPECTRON_MANAGEMENT_API_KEY"]
    assert run("api GET /health --query status").out == "ok\n"
    assert run("api GET /contexts").code == 3


def test_a_management_key_that_the_context_refuses_gets_the_hint(
    call: CommandLine, echo: Echo
) -> None:
    echo.answers.append(httpx.Response(401, json={"detail": "no"}))
    del call.env["SPECTRON_API_KEY"]
    error = call("api GET /{context}/me -o json").error
    assert (error["exit_code"], error["kind"]) == (3, "auth")
    assert "Give a key of context acme-prod" in error["hint"]


# What it carries


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (
            "--field config.token_limit=5 --field config.models.response=a/b",
            {"config": {"token_limit": 5, "models": {"response": "a/b"}}},
        ),
        ("--field a=true --field b=null --field c=1.5 --field d=1e", [True, None, 1.5, "1e"]),
        ("""--field 'a="1"' --field 'b=[1,{"x":2}]' --field c= --field d=x=y""", None),
        ("--field a=NaN --field b=Infinity --field c=-Infinity --field d=nan", None),
        ("""--field 'a={"x":1}' --field a.y=2""", {"a": {"x": 1, "y": 2}}),
        ("--field a=007 --field b=+1 --field c=é --field 'd= 1'", ["007", "+1", "é", 1]),
        ("--field a=" + "9" * 5000, {"a": "9" * 5000}),
    ],
)
def test_fields_make_a_nested_body(options: str, body: Any, call: CommandLine, echo: Echo) -> None:
    result = call(f"api PATCH /contexts/acme-prod --yes {options}")
    assert result.code == 0, result.err
    sent = json.loads(echo.last.content)
    if isinstance(body, list):
        assert list(sent.values()) == body
    elif body is not None:
        assert sent == body
    elif "NaN" in options:
        assert list(sent.values()) == ["NaN", "Infinity", "-Infinity", "nan"]
    else:
        assert sent == {"a": "1", "b": [1, {"x": 2}], "c": "", "d": "x=y"}
    assert echo.last.headers["Content-Type"] == "application/json"


def test_a_field_may_come_from_a_file_or_stdin(call: CommandLine, echo: Echo) -> None:
    file = call.home / "key"
    file.write_text(f"{SENTINEL}\n")
    line = f"api PATCH /contexts/acme-prod --yes --field config.providers.openai=@{file} --debug"
    result = call(f"{line} --field text=@-", stdin="5\n\n")
    assert json.loads(echo.last.content) == {
        "config": {"providers": {"openai": SENTINEL}},
        "text": "5\n",
    }
    assert SENTINEL not in result.out + result.err


DATA = '{ "a": 1.10, "b": [null] }'


def test_data_is_sent_as_it_is_written(call: CommandLine, echo: Echo) -> None:
    file = call.home / "body.toml"
    file.write_text("\ufeff" + DATA)
    for options, stdin in ((f"-d '{DATA}'", ""), (f"-d @{file}", ""), ("--data -", DATA)):
        assert call(f"api POST /acme-prod/query --yes {options}", stdin=stdin).code == 0
        assert echo.last.content.decode() == DATA
        assert echo.last.headers["Content-Type"] == "application/json"
    call("api POST /acme-prod/query --yes -d null")
    assert echo.last.content == b"null"
    call("api DELETE /acme-prod/documents --yes -d '[1]' --field hard=true")
    assert (echo.last.content, echo.last.url.query) == (b"[1]", b"hard=true")


def test_another_content_type_carries_anything(call: CommandLine, echo: Echo) -> None:
    file = call.home / "body"
    file.write_bytes(b"\x00\xff no JSON")
    line = f"api POST /acme-prod/documents --yes -d @{file} --header"
    assert call(f"{line} 'content-type: multipart/form-data; boundary=x'").code == 0
    assert echo.last.content == b"\x00\xff no JSON"
    assert echo.last.headers.get_list("Content-Type") == ["multipart/form-data; boundary=x"]
    assert call(f"{line} 'Content-Type: application/merge-patch+json'").code == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("""-d '{"a":\n  1,}'""", "--data, line 2, column 5: not JSON"),
        ("-d @/nowhere/body.json", "--data /nowhere/body.json: No such file"),
        ("-d nope", "line 1, column 1: not JSON"),
        ("""-d '{"a":1,"a":2}'""", 'has the name "a" twice'),
        ("-d '[NaN]'", "it knows no NaN"),
        ("-d " + "[" * 100_000, "nested too deeply"),
        ("-d 1 --field a=1", "two bodies"),
        ("--field a", "a field of the form NAME=VALUE"),
        ("--field =a", "a field of the form NAME=VALUE"),
        ("--field a..b=1", "a dotted path is needed"),
        ("--field a=1 --field a=2", "contradicts another --field"),
        ("--field a=1 --field a.b=2", "contradicts another --field"),
        ("--field a.b=1 --field a=2", "contradicts another --field"),
        ("--field a=@/nowhere/x", "/nowhere/x: No such file"),
        ("--field a=@- --field b=@-", "cannot both read stdin"),
        ("-d - --header 'Authorization: x'", "not yours to set"),
    ],
)
def test_a_body_that_cannot_be_meant_is_refused_unsent(
    options: str, says: str, call: CommandLine, echo: Echo
) -> None:
    result = call(f"api POST /acme-prod/query --yes {options} -o json", stdin="1")
    assert (result.code, result.out, echo.requests) == (2, "", [])
    assert says in result.error["message"]


def test_deep_data_that_parses_is_sent(call: CommandLine, echo: Echo) -> None:
    deep = "[" * 900 + "]" * 900
    assert call("api POST /acme-prod/query --yes -d -", stdin=deep).code == 0
    assert echo.last.content.decode() == deep


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_reads_carries_no_body(method: str, call: CommandLine, echo: Echo) -> None:
    assert call(f"api {method} /contexts -d '{{}}'").code == 2
    assert echo.requests == []


@pytest.mark.parametrize(
    "options",
    [
        f"--field config.providers.openai={SENTINEL}",
        f"""--field 'config={{"providers": {{"openai": "{SENTINEL}"}}}}'""",
        f"""-d '{{"config": {{"providers": {{"openai": "{SENTINEL}"}}}}}}'""",
        f"--header 'Authorization: Bearer {SENTINEL}'",
        f"--header 'X-Thing: {SENTINEL}\r\nAPI-KEY: 1'",
        f"--header '{SENTINEL}'",
    ],
)
@pytest.mark.parametrize("shape", ["table", "json"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(
    options: str, shape: str, call: CommandLine, echo: Echo
) -> None:
    result = call(f"api PATCH /contexts/acme-prod --yes {options} -o {shape} --debug")
    assert (result.code, result.out, echo.requests) == (2, "", [])
    assert SENTINEL not in result.err


RESERVED = [
    *("Authorization", "API-KEY", "api_key", "Host", "Content-Length", "transfer-encoding"),
    *("Cookie", "Proxy-Authorization", "X-Request-Id", "Connection", "X-HTTP-Method-Override"),
]


@pytest.mark.parametrize(
    "header", [*(f"{name}: x" for name in RESERVED), "A B: x", ": x", "X: é", "X: a\nb", "X-A"]
)
def test_a_header_that_is_not_yours_is_refused_unsent(
    header: str, call: CommandLine, echo: Echo
) -> None:
    result = call(f"api GET /contexts --header '{header}' -o json")
    assert (result.code, result.out, echo.requests) == (2, "", [])
    assert "--header" in result.error["message"]


def test_other_headers_are_sent_once_each(call: CommandLine, echo: Echo) -> None:
    headers = "--header 'X-Spectron-On-Behalf-Of: alice' --header accept:text/plain"
    assert call(f"api GET /acme-prod/me {headers} --header If-None-Match:").code == 0
    sent = echo.last.headers
    assert sent["X-Spectron-On-Behalf-Of"] == "alice"
    assert (sent.get_list("Accept"), sent["If-None-Match"]) == (["text/plain"], "")
    assert call("api GET /contexts --header A:1 --header a:2").code == 2


# With whose consent


def test_a_write_is_confirmed(acme: CommandLine, server: Server) -> None:
    server.asked()
    line = "api DELETE /contexts/acme-prod"
    refused = acme(f"{line} -o json")
    assert (refused.code, refused.out) == (2, "")
    assert f"Send DELETE {ACME} to http://spectron.test?" in refused.error["message"]
    assert acme(f"{line} --confirm other").code == 2
    declined = acme(line, stdin="n\n", terminal=True)
    assert (declined.code, declined.out) == (1, "")
    assert "Nothing was sent." in declined.err
    assert server.asked() == []
    assert acme(line, stdin="y\n", terminal=True).code == 0
    assert server.asked() == [f"DELETE {ACME}"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("api DELETE /contexts/acme-prod", "acme-prod"),
        ("api POST /other/sessions", "other"),
        ("api POST /contexts", "prod"),
        ("api put /health", "prod"),
        ("api PATCH /contexts/a%20b", "a b"),
    ],
)
def test_a_protected_profile_wants_the_name(
    line: str, name: str, call: CommandLine, echo: Echo
) -> None:
    call("profiles add prod --protected --url http://spectron.test")
    env = {"SPECTRON_URL": "", "SPECTRONCTL_PROFILE": "prod"}
    assert call(f"{line} --yes", env=env).code == 2
    assert call(f"{line} --confirm missing", env=env).code == 2
    assert call(line, env=env, stdin="y\n", terminal=True).code == 1
    assert echo.requests == []
    assert call(line, env=env, stdin=f"{name}\n", terminal=True).code == 0
    assert call(f"{line} --confirm '{name}'", env=env).code == 0
    assert len(echo.requests) == 2


def test_reading_asks_no_one(call: CommandLine) -> None:
    for method in ("get", "HEAD", "OPTIONS"):
        assert call(f"api {method} /contexts --no-input").code == 0


@pytest.mark.parametrize("end", ["keys", "keys/", "ke%79s", "KEYS", "a%2Fkeys", "keys/app/rotate"])
def test_a_secret_is_not_shown_on_a_terminal_unasked(
    end: str, call: CommandLine, echo: Echo
) -> None:
    line = f"api POST /contexts/acme-prod/{end} --yes"
    refused = call(line, terminal=True)
    assert (refused.code, refused.out, echo.requests) == (2, "", [])
    assert "--reveal" in refused.err
    assert call(f"{line} --reveal", terminal=True).code == 0
    assert call(line).code == 0


def test_a_minted_key_works(acme: CommandLine) -> None:
    fields = "--field name=app --field principal=agent --field scope_floor.org=acme"
    minted = acme(f"api POST /contexts/{{context}}/keys {fields} --yes -o json").json
    me = acme("api GET /{context}/me -o json", env={"SPECTRON_API_KEY": minted["secret"]}).json
    assert me["displayName"] == "app"
    rotated = acme(
        f"api POST /contexts/acme-prod/keys/{minted['id']}/rotate --confirm acme-prod"
        " --query secret"
    )
    assert rotated.out.startswith("sk-acme-prod-")


# What comes back


def test_no_content_prints_nothing(acme: CommandLine) -> None:
    for shape in ("table", "json", "csv"):
        result = acme(f"api DELETE /contexts/acme-prod/ontology --yes -o {shape}")
        assert (result.code, result.out) == (0, "")
        assert result.err == f"DELETE {ACME}/ontology: 204 No Content\n"


def test_each_format_shows_the_servers_words(acme: CommandLine) -> None:
    acme("contexts update acme-prod --token-limit 5 --yes")
    line = "api GET /contexts/acme-prod"
    body = acme(f"{line} -o json").json
    assert body == acme("contexts get acme-prod -o json").json
    assert acme(f"{line} -o jsonl").json == body
    assert ["config.token_limit", "5"] in [row.split() for row in acme(line).out.splitlines()]
    assert "token_limit: 5" in acme(f"{line} -o yaml").out
    assert acme(f"{line} -o csv").out.splitlines()[0] == "id,namespace,database,config,created_at"
    assert acme(f"{line} -o name").out == "acme-prod\n"
    assert acme(f"{line} --query config.token_limit").out == "5\n"


@pytest.mark.parametrize("option", ["--columns id", "--sort id"])
def test_a_table_of_unknown_shape_is_not_shaped(
    option: str, acme: CommandLine, server: Server
) -> None:
    server.asked()
    result = acme(f"api GET /contexts {option} -o json")
    assert (result.code, result.out, server.asked()) == (2, "", [])
    assert "--query" in result.error["hint"]


def answered(call: CommandLine, echo: Echo, line: str, *answers: httpx.Response) -> Result:
    echo.answers = list(answers)
    return call(line)


def test_text_is_an_answer_too(call: CommandLine, echo: Echo) -> None:
    text = {"text": "one\x1b[31m\ntwo", "headers": {"Content-Type": "text/plain"}}
    table = answered(call, echo, "api GET /acme-prod/x", httpx.Response(200, **text))  # type: ignore[arg-type]
    assert table.out == "one\\x1b[31m\ntwo\n"
    told = answered(call, echo, "api GET /acme-prod/x -o json", httpx.Response(200, **text))  # type: ignore[arg-type]
    assert told.json == "one\x1b[31m\ntwo"
    assert "\x1b" not in told.out


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"html": "<title>Log in</title>"}, "web page “Log in”"),
        ({"content": b'{"a":', "headers": {"Content-Type": "application/json"}}, "complete JSON"),
        ({"content": b"\xff\xfe"}, "not what was requested"),
        (
            {"content": b"[" * 100_000, "headers": {"Content-Type": "application/json"}},
            "complete JSON",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_no_one_can_read_is_an_error(
    method: str, answer: dict[str, Any], says: str, call: CommandLine, echo: Echo
) -> None:
    echo.answers = [httpx.Response(200, **answer)]
    result = call(f"api {method} /acme-prod/x --yes -o json")
    assert (result.code, result.out, len(echo.requests)) == (9, "", 1)
    assert says in result.error["message"]
    assert ("look before you send it again" in (result.error["hint"] or "")) == (method == "POST")


def test_include_shows_status_and_headers(acme: CommandLine) -> None:
    line = "api GET /contexts/acme-prod --include"
    status, *rest = acme(line).out.splitlines()
    assert status == "HTTP 200 OK"
    assert "content-type: application/json" in rest
    assert json.loads("\n".join(rest[rest.index("") :]))["id"] == "acme-prod"
    whole = acme(f"{line} -o json").json
    assert (whole["status"], whole["body"]["id"]) == (200, "acme-prod")
    assert whole["headers"]["x-request-id"]
    assert acme(f"{line} --query status").out == "200\n"


def test_include_shows_no_secret(call: CommandLine, echo: Echo) -> None:
    headers = [
        (b"Set-Cookie", f"session={SENTINEL}".encode()),
        (b"set-cookie", f"other={SENTINEL}".encode()),
        (b"X-Echo", b"Bearer mgmt-1 \x1b[31m"),
        (b"X-Name", "é".encode()),
    ]
    for shape in ("table", "json", "yaml", "csv"):
        echo.answers = [httpx.Response(204, headers=headers)]
        result = call(f"api GET /contexts --include -o {shape}")
        assert result.code == 0
        assert "[secret]" in result.out
        assert SENTINEL not in result.out
        assert "mgmt-1" not in result.out
        assert "\x1b" not in result.out


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_what_has_no_body_works(method: str, call: CommandLine, echo: Echo) -> None:
    allow = httpx.Response(200, headers={"Allow": "GET, POST"})
    plain = answered(call, echo, f"api {method} /contexts", allow)
    assert (plain.code, plain.out) == (0, "")
    assert "200 OK" in plain.err
    line = f"api {method} /contexts --include --query headers.allow"
    assert answered(call, echo, line, allow).out == "GET, POST\n"


# How it fails


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_failed_write_is_sent_once_and_shows_nothing(
    method: str, failure: str, tmp_path: Path
) -> None:
    sent: list[str] = []

    def fail(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return FAILURES[failure](request)

    run = CommandLine(tmp_path, httpx.MockTransport(fail))
    options = f"--api-key {SENTINEL} --yes --retries 0 -o json"
    result = run(f"api {method} /acme-prod/things --field a=1 {options}", env={"CI": "1"})
    assert result.code not in {0, 1} or failure == "418"
    # After it, the contexts may be listed, for the names that come near.
    assert (result.out, [each for each in sent if each != "GET"]) == ("", [method])
    assert SENTINEL not in result.err


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("fault", [lose_answer, lose_request])
def test_a_write_that_may_have_landed_is_not_sent_again(
    method: str, fault: Any, acme: CommandLine, server: Server
) -> None:
    server.asked()
    server.faults = [fault, fault]
    line = "/{context}/sessions" if method == "POST" else "/contexts/acme-prod/ontology"
    result = acme(f"api {method} {line} --yes -d '{{}}' -o json")
    assert (result.code, result.out, len(server.asked())) == (9, "", 1)
    assert "It may have been carried out all the same" in result.error["hint"]
    listed = acme("api GET /{context}/sessions --paginate -o json").json
    assert len(listed) == (method == "POST" and fault is lose_answer)


def test_a_deletion_is_sent_again_until_it_is_known(acme: CommandLine, server: Server) -> None:
    server.asked()
    server.faults = [lose_answer]
    result = acme("api DELETE /contexts/acme-prod --yes")
    assert (result.code, result.out) == (0, "")
    assert server.asked() == [f"DELETE {ACME}"] * 2
    again = acme("api DELETE /contexts/acme-prod --yes -o json")
    assert (again.code, again.out, again.error["kind"]) == (5, "", "not_found")


# Lists


@pytest.fixture
def seven(acme: CommandLine) -> CommandLine:
    for number in range(1, 7):
        acme(f"api POST /contexts/c{number} --field namespace=n --field database=d{number} --yes")
    return acme


def test_a_list_is_followed_to_its_end(seven: CommandLine, server: Server) -> None:
    ids = ["acme-prod", *(f"c{number}" for number in range(1, 7))]
    server.asked()
    line = "api GET '/contexts?limit=2' --paginate"
    assert [each["id"] for each in seven(f"{line} -o json").json] == ids
    assert len(server.asked()) == 4
    lines = seven(f"{line} -o jsonl").out.splitlines()
    assert [json.loads(each)["id"] for each in lines] == ids
    assert [row.split()[0] for row in seven(line).out.splitlines()] == ["ID", *ids]
    assert seven(f"{line} -o name").out.split() == ids
    assert seven(f"{line} --query [-1].id -o csv").out == "c6\n"


def test_a_limit_that_would_end_nothing_is_refused_unsent(call: CommandLine, echo: Echo) -> None:
    result = call("api GET /contexts --limit 1 -o json")
    assert (result.code, result.out, echo.requests) == (2, "", [])
    assert "--paginate" in result.error["message"]
    assert "--field limit=1" in result.error["hint"]
    assert call("api GET /contexts", env={"SPECTRONCTL_LIMIT": "1"}).code == 0


def test_limit_ends_a_list(seven: CommandLine, server: Server) -> None:
    server.asked()
    result = seven("api GET /contexts --field limit=2 --paginate --limit 3 -o name")
    assert result.out.split() == ["acme-prod", "c1", "c2"]
    assert "There are more: --limit 3 ended the list." in result.err
    limits = [request.url.params["limit"] for request in server.requests]
    assert limits == ["2", "1"]


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        (
            [{"things": [{"id": 1}], "nextCursor": "c", "hasMore": True}, {"things": [{"id": 2}]}],
            [{"id": 1}, {"id": 2}],
        ),
        ([[1, "a", None]], [1, "a", None]),
        ([{"verbs": []}], []),
        ([[{"id": 1}, [2]]], [{"id": 1}, [2]]),
    ],
)
@pytest.mark.parametrize("shape", ["json", "jsonl", "yaml", "table", "csv", "name"])
def test_a_list_is_whatever_key_holds_the_array(
    shape: str, pages: list[Any], found: list[Any], call: CommandLine, echo: Echo
) -> None:
    echo.answers = [httpx.Response(200, json=page) for page in pages]
    result = call(f"api GET /acme-prod/things --paginate -o {shape}")
    assert result.code == 0, result.err
    if shape == "json":
        assert result.json == found
    elif shape == "jsonl":
        assert [json.loads(line) for line in result.out.splitlines()] == found
    elif not found and shape != "yaml":
        assert result.out == ""
    else:
        assert result.out


@pytest.mark.parametrize(
    ("pages", "says"),
    [
        ([{"a": [], "next_cursor": "c"}] * 3, "hands out the same cursor again"),
        ([{"a": [], "has_more": True}], "no cursor"),
        ([{"a": [], "b": []}], "exactly one array"),
        ([{"id": "acme-prod"}], "exactly one array"),
        ([5], "neither a page nor an array"),
    ],
)
def test_a_list_that_is_none_leaves_stdout_empty(
    pages: list[Any], says: str, call: CommandLine, echo: Echo
) -> None:
    echo.answers = [httpx.Response(200, json=page) for page in pages]
    result = call("api GET /acme-prod/things --paginate -o json")
    assert (result.code, result.out) == (9, "")
    assert says in result.error["message"]
    assert len(echo.requests) <= 2


@pytest.mark.parametrize(
    "line",
    [
        "POST /contexts --yes",
        "HEAD /contexts",
        "GET /contexts --include",
        "GET /contexts --field limit=x",
        "GET '/contexts?limit=1&limit=2'",
    ],
)
def test_only_what_is_a_list_can_be_followed(line: str, call: CommandLine, echo: Echo) -> None:
    result = call(f"api {line} --paginate -o json")
    assert (result.code, result.out, echo.requests) == (2, "", [])


def test_turns_are_followed_by_offset(acme: CommandLine, server: Server) -> None:
    imported = acme(f"sessions import {SAMPLES['FILE|-']} -o json").json
    path = f"'/{{context}}/sessions/{imported['session']}/turns"
    whole = acme(f"sessions transcript {imported['session']} --format jsonl").out
    count = imported["sent"]
    assert count > 2
    server.asked()
    turns = acme(f"api GET {path}?limit=1' --paginate -o json").json
    assert [turn["seq"] for turn in turns] == list(range(count))
    assert len(server.asked()) >= count
    assert len(whole.splitlines()) >= count
    rest = acme(f"api GET {path}?limit=2&offset=1' --paginate --limit 1 -o json").json
    assert rest == turns[1:2]

"""What an answer is read as: a result, or an error that a person can act on."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import httpx
import pytest

from spectronctl import errors
from spectronctl.api import contexts, health, keys
from spectronctl.ground.redaction import MASK
from tests.support.fakes import KEY, Connect, Face, FakeSpectron

ACME = "/api/v1/contexts/acme"
READ = contexts.get_context("acme")
PAGE = "<html><head><title>502 Bad\n Gateway</title></head><body><h1>nginx</h1></body></html>"
HTML = {"Content-Type": "text/html"}


def fail(client: Face, spectron: FakeSpectron, status: int, **answer: Any) -> errors.RequestError:
    """The error of a read that is answered like this, at every attempt."""
    for _ in range(4 if status in (429, 502, 503, 504) else 1):
        spectron.on("GET", ACME, status, **answer)
    with pytest.raises(errors.RequestError) as caught:
        client.send(READ)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidError),
        (401, errors.AuthError),
        (402, errors.RequestError),
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (405, errors.NotAvailableError),
        (407, errors.UpstreamError),
        (409, errors.ConflictError),
        (412, errors.ConflictError),
        (413, errors.InvalidError),
        (415, errors.InvalidError),
        (422, errors.InvalidError),
        (429, errors.RateLimitedError),
        (500, errors.UpstreamError),
        (501, errors.NotAvailableError),
        (502, errors.UpstreamError),
        (503, errors.UpstreamError),
        (504, errors.UpstreamError),
        (599, errors.UpstreamError),
    ],
)
def test_a_status_becomes_its_error(
    client: Face, spectron: FakeSpectron, status: int, kind: type[errors.RequestError]
) -> None:
    error = fail(client, spectron, status, json={"detail": "why it failed"})
    assert type(error) is kind
    assert error.status == status
    assert error.message == "why it failed"
    assert str(error) == f"why it failed ({status} GET {ACME})"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"json": {"title": "Not Found", "detail": "no context acme"}}, "no context acme"),
        ({"json": {"title": "Not Found"}}, "Not Found"),
        ({"json": {"message": "no context acme"}}, "no context acme"),
        ({"json": {"error": "no context acme"}}, "no context acme"),
        ({"json": {"error": {"message": "no context acme", "code": 7}}}, "no context acme"),
        ({"json": {"error": {"detail": "no context acme"}}}, "no context acme"),
        ({"json": {"detail": [{"loc": ["body", "name"], "msg": "missing"}]}}, "body.name: missing"),
        ({"json": {"detail": [{"msg": "a"}, "b", 3, {}]}}, "a; b"),
        ({"json": "no context acme"}, "no context acme"),
        ({"content": b'{"message": "no"}', "headers": HTML}, "no"),
        ({"text": "no context\n  acme\n"}, "no context acme"),
        ({"json": {"reason": "none"}}, '{"reason":"none"}'),
        ({"json": {"detail": "  ", "message": None}}, '{"detail":" ","message":null}'),
        ({"json": [1, 2]}, "[1,2]"),
        ({"content": b""}, "Not Found"),
        ({"content": b"  \n"}, "Not Found"),
        ({"content": b'{"detail": "cut o'}, '{"detail": "cut o'),
        ({"content": b"\xff\xfe broken"}, "�� broken"),
        ({"content": b"[" * 100_000}, "[" * 400),
        ({"content": b"1" * 5000}, "1" * 400),
    ],
)
def test_every_dialect_says_why(
    client: Face, spectron: FakeSpectron, answer: dict[str, Any], text: str
) -> None:
    error = fail(client, spectron, 404, **answer)
    assert error.message.startswith(text)
    assert len(error.message) == 500 or error.message == text
    assert str(error) == f"{error.message} (404 GET {ACME})"


def test_an_unheard_of_status_without_a_body_has_a_message(
    client: Face, spectron: FakeSpectron
) -> None:
    assert str(fail(client, spectron, 599)) == f"no explanation (599 GET {ACME})"


def test_problem_details_are_kept(client: Face, spectron: FakeSpectron) -> None:
    kind = "https://spectron.dev/errors/rate-limited"
    body = {"type": kind, "detail": "slow down", "request_id": "req-1", "retry_after": 31}
    error = fail_at_once(client, spectron, 429, json=body, headers={"X-Request-Id": "other"})
    assert (error.type, error.request_id, error.retry_after_secs) == (kind, "req-1", 31)


def fail_at_once(
    client: Face, spectron: FakeSpectron, status: int, **answer: Any
) -> errors.RequestError:
    spectron.on("GET", ACME, status, **answer)
    with pytest.raises(errors.RequestError) as caught:
        client.send(READ)
    return caught.value


def test_the_request_id_is_the_server_s_or_else_ours(client: Face, spectron: FakeSpectron) -> None:
    theirs = fail(client, spectron, 404, headers={"X-Request-Id": "req-2"})
    assert theirs.request_id == "req-2"
    ours = fail(client, spectron, 404)
    assert ours.request_id == spectron.requests[-1].headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (PAGE, "502 Bad Gateway"),
        ("<h2>Not &amp; <b>here</b></h2>", "Not & here"),
        (
            "<!DOCTYPE html><style>p{}</style><script>x</script><p>Blocked <i>by</i> X",
            "Blocked by X",
        ),
        ("<title></title><p>" + "long " * 100, "long " * 39 + "long…"),
    ],
)
@pytest.mark.parametrize("headers", [HTML, {"Content-Type": "text/html; charset=utf-8"}])
def test_a_web_page_is_named_as_such_with_its_first_useful_line(
    client: Face, spectron: FakeSpectron, page: str, words: str, headers: dict[str, str]
) -> None:
    error = fail(client, spectron, 502, content=page, headers=headers)
    assert type(error) is errors.UpstreamError
    assert error.message == (f"a proxy or another server responded with a web page “{words}”")
    assert "--url" in (error.hint or "")


def test_an_empty_web_page_is_one_too(client: Face, spectron: FakeSpectron) -> None:
    assert fail(client, spectron, 404, headers=HTML).message.endswith("with a web page")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_named_and_never_followed(
    client: Face, spectron: FakeSpectron, status: int
) -> None:
    location = "https://user:pass@new.test:8443/x?token=t"
    error = fail(client, spectron, status, headers={"Location": location})
    assert type(error) is errors.UpstreamError
    assert "elsewhere, to https://new.test:8443;" in error.message
    assert error.hint == "If that is the server you mean, set --url https://new.test:8443."


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ({}, "no address"),
        ({"Location": "/login"}, "http://spectron.test"),
        ({"Location": "//[::1]:80/x"}, "http://[::1]"),
        ({"Location": "http://[broken"}, "no address"),
    ],
)
def test_a_redirect_may_point_anywhere(
    client: Face, spectron: FakeSpectron, location: dict[str, str], target: str
) -> None:
    assert f"to {target};" in fail(client, spectron, 302, headers=location).message


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"content": PAGE, "headers": HTML}, "a web page “502 Bad Gateway”"),
        ({"content": b"\n<!doctype HTML><p>Sign in"}, "a web page “Sign in”"),
        ({"content": b""}, "the response is empty"),
        ({"content": b'{"id": "ac'}, "not complete JSON: Invalid JSON: EOF"),
        ({"content": b"OK"}, "not complete JSON"),
        ({"content": b'{"id": "\xff"}'}, "not complete JSON"),
        ({"json": {"name": "acme"}}, "not what was requested: id: Field required"),
        ({"json": []}, "not what was requested: Input should be an object"),
    ],
)
def test_a_success_that_cannot_be_read_is_no_success(
    client: Face, spectron: FakeSpectron, answer: dict[str, Any], problem: str
) -> None:
    error = fail(client, spectron, 200, **answer)
    assert type(error) is errors.UpstreamError
    assert error.status == 200
    assert problem in error.message
    assert not error.outcome_unknown


def test_a_write_whose_success_cannot_be_read_is_unknown(
    client: Face, spectron: FakeSpectron
) -> None:
    spectron.on("POST", ACME, 201, content=b"{")
    with pytest.raises(errors.UpstreamError) as caught:
        client.send(contexts.create_context("acme", namespace="a", database="b"))
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("answer", [{"content": b""}, {"content": b"deleted"}, {"json": {"a": 1}}])
def test_a_deletion_s_body_is_not_read(
    client: Face, spectron: FakeSpectron, answer: dict[str, Any]
) -> None:
    spectron.on("DELETE", ACME, 200, **answer)
    client.send(contexts.delete_context("acme"))
    assert len(spectron.requests) == 1


def test_a_sign_in_page_is_no_deletion(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("DELETE", ACME, 200, content=PAGE, headers=HTML)
    with pytest.raises(errors.UpstreamError, match="web page") as caught:
        client.send(contexts.delete_context("acme"))
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_broken_compression_is_an_upstream_error(
    client: Face, spectron: FakeSpectron, encoding: str
) -> None:
    stream = httpx.ByteStream(b"not compressed at all")
    error = fail(client, spectron, 200, headers={"Content-Encoding": encoding}, stream=stream)
    assert type(error) is errors.UpstreamError
    assert "the compression of the response is broken" in error.message


def test_unknown_fields_are_kept(client: Face, spectron: FakeSpectron) -> None:
    body = {"id": "acme", "config": {"x": {"y": [1]}}, "region": "eu"}
    spectron.on("GET", ACME, json=body)
    assert client.send(READ).to_dict() == body


def test_a_refused_key_is_told_from_a_missing_one(
    connect: Connect, client: Face, spectron: FakeSpectron
) -> None:
    missing = fail(client, spectron, 401)
    assert (missing.hint or "").startswith("No key was sent. Give one with --api-key-file")
    with_key = connect(api_key=KEY, transport=httpx.MockTransport(spectron.answer))
    refused = fail(with_key, spectron, 401)
    assert "does not accept this key" in (refused.hint or "")
    assert "SPECTRON_MANAGEMENT_API_KEY" in (refused.hint or "")


@pytest.mark.parametrize("status", [405, 501])
def test_a_call_that_is_not_offered_hints_at_the_version(
    client: Face, spectron: FakeSpectron, status: int
) -> None:
    assert "version" in (fail(client, spectron, status).hint or "")


PROVIDERS = {"openai": "sk-openai-1", "deep": {"list": ["sk-deep-2"]}}


@pytest.mark.parametrize("secret", [KEY, "sk-openai-1", "sk-deep-2"])
@pytest.mark.parametrize(
    "echo", ["{}", "bad key «{}»", "\x1b[31m{}\x07", "a{}b{}c", "<title>{}</title>"]
)
def test_no_message_repeats_a_secret(
    connect: Connect, spectron: FakeSpectron, secret: str, echo: str
) -> None:
    text = echo.format(secret, secret)
    html = {"Content-Type": "text/html"} if "<title>" in echo else {}
    body = text if html else f'{{"detail": "{text}", "type": "{secret}", "request_id": "{secret}"}}'
    spectron.on("POST", ACME, 422, content=body.encode(), headers={"X-Request-Id": secret, **html})
    client = connect(api_key=KEY, transport=httpx.MockTransport(spectron.answer))
    creation = contexts.create_context(
        "acme", namespace="a", database="b", config={"providers": PROVIDERS}
    )
    with pytest.raises(errors.InvalidError) as caught:
        client.send(creation)
    whole = "".join(traceback.format_exception(caught.value)) + repr(caught.value.to_dict())
    assert secret not in whole
    assert MASK in caught.value.message


def test_a_key_named_where_a_context_belongs_is_hidden(
    connect: Connect, spectron: FakeSpectron
) -> None:
    spectron.on("GET", f"/api/v1/contexts/{KEY}", 404)
    client = connect(api_key=KEY, transport=httpx.MockTransport(spectron.answer))
    with pytest.raises(errors.NotFoundError) as caught:
        client.send(contexts.get_context(KEY))
    assert str(caught.value) == f"Not Found (404 GET /api/v1/contexts/{MASK})"


@pytest.mark.parametrize("body", [b'{"secret": "sk-once-1", "id"', b'{"secret": "sk-once-1"}'])
def test_a_minted_secret_in_an_unreadable_answer_is_not_shown(
    client: Face, spectron: FakeSpectron, body: bytes
) -> None:
    spectron.on("POST", f"{ACME}/keys", 201, content=body)
    with pytest.raises(errors.UpstreamError) as caught:
        client.send(keys.create_key("acme", "ci"))
    assert "sk-once-1" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_text_from_outside_cannot_steer_a_terminal(client: Face, spectron: FakeSpectron) -> None:
    evil = "a\x1b]0;title\x07b\u202egnp\r\nc\x9bd\u200be"
    error = fail(client, spectron, 404, json={"detail": evil}, headers={"X-Request-Id": "x\x7fy"})
    assert error.message == "a]0;titlebgnp cde"
    assert error.message.isprintable()
    assert (error.request_id or "").isprintable()


def test_no_log_record_holds_the_key(
    connect: Connect, spectron: FakeSpectron, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    spectron.on("GET", "/api/v1/health", json={"status": "ok"})
    client = connect(api_key=KEY, transport=httpx.MockTransport(spectron.answer))
    client.send(health.get_health())
    assert "GET" in caplog.text
    assert KEY not in caplog.text
    assert KEY not in repr(vars(vars(client)["_client"])["_settings"])

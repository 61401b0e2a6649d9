"""`Reply`: an answer of any shape, as it came; and a body of one's own, as it is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from spectronctl import errors
from spectronctl.api.requests import Reply, Request
from tests.support.fakes import KEY, Connect, Face, FakeSpectron

PATH = "/api/v1/things"
ANY: Request[Reply] = Request("GET", PATH, Reply)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ({"json": {"a": [1, None]}}, {"a": [1, None]}),
        ({"content": b"5"}, 5),
        ({"content": b'"x"', "headers": {"Content-Type": "application/problem+json"}}, "x"),
        ({"text": "ready é"}, "ready é"),
        ({"content": b"[info] up"}, "[info] up"),
        ({"content": b" \n"}, None),
        ({}, None),
    ],
)
def test_any_answer_is_read(
    client: Face, spectron: FakeSpectron, answer: dict[str, Any], body: Any
) -> None:
    spectron.on("GET", PATH, 203, **answer)
    reply = client.send(ANY)
    assert (reply.status, reply.body) == (203, body)


def test_headers_ignore_case_and_hold_no_secret(connect: Connect, spectron: FakeSpectron) -> None:
    client = connect(api_key=KEY, transport=httpx.MockTransport(spectron.answer))
    headers = {"X-Seen": f"a {KEY} b", "Set-Cookie": "a=1", "ETag": '"1"'}
    spectron.on("GET", PATH, headers=headers, json={})
    reply = client.send(ANY)
    assert reply.headers["x-seen"] == reply.headers["X-SEEN"] == "a [secret] b"
    assert reply.headers["set-cookie"] == "[secret]"
    assert reply.headers["etag"] == '"1"'
    assert "secret-body" not in repr(Reply(200, {}, "secret-body"))


def test_options_is_repeated_like_every_read(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("OPTIONS", PATH, error=httpx.ReadError("reset"))
    spectron.on("OPTIONS", PATH, 503)
    spectron.on("OPTIONS", PATH, 204, headers={"Allow": "GET"})
    assert client.send(Request("OPTIONS", PATH, Reply)).headers["allow"] == "GET"


def test_what_a_lost_deletion_deleted_is_no_error(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("DELETE", PATH, error=httpx.ReadError("reset"))
    spectron.on("DELETE", PATH, 404, json={"detail": "gone"})
    deletion: Request[Reply] = Request("DELETE", PATH, Reply)
    reply = client.send(deletion)
    assert (reply.status, reply.body) == (404, None)
    spectron.on("DELETE", PATH, 404, json={"detail": "gone"})
    with pytest.raises(errors.NotFoundError):
        client.send(deletion)


def test_content_is_sent_as_it_is(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("POST", PATH, 204)
    given = {"json": {"a": 1.1}, "content": b'{"a": 1.10}'}
    client.send(Request("POST", PATH, Reply, **given))  # type: ignore[arg-type]
    assert spectron.requests[-1].content == b'{"a": 1.10}'
    assert spectron.requests[-1].headers["Content-Type"] == "application/json"
    spectron.on("POST", PATH, 204)
    headers = {"content-type": "text/csv", "ACCEPT": "text/plain"}
    client.send(Request("POST", PATH, Reply, content=b"\xff", headers=headers))
    sent = spectron.requests[-1].headers
    assert (sent.get_list("Content-Type"), sent.get_list("Accept")) == (
        ["text/csv"],
        ["text/plain"],
    )


def test_a_body_that_is_sent_as_it_is_stays_a_secret(client: Face, spectron: FakeSpectron) -> None:
    body = {"config": {"providers": {"openai": "sk-provider"}}}
    request: Request[Reply] = Request("POST", PATH, Reply, json=body, content=b"sk-provider")
    spectron.on("POST", PATH, 422, json={"detail": "sk-provider is no key"})
    with pytest.raises(errors.InvalidError) as caught:
        client.send(request)
    assert "sk-provider" not in caught.value.message + repr(request)
    assert "[secret] is no key" in caught.value.message


def test_a_parameter_that_is_no_text_is_refused_unsent(client: Face) -> None:
    with pytest.raises(errors.InvalidError, match="no valid address"):
        client.send(Request("GET", PATH, Reply, params={"a": "\udcff"}))

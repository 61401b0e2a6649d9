"""Requests that no well-bred client sends, as bytes on a socket: each is refused, and nothing falls over."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from tests.support.wire import Wire
from tests.support.worlds import World, dump_store

pytestmark = pytest.mark.anyio

SESSIONS = "/api/v1/acme/sessions"


def head(world: World, *lines: bytes, path: str = SESSIONS, method: bytes = b"POST") -> bytes:
    first = b"%s %s HTTP/1.1" % (method, path.encode())
    key = b"API-KEY: " + world.secrets["management"].encode()
    kind = b"Content-Type: application/json"
    return b"\r\n".join([first, key, kind, *lines, b"", b""])


CHUNKED = b"2\r\n{}\r\n0\r\n\r\n"
BEHIND = b"DELETE /api/v1/contexts/beta HTTP/1.1\r\nHost: x\r\nAPI-KEY: %s\r\n\r\n"


FRAMES = [
    ([b"Content-Length: 2", b"Transfer-Encoding: chunked"], CHUNKED),
    ([b"Transfer-Encoding: chunked", b"Content-Length: 12"], CHUNKED),
    ([b"Content-Length: 0", b"Transfer-Encoding: chunked"], CHUNKED),
    ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], CHUNKED),
    ([b"Transfer-Encoding: identity, chunked"], CHUNKED),
    ([b"Transfer-Encoding: xchunked"], CHUNKED),
    ([b"Transfer-Encoding : chunked"], CHUNKED),
    ([b"Transfer-Encoding:\x0bchunked"], CHUNKED),
    ([b"Content-Length: 2", b"Content-Length: 4"], b"{}{}"),
    ([b"Content-Length: 2, 4"], b"{}{}"),
    ([b"Content-Length: +2"], b"{}"),
    ([b"Content-Length: -2"], b"{}"),
    ([b"Content-Length: 0x2"], b"{}"),
    ([b"Content-Length: 2 2"], b"{}"),
    ([b"Content-Length:\xc2\xb2"], b"{}"),
    ([b"Transfer-Encoding: chunked"], b"-2\r\n{}\r\n0\r\n\r\n"),
    ([b"Transfer-Encoding: chunked"], b"0x2\r\n{}\r\n0\r\n\r\n"),
    ([b"Transfer-Encoding: chunked"], b"2\r\n{}XX0\r\n\r\n"),
]


async def test_a_body_with_two_readings_of_its_length_is_refused(
    world: World,
    wire: Wire,
) -> None:
    """What follows on the connection is never taken for a request: that is how requests are smuggled."""
    for lines, body in FRAMES:
        before = await dump_store(world.store)
        behind = BEHIND % world.secrets["management"].encode()
        answer = await wire.send(head(world, b"Host: x", *lines) + body + behind)
        assert answer.status == 400, answer
        assert answer.headers["connection"] == "close"
        assert before == await dump_store(world.store)


NO_REQUESTS = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /nope HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /nope\r\n\r\n",
    b"GET  /nope  HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /nope HTTP/1.1\r\n\r\n",
    b"GET /nope HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET /nope HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
    b"GET /nope HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
    b"GET /nope HTTP/1.1\r\nHost: x\r\n: no name\r\n\r\n",
    b"GET /nope HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n",
    b"GET /nope HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100_000 + b"\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /nope HTTP/1.1\r\n folded: x\r\nHost: x\r\n\r\n",
]


async def test_what_is_no_request_is_refused(
    wire: Wire,
) -> None:
    for raw in NO_REQUESTS:
        answer = await wire.send(raw)
        assert answer.status in {0, 400, 404}
        await wire.close()
        assert (await wire.ask("GET", "/api/v1/contexts")).status == 200


HOSTS = [
    "",
    "[",
    "[::1",
    "x:y",
    "x:99999999",
    "evil.example/..",
    "a b",
    "x?y#z",
    "\u00e9",
    "@",
    "//",
]


async def test_no_host_makes_it_fall_over_or_is_believed(
    world: World,
    wire: Wire,
) -> None:
    for host in HOSTS:
        for headers in ({}, {"Idempotency-Key": f"of {host!r}".encode().hex()}):
            named = {"Host": host.encode().decode("latin-1"), **headers}
            made = await wire.ask("POST", SESSIONS, {}, **named)
            assert made.status in {201, 400}, made
            job = await wire.ask("GET", "/api/v1/contexts/acme/lifecycle/jobs", **named)
            assert job.status in {200, 400}, job
            assert b"evil" not in made.body + job.body
            assert "evil" not in str({**made.headers, **job.headers})


async def test_the_same_write_is_the_same_whatever_host_it_names(wire: Wire) -> None:
    answers = [
        await wire.ask("POST", SESSIONS, {}, **{"Host": host, "Idempotency-Key": "k"})
        for host in ("x", "y/z", "y?z")
    ]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1


REQUEST_IDS = [
    "a\x01b",
    "a b",
    "<script>",
    "é",
    "x" * 129,
    "x" * 60_000,
    'a"b',
    "a, b",
    "%0d%0aSet-Cookie: a=b",
]


async def test_a_request_id_that_is_not_plain_is_not_repeated(
    wire: Wire,
) -> None:
    for given in REQUEST_IDS:
        answer = await wire.ask("GET", "/api/v1/contexts", **{"X-Request-Id": given})
        assert answer.status in {200, 400}
        assert given not in str(answer)
        assert "set-cookie" not in answer.headers


async def test_no_header_can_be_split(world: World, wire: Wire) -> None:
    for name in (b"X-Request-Id", b"Idempotency-Key", b"X-Memory-On-Behalf-Of", b"If-Match"):
        for end in (b"\r\n", b"\n", b"\r"):
            lines = [b"Host: x", b"Content-Length: 2", name + b": a" + end + b"Set-Cookie: a=b"]
            answer = await wire.send(head(world, *lines) + b"{}")
            assert answer.status in {201, 400, 403}
            assert "set-cookie" not in answer.headers
            await wire.close()


JSON = [
    (b'{"metadata": 1, "metadata": 2}', 201),
    (b'{"metadata": NaN}', 400),
    (b'{"metadata": -Infinity}', 400),
    (b'{"metadata": 1e999}', 400),
    (b'{"metadata": 9223372036854775807}', 201),
    (b'{"metadata": 9223372036854775808}', 400),
    (b'{"metadata": %s}' % (b"9" * 5_000), 400),
    (b'{"metadata": 0.1e-99999}', 201),
    (b"[" * 50_000, 400),
    (b'{"a":' * 9_000, 400),
    (b'{"metadata": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400),
    (b'{"metadata": "\\ud800"}', 400),
    (b'{"metadata": "\\u0000"}', 201),
    (b'{"metadata": "\xff"}', 400),
    (b'\xef\xbb\xbf{"metadata": 1}', 400),
    ('{"metadata": 1}'.encode("utf-16"), 400),
    ('{"metadata": 1}'.encode("utf-32"), 400),
    (b"{} {}", 400),
    (b"{'metadata': 1}", 400),
    (b'{"metadata": 1,}', 400),
    (b"null", 201),  # no body at all
    (b'"text"', 400),
    (b"\x00", 400),
    (b"--\x00{}", 400),
]


async def test_bodies_that_are_hardly_json(
    wire: Wire,
) -> None:
    for body, status in JSON:
        made = await wire.ask("POST", SESSIONS, body)
        assert made.status == status, made
        for path in ("facts", "facts/batch", "query", "fsck", "sessions/session:x/context"):
            answer = await wire.ask("POST", f"/api/v1/acme/{path}", body)
            assert answer.status in {200, 400, 404, 501}, (path, answer)
        for method, path in (("PATCH", ""), ("POST", "/keys"), ("PUT", "/ontology")):
            answer = await wire.ask(method, f"/api/v1/contexts/acme{path}", body)
            assert answer.status in {200, 400}, (path, answer)
        patched = await wire.ask("PATCH", "/api/v1/contexts/acme", b'{"config": %s}' % body)
        assert patched.status in {200, 400}, patched
        assert (await wire.ask("GET", "/api/v1/contexts/acme")).status == 200


DEPTHS = [50, 100, 120, 150, 200, 250, 300, 400, 600, 900]


async def test_at_every_depth_a_value_is_kept_or_refused(
    wire: Wire,
) -> None:
    """Between what the decoder takes and what the database does, nothing falls through."""
    for depth in DEPTHS:
        value: Any = "deep"
        for number in range(depth):
            value = [value] if number % 2 else {"a": value}
        made = await wire.ask("POST", SESSIONS, {"metadata": value})
        patched = await wire.ask("PATCH", "/api/v1/contexts/acme", {"config": {"deep": value}})
        for answer in (made, patched):
            assert answer.status in {200, 201, 400}, answer
        if made.status == 201:
            shown = await wire.ask("GET", f"{SESSIONS}/{made.json['id']}")
            assert shown.json["metadata"] == value
        assert (await wire.ask("GET", "/api/v1/contexts/acme")).status == 200
        assert (await wire.ask("GET", SESSIONS)).status == 200


CODINGS = ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"]


async def test_a_compressed_body_is_415(
    wire: Wire,
) -> None:
    for coding in CODINGS:
        body = gzip.compress(b'{"metadata": "x"}')
        answer = await wire.ask("POST", SESSIONS, body, **{"Content-Encoding": coding})
        assert answer.status == 415, answer
        assert "Content-Encoding" in answer.json["detail"]


async def test_a_bomb_is_not_unpacked(wire: Wire) -> None:
    body = gzip.compress(b"{" + b" " * 50_000_000)
    answer = await wire.ask("POST", SESSIONS, body, **{"Content-Encoding": "gzip"})
    assert answer.status == 415


KINDS = [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application/json/x",
    "text/json",
    "application/xml",
    "json",
]


async def test_another_media_type_is_415(
    wire: Wire,
) -> None:
    for kind in KINDS:
        answer = await wire.ask("POST", SESSIONS, b"{}", **{"Content-Type": kind})
        assert answer.status == 415, answer


async def test_the_limit_of_a_body_holds_to_the_byte(world: World, wire: Wire) -> None:
    """The application here takes 100,000 bytes."""
    for size, status in ((100_000, 201), (100_001, 413)):
        body = b'{"metadata": "x"%s}' % (b" " * (size - 17))
        assert len(body) == size
        announced = await wire.ask("POST", SESSIONS, body)
        pieces = b"".join(
            b"%x\r\n%s\r\n" % (len(piece), piece)
            for piece in (body[at : at + 999] for at in range(0, size, 999))
        )
        lines = [b"Host: x", b"Transfer-Encoding: chunked"]
        counted = await wire.send(head(world, *lines) + pieces + b"0\r\n\r\n")
        assert (announced.status, counted.status) == (status, status)


async def test_an_upgrade_is_not_taken(wire: Wire) -> None:
    for upgrade in ("websocket", "h2c", "TLS/1.0"):
        headers = {"Connection": "Upgrade", "Upgrade": upgrade, "HTTP2-Settings": "AAMAAABkAAQA"}
        answer = await wire.ask("GET", "/api/v1/contexts", **headers)
        assert answer.status == 200


async def test_pipelined_requests_are_answered_in_their_order(world: World, wire: Wire) -> None:
    first = head(world, b"Host: x", b"X-Request-Id: 1", path="/api/v1/contexts", method=b"GET")
    second = head(world, b"Host: x", b"X-Request-Id: 2", path="/api/v1/verbs", method=b"GET")
    answers = [await wire.send(first + second), await wire.send(b"")]
    assert [answer.headers["x-request-id"] for answer in answers] == ["1", "2"]

"""A server that answers anything but what it should: a typed error in time, little memory, no secret given away."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from spectronctl.client import _call
from tests.support.command_tree import SAMPLES
from tests.support.commandline import SENTINEL, CommandLine, Result
from tests.support.scenes import find_error
from tests.support.soak import SOAK
from tests.support.sockets import Behaviour, SocketServer, serve, write

COMMANDS = ["contexts list", "keys create agent", "migrations status"]
"""A list, a write, an object of many shapes; and in soak an object, pages by offset, another list."""
if SOAK:
    COMMANDS += ["contexts get acme-prod", "sessions transcript session:1", "lifecycle jobs list"]

TIMEOUT = 20.0
IN_TIME = 10.0
"""Seconds that a command may take, and within which it has to end: not because its time ran out."""


def make_command_line(home: Path, server: SocketServer) -> CommandLine:
    env = {"SPECTRON_URL": f"http://{server.address}", "SPECTRON_MANAGEMENT_API_KEY": SENTINEL}
    return CommandLine(home, None, {**env, "SPECTRON_CONTEXT_ID": "acme-prod"})


def ask(
    home: Path, server: SocketServer, line: str, options: str = "", timeout: float = TIMEOUT
) -> Result:
    return make_command_line(home, server)(f"{line} -o json --timeout {timeout}s {options}")


def compose(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def stream(pieces: Iterator[bytes], pause: float = 0) -> Behaviour:
    """Send until the listener is gone."""

    def behave(connection: socket.socket) -> None:
        with suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)

    return behave


def start_chunks(status: str, first: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + (chunk(first) if first else b"")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def repeat(piece: bytes, *first: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.chain(first, itertools.repeat(piece))


def pack_blanks(gigabytes: int) -> bytes:
    """That much of nothing, in a megabyte for each gigabyte: one block that stands by itself, many times."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (1024 * gigabytes)


GZIP = "Content-Encoding: gzip"
BLANKS = chunk(b" " * 65536)
DRIP = b"X-Drip: slow\r\n"

ANSWERS: dict[str, bytes] = {
    "10 MB of text": compose(b"no " * 3_500_000, "500 Oh"),
    "10 MB of detail": compose(json.dumps({"detail": "A" * 10_000_000}).encode(), "500 Oh"),
    "10 MB of page": compose(b"<html>" + b"<script" * 1_500_000, "502 Oh"),
    "a page of comments": compose(b"<html>" + b"<!--" * 2_000_000),
    "a page of brackets": compose(
        b"<html>" + b"<" * 2_000_000, "200 OK", "Content-Type: text/html"
    ),
    "100,000 arrays": compose(b"[" * 100_000 + b"]" * 100_000),
    "100,000 objects": compose(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "100,000 arrays as an error": compose(b"[" * 100_000 + b"]" * 100_000, "500 Oh"),
    "100,000 errors in errors": compose(b'{"error":' * 100_000 + b"1" + b"}" * 100_000, "500 Oh"),
    "900 errors in errors": compose(b'{"error":' * 900 + b"1" + b"}" * 900, "500 Oh"),
    "JSON that is a page": compose(b"<p>Welcome", "200 OK", "Content-Type: application/json"),
    "UTF-16": compose(
        '{"contexts": []}'.encode("utf-16"),
        "200 OK",
        "Content-Type: application/json; charset=utf-16",
    ),
    "no UTF-8": compose(b'{"contexts": ["\xff"]}'),
    "a length too great": compose(b"[]", length=99),
    "a negative length": compose(b"[]", length=-1),
    "two lengths": compose(b"[]", "200 OK", "Content-Length: 3"),
    "1 MB of a header": compose(b"[]", "200 OK", "X-Flood: " + "a" * 1_000_000),
    "100,000 headers": compose(b"[]", "200 OK", *(["X-Flood: a"] * 100_000)),
    "no head": b"\r\n\r\n\r\n",
    "another protocol": b"220 mail.test ESMTP ready\r\n",
    "a chunk size that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n",
    "a negative chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n[]\r\n0\r\n\r\n",
    "a chunk beyond count": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"f" * 19
    + b"\r\n[]\r\n0\r\n\r\n",
    "a chunk cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n[]",
    "status 199": compose(b"[]", "199 Almost"),
    "status 999": compose(b"[]", "999 Beyond"),
    "status 20O": compose(b"[]", "20O OK"),
    "status 101": compose(b"[]", "101 Switching Protocols", "Upgrade: h2c", "Connection: upgrade"),
    "status 304": compose(b"", "304 Not Modified"),
    "nothing": compose(b""),
    "null": compose(b"null"),
    "a word": compose(b'"ok"'),
    "numbers for objects": compose(
        b'{"contexts": [1, null, "x", []], "turns": [1], "jobs": [2], "id": 1}'
    ),
    "numbers for text": compose(
        b'{"contexts": [{"id": 1}], "id": {}, "jobs": [{"id": []}], "turns": [{"seq": "a"}]}'
    ),
    "JSON cut short": compose(b'{"contexts": [{"id": "a", "name'),
    "two answers in one": compose(b'{"contexts": []}{"contexts": []}'),
    "a number beyond reading": compose(b'{"contexts": [], "id": 1' + b"0" * 10_000 + b"}"),
    "not packed": compose(b"[]", "200 OK", GZIP),
    "a broken package": compose(gzip.compress(b"[]" * 999)[:-9], "200 OK", GZIP),
    "packed ten gigabytes": compose(pack_blanks(10), "200 OK", GZIP),
    "packed twice": compose(gzip.compress(pack_blanks(1)), "200 OK", f"{GZIP}, gzip"),
    "packed as not requested": compose(b"[]", "200 OK", "Content-Encoding: br"),
    "packed in a row": compose(b"[]", "200 OK", "Content-Encoding: " + ", ".join(["gzip"] * 1000)),
}
"""What comes whole, and is not what was asked for."""

OVERDUE = "no complete response"

STREAMS: dict[str, tuple[Callable[[], Iterator[bytes]], float, str]] = {
    "an endless error": (repeat(BLANKS, start_chunks("500 Oh", b"first")), 0, "500 "),
    "an endless answer": (repeat(BLANKS, start_chunks("200 OK", b"[")), 0, "longer than 4 MB"),
    "an endless head": (repeat(DRIP * 100, b"HTTP/1.1 200 OK\r\n"), 0, "broke"),
    "endless hints": (repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n"), 0.01, OVERDUE),
    "endless asking to go on": (repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), 0, OVERDUE),
    "a head that drips": (repeat(DRIP, b"HTTP/1.1 200 OK\r\n"), 0.05, OVERDUE),
    "a status line that drips": (repeat(b"0", b"HTTP/1.1 "), 0.05, OVERDUE),
    "a body that drips": (repeat(chunk(b" "), start_chunks("200 OK", b"[")), 0.05, OVERDUE),
    "an error that drips": (repeat(chunk(b"x"), start_chunks("500 Oh", b"[")), 0.05, OVERDUE),
}
"""What never ends, seconds between its pieces, and what is said of it."""


def check_failure(result: Result, took: float) -> None:
    assert took < IN_TIME
    assert result.out == ""
    error = find_error(result)
    assert result.code == error["exit_code"] == 9, error
    assert len(error["message"]) < 700
    assert "This is a defect" not in result.err
    assert SENTINEL not in result.err


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_none(answer: str, tmp_path: Path) -> None:
    whole = ANSWERS[answer]
    for line in COMMANDS:
        with serve(stream(iter([whole]))) as server:
            began = time.monotonic()
            result = ask(tmp_path, server, line, "--retries 1")
            check_failure(result, time.monotonic() - began)
            assert sum(request.startswith(b"POST") for request in server.requests) <= 1


@pytest.mark.parametrize("answer", STREAMS)
def test_an_answer_that_never_ends(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_call, "MAX_BYTES", 2**22)
    pieces, pause, problem = STREAMS[answer]
    timeout = 0.4 if problem == OVERDUE else TIMEOUT
    for line in ("contexts list", "keys create agent"):
        with serve(stream(pieces(), pause)) as server:
            began = time.monotonic()
            result = ask(tmp_path, server, line, "--retries 0", timeout=timeout)
            check_failure(result, time.monotonic() - began)
            assert problem in result.error["message"]


def test_a_redirect_is_not_followed_and_the_key_stays_here(tmp_path: Path) -> None:
    with serve(write(compose(b'{"contexts": []}'))) as elsewhere:
        for status in ("301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"):
            moved = compose(b"", status, f"Location: http://{elsewhere.address}/api/v1/contexts")
            for line in COMMANDS:
                with serve(write(moved)) as server:
                    result = ask(tmp_path, server, line, "--retries 1")
                    check_failure(result, 0)
                    assert "redirects are not followed" in result.error["message"]
    assert elsewhere.requests == []


def test_no_cookie_is_ever_sent_back(tmp_path: Path) -> None:
    cookies = ["Set-Cookie: session=stolen; Path=/", "Set-Cookie: other=1; Domain=127.0.0.1"]
    pages = [
        compose(b'{"contexts": [], "next_cursor": "a", "has_more": true}', "200 OK", *cookies),
        compose(b"", "503 Busy", "Retry-After: 0", *cookies),
        compose(b'{"contexts": [], "has_more": false}', "200 OK", *cookies),
    ]
    answers = iter(pages)
    with serve(lambda connection: connection.sendall(next(answers))) as server:
        assert ask(tmp_path, server, "contexts list").code == 0
    assert len(server.requests) == 3
    assert b"cookie" not in b"".join(server.requests).lower()


ODD: dict[str, bytes] = {
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n[]",
    "HTTP/9.9": b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "JSON called a page": compose(b"[]", "200 OK", "Content-Type: text/html"),
    "no type at all": compose(b"[]"),
    "a few hints before": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 20 + compose(b"[]"),
    "asked to go on": b"HTTP/1.1 100 Continue\r\n\r\n" + compose(b"[]"),
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n[]\r\n0\r\nX-A: b\r\n\r\n",
    "10,000 headers": compose(b"[]", "200 OK", *(["A: b"] * 10_000)),
    "blank lines around": compose(b"\r\n\r\n [ ] \n\n"),
    "more than the length says": compose(b"[]garbage", length=2),
    "status 299": compose(b"[]", "299 Fine"),
    "packed": compose(gzip.compress(b"[]"), "200 OK", GZIP),
    "a field twice": compose(b'{"contexts": [1], "contexts": []}'),
}
"""Odd, and yet an empty list."""


@pytest.mark.parametrize("answer", ODD)
def test_an_odd_answer_is_an_answer(answer: str, tmp_path: Path) -> None:
    with serve(write(ODD[answer])) as server:
        result = ask(tmp_path, server, "contexts list", "--retries 0")
    assert (result.code, result.out) == (0, "[]\n"), result.err


NUMBERS = {
    "12345678901234567890123456789": 12345678901234567890123456789,
    "-9223372036854775809": -9223372036854775809,
    "1e400": None,
    "-1e999999": None,
    "NaN": None,
    "-Infinity": None,
    "1e-400": 0.0,
    '"5"': "5",
    "-0": 0,
}
"""JSON, and what becomes of it: as it is, or null where JSON has no such number."""


@pytest.mark.sampled
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("shape", ["json", "table", "yaml", "csv"])
def test_a_number_of_any_size_is_shown(number: str, shape: str, tmp_path: Path) -> None:
    body = f'{{"id": "a", "namespace": "n", "database": "d", "config": {{"x": {number}}}}}'
    with serve(write(compose(body.encode()))) as server:
        result = ask(tmp_path, server, "contexts get a", f"-o {shape}")
    assert result.code == 0, result.err
    if shape == "json":
        assert result.json["config"]["x"] == NUMBERS[number]


TIMES = ["99999-01-01T00:00:00Z", "-1-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59Z",
         "0001-01-01T00:00:00+23:59", "1e999", "", "now", "9" * 5000]  # fmt: skip


@pytest.mark.parametrize("moment", TIMES)
def test_a_time_of_any_kind_is_shown(moment: str, tmp_path: Path) -> None:
    key = {
        "id": "cak_1",
        "name": "a",
        "principal": "agent",
        "scope_floor": None,
        "status": "active",
    }
    times = dict.fromkeys(("created_at", "last_used_at", "expires_at"), moment)
    body = json.dumps({"keys": [key | times], "has_more": False}).encode()
    headers = ["Date: Mon, 32 Foo 99999 99:99:99 GMT"]
    for line in (
        "keys list",
        "keys list --older-than 1d",
        "keys orphans",
        "keys list --sort created_at",
    ):
        for terminal in (True, False):
            with serve(write(compose(body, "200 OK", *headers))) as server:
                run = make_command_line(tmp_path, server)
                result = run(f"{line} -o table --timeout 5s", terminal=terminal)
            assert result.code == 0, result.err


@pytest.mark.parametrize("depth", [50, 150, 190, 250])
def test_what_is_deep_is_shown_or_refused(depth: int, tmp_path: Path) -> None:
    deep = '{"a":' * depth + "[1]" + "}" * depth
    body = f'{{"id": "a", "namespace": "n", "database": "d", "config": {deep}}}'.encode()
    for options in (
        "-o json",
        "-o table",
        "-o yaml",
        "-o csv",
        "-o jsonl",
        "-o json --query config.a",
    ):
        with serve(write(compose(body))) as server:
            result = make_command_line(tmp_path, server)(f"contexts get a {options}")
        assert result.code in {0, 9}, result.err
        assert "This is a defect" not in result.err


@pytest.mark.parametrize(
    "pause", ["1e308", "86400", "-1", "nan", "Fri, 31 Dec 9999 23:59:59 GMT", "x" * 9999]
)
def test_no_one_waits_for_longer_than_the_timeout(pause: str, tmp_path: Path) -> None:
    for line in ("contexts list", "keys create agent", f"sessions import {SAMPLES['FILE|-']}"):
        with serve(write(compose(b"", "429 Slow", f"Retry-After: {pause}"))) as server:
            began = time.monotonic()
            result = ask(tmp_path, server, line, "--retries 2")
            assert time.monotonic() - began < IN_TIME
            assert result.code == 8

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import DatabaseError, UnavailableError
from spectronctl.server.http.middleware import REQUEST_ID
from spectronctl.server.http.problems import ProblemError, from_database, unavailable
from spectronctl.server.registry.contexts import ContextTable

pytestmark = pytest.mark.anyio

CONTEXT = "/api/v1/contexts/acme-prod"
JSON = {"Content-Type": "application/json"}


def check_problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Every error has this shape, in whatever part it was found."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() - {"retry_after"} == {
        "type",
        "title",
        "status",
        "detail",
        "message",
        "instance",
        "request_id",
    }
    assert problem["type"] == f"https://spectron.dev/errors/{slug}"
    assert problem["status"] == status
    assert problem["message"] == problem["detail"] != ""
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["instance"] == answer.request.url.raw_path.decode().partition("?")[0]
    return problem


@pytest.mark.parametrize("path", ["/nope", "/api/v1/", "/api/v1/acme/me/", "/api/v1/a/b/c"])
async def test_an_unknown_path_is_a_problem(stranger: httpx.AsyncClient, path: str) -> None:
    check_problem(await stranger.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", CONTEXT, "DELETE, GET, PATCH, POST"),
        ("DELETE", "/api/v1/contexts", "GET"),
        ("POST", "/api/v1/acme-prod/me", "GET"),
        ("BREW", "/api/v1/health", "GET"),
    ],
)
async def test_a_wrong_method_is_told_every_right_one(
    stranger: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await stranger.request(method, path)
    check_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"namespace": "a",\n "database" "b"}', "line 2, column 13"),
        (b"", "no body"),
        (b"[]", "JSON object"),
        (b"null", "JSON object"),
        (b'{"config": NaN}', "NaN"),
        (b'{"config": ' + b"9" * 5_000 + b"}", "64 bits"),
        (b'{"config": ' + b"[" * 90_000, "nested"),
        (b'{"namespace": "\xff"}', "byte 15"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"namespace": "a"} {}', "not JSON"),
    ],
)
async def test_a_body_that_is_no_json_object_is_a_problem(
    operator: httpx.AsyncClient, body: bytes, detail: str
) -> None:
    answer = await operator.post(CONTEXT, content=body, headers=JSON)
    assert detail in check_problem(answer, 400, "invalid")["detail"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_media_type_is_a_problem(
    operator: httpx.AsyncClient, media_type: str
) -> None:
    answer = await operator.post(CONTEXT, content=b"{}", headers={"Content-Type": media_type})
    problem = check_problem(answer, 415, "unsupported-media-type")
    assert "application/json" in problem["detail"]


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", "application/x+json"]
)
async def test_every_spelling_of_json_is_read(operator: httpx.AsyncClient, media_type: str) -> None:
    body = b'{"namespace": "acme", "database": "prod"}'
    answer = await operator.post(CONTEXT, content=body, headers={"Content-Type": media_type})
    assert answer.status_code == 201


async def test_a_body_that_is_announced_too_large_is_a_problem(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(CONTEXT, content=b" " * 100_001, headers=JSON)
    assert "100000 bytes" in check_problem(answer, 413, "too-large")["detail"]


async def test_a_body_that_grows_too_large_is_a_problem(operator: httpx.AsyncClient) -> None:
    async def grow() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 10_000

    answer = await operator.post(CONTEXT, content=grow(), headers=JSON)
    assert "content-length" not in answer.request.headers
    check_problem(answer, 413, "too-large")


async def test_a_body_of_exactly_the_limit_is_read(operator: httpx.AsyncClient) -> None:
    body = json.dumps({"namespace": "acme", "database": "prod"}).ljust(100_000)
    assert (await operator.post(CONTEXT, content=body, headers=JSON)).status_code == 201


async def test_bad_fields_missing_things_and_keys_are_problems(
    operator: httpx.AsyncClient, stranger: httpx.AsyncClient, acme: str, agent: dict[str, Any]
) -> None:
    binding = {"namespace": "acme", "database": "prod"}
    check_problem(await operator.post("/api/v1/contexts/b", json={}), 400, "invalid")
    check_problem(await operator.get("/api/v1/contexts?limit=x"), 400, "invalid")
    check_problem(await stranger.get(CONTEXT), 401, "unauthorized")
    check_problem(
        await stranger.get(CONTEXT, headers={"API-KEY": agent["secret"]}), 403, "forbidden"
    )
    check_problem(await operator.get("/api/v1/contexts/missing"), 404, "not-found")
    check_problem(await operator.post("/api/v1/contexts/b", json=binding), 409, "conflict")
    check_problem(await operator.post("/api/v1/contexts/verbs", json=binding), 422, "reserved")


async def test_a_failure_says_nothing_of_itself_but_where_the_log_is(
    operator: httpx.AsyncClient,
    store: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(*, after: str | None, limit: int) -> None:
        try:
            raise KeyError("sentinel-secret")
        except KeyError as error:
            raise RuntimeError("sentinel-secret") from error

    monkeypatch.setattr(ContextTable, "list_contexts", staticmethod(fail))
    answer = await operator.get("/api/v1/contexts")
    problem = check_problem(answer, 500, "internal")
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    message = record.getMessage()
    assert problem["request_id"] in message
    assert "RuntimeError" in message
    assert "KeyError" in message
    assert "test_problems.py" in message
    assert "sentinel-secret" not in answer.text + message + str(record.exc_info)


async def test_a_store_that_is_busy_says_when_to_come_back(
    operator: httpx.AsyncClient, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*, after: str | None, limit: int) -> None:
        raise UnavailableError("the store is busy", retry_after=7)

    monkeypatch.setattr(ContextTable, "list_contexts", staticmethod(fail))
    answer = await operator.get("/api/v1/contexts")
    assert check_problem(answer, 503, "unavailable")["retry_after"] == 7
    assert answer.headers["retry-after"] == "7"


def test_every_refusal_of_the_database_has_a_response() -> None:
    kinds = {kind: kind("x") for kind in DatabaseError.__subclasses__()}
    answered = {kind: from_database(error) for kind, error in kinds.items()}
    assert {
        kind.__name__: (told.status, told.slug, told.retry_after) for kind, told in answered.items()
    } == {
        "UnstorableError": (400, "invalid", None),
        "ReservedError": (422, "reserved", None),
        "GoneError": (404, "not-found", None),
        "TakenError": (409, "conflict", None),
        "LastError": (409, "conflict", None),
        "ChangedError": (412, "precondition-failed", None),
        "ReusedKeyError": (409, "idempotency-key-reused", None),
        "InFlightError": (409, "idempotency-key-in-flight", 1),
        "UnavailableError": (503, "unavailable", 1),
        "DiskError": (503, "unavailable", 30),
    }
    assert {told.detail for told in answered.values()} == {"x"}


def test_a_problem_error_shows_its_detail() -> None:
    assert str(ProblemError(unavailable("x").status, "unavailable", "busy")) == "busy"


@pytest.mark.parametrize("given", ["abc", "A-b_c.1:2", "x" * 128])
async def test_a_plain_request_id_is_given_back(stranger: httpx.AsyncClient, given: str) -> None:
    for path in ("/api/v1/health", "/nope", "/docs"):
        answer = await stranger.get(path, headers={"X-Request-Id": given})
        assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", [b"", b"x" * 129, b"a b", b"a\tb", b"<i>", b"\xe9", b'"'])
async def test_any_other_request_id_is_replaced(stranger: httpx.AsyncClient, given: bytes) -> None:
    answer = await stranger.get("/api/v1/health", headers=[(b"X-Request-Id", given)])
    assert answer.headers["x-request-id"].encode() != given
    assert REQUEST_ID.fullmatch(answer.headers["x-request-id"])


async def test_every_request_has_an_id_of_its_own(stranger: httpx.AsyncClient) -> None:
    answers = [await stranger.get("/api/v1/health") for _ in range(3)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3

"""What is sent, how often, and when the client gives up."""

from __future__ import annotations

import errno
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectronctl import __version__, errors
from spectronctl.api import contexts, health, keys
from spectronctl.api.requests import Request
from spectronctl.client import Client, Exchange, _policy, _sync
from tests.support.fakes import KEY, URL, Clock, Connect, Face, FakeSpectron

ACME = "/api/v1/contexts/acme"
CONTEXT = {"id": "acme"}
READ = contexts.get_context("acme")
DELETION = contexts.delete_context("acme")
WRITES: list[Request[Any]] = [
    contexts.create_context("acme", namespace="a", database="b"),
    contexts.update_context("acme", config={"token_limit": 1}),
    Request("PUT", ACME, None, json={}),
]
LOST = [
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("closed"),
    httpx.ReadTimeout("late"),
    httpx.WriteTimeout("late"),
]
UNSENT = [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.PoolTimeout("no")]


def name(failure: Exception) -> str:
    return type(failure).__name__


@pytest.mark.parametrize("failure", LOST + UNSENT, ids=name)
@pytest.mark.parametrize("request_", [READ, DELETION], ids=["GET", "DELETE"])
def test_reads_and_deletions_survive_a_broken_connection(
    client: Face, spectron: FakeSpectron, failure: Exception, request_: Request[Any]
) -> None:
    spectron.on(request_.method, ACME, error=failure)
    spectron.on(request_.method, ACME, json=CONTEXT)
    client.send(request_)
    assert len(spectron.requests) == 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_reads_survive_a_passing_trouble(client: Face, spectron: FakeSpectron, status: int) -> None:
    spectron.on("GET", ACME, status)
    spectron.on("GET", ACME, json=CONTEXT)
    assert client.send(READ).id == "acme"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500, 501])
def test_a_certain_answer_is_the_last(client: Face, spectron: FakeSpectron, status: int) -> None:
    spectron.on("GET", ACME, status)
    with pytest.raises(errors.RequestError):
        client.send(READ)
    assert len(spectron.requests) == 1


@pytest.mark.parametrize("failure", LOST, ids=name)
@pytest.mark.parametrize("request_", WRITES, ids=lambda r: str(r.method))
def test_a_write_is_never_sent_again_once_it_may_have_arrived(
    client: Face, spectron: FakeSpectron, failure: Exception, request_: Request[Any]
) -> None:
    spectron.on(request_.method, ACME, error=failure)
    with pytest.raises(errors.NetworkError, match=f"{request_.method} {ACME}") as caught:
        client.send(request_)
    assert len(spectron.requests) == 1
    assert caught.value.outcome_unknown
    assert "look before you send it again" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("status", "unknown"),
    [
        *((status, True) for status in (500, 502, 503, 504, 524)),
        *((status, False) for status in (400, 401, 404, 409, 422, 429, 501)),
    ],
)
@pytest.mark.parametrize("request_", WRITES, ids=lambda r: str(r.method))
def test_a_write_gets_one_answer_which_says_whether_it_is_certain(
    client: Face, spectron: FakeSpectron, status: int, unknown: bool, request_: Request[Any]
) -> None:
    spectron.on(request_.method, ACME, status, headers={"Retry-After": "0"})
    with pytest.raises(errors.RequestError) as caught:
        client.send(request_)
    assert len(spectron.requests) == 1
    assert caught.value.outcome_unknown is unknown


def test_of_several_addresses_the_last_says_why(client: Face, spectron: FakeSpectron) -> None:
    refusals = [OSError(errno.ENETUNREACH, "v6"), OSError(errno.ECONNREFUSED, "v4")]
    failure = httpx.ConnectError("all attempts failed")
    failure.__cause__ = ExceptionGroup("several", refusals)
    for _ in range(4):
        spectron.on("GET", ACME, error=failure)
    with pytest.raises(errors.NetworkError, match=r"spectron\.test: connection refused"):
        client.send(READ)


@pytest.mark.parametrize("failure", UNSENT, ids=name)
@pytest.mark.parametrize("request_", WRITES, ids=lambda r: str(r.method))
def test_a_write_that_never_left_is_sent_again(
    client: Face, spectron: FakeSpectron, failure: Exception, request_: Request[Any]
) -> None:
    for _ in range(4):
        spectron.on(request_.method, ACME, error=failure)
    with pytest.raises(errors.NetworkError, match="4 attempts") as caught:
        client.send(request_)
    assert not caught.value.outcome_unknown


def test_a_read_knows_its_outcome_even_without_an_answer(
    client: Face, spectron: FakeSpectron
) -> None:
    for _ in range(4):
        spectron.on("GET", ACME, 503)
    with pytest.raises(errors.UpstreamError) as caught:
        client.send(READ)
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("first", [502, 503, 504, *LOST], ids=str)
def test_a_deletion_that_an_earlier_attempt_did_is_done(
    client: Face, spectron: FakeSpectron, first: int | Exception
) -> None:
    spectron.on(
        "DELETE", ACME, **({"error": first} if isinstance(first, Exception) else {"status": first})
    )
    spectron.on("DELETE", ACME, 404)
    client.send(DELETION)
    assert len(spectron.requests) == 2


@pytest.mark.parametrize("first", [429, *UNSENT], ids=str)
def test_a_deletion_that_nothing_did_before_is_not_found(
    client: Face, spectron: FakeSpectron, first: int | Exception
) -> None:
    spectron.on(
        "DELETE", ACME, **({"error": first} if isinstance(first, Exception) else {"status": first})
    )
    spectron.on("DELETE", ACME, 404)
    with pytest.raises(errors.NotFoundError):
        client.send(DELETION)


def test_a_proxy_s_404_is_no_proof_of_a_deletion(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("DELETE", ACME, 503)
    spectron.on("DELETE", ACME, 404, html="<h1>Not here</h1>")
    with pytest.raises(errors.UpstreamError) as caught:
        client.send(DELETION)
    assert caught.value.outcome_unknown


def test_a_lost_deletion_stays_unknown_whatever_follows(
    client: Face, spectron: FakeSpectron
) -> None:
    spectron.on("DELETE", ACME, error=httpx.ReadError("reset"))
    for _ in range(3):
        spectron.on("DELETE", ACME, error=httpx.ConnectError("refused"))
    with pytest.raises(errors.NetworkError) as caught:
        client.send(DELETION)
    assert caught.value.outcome_unknown


def test_pauses_double_up_to_a_limit(
    connect: Connect, spectron: FakeSpectron, clock: Clock
) -> None:
    for _ in range(8):
        spectron.on("GET", ACME, 503)
    client = connect(transport=httpx.MockTransport(spectron.answer), retries=7, timeout=60)
    with pytest.raises(errors.UpstreamError):
        client.send(READ)
    assert clock.pauses == [0.5, 1, 2, 4, 8, 8, 8]


@pytest.mark.parametrize(
    "answer",
    [
        {"headers": {"Retry-After": "7"}},
        {"headers": {"Retry-After": "7.0"}, "json": {"retry_after": 2}},
        {"json": {"detail": "slow down", "retry_after": 7}},
        {"json": {"error": {"retryAfter": "7"}}},
    ],
)
def test_the_server_s_pause_is_honoured(
    client: Face, spectron: FakeSpectron, clock: Clock, answer: dict[str, Any]
) -> None:
    spectron.on("GET", ACME, 429, **answer)
    spectron.on("GET", ACME, json=CONTEXT)
    client.send(READ)
    assert clock.pauses == [7]


def test_the_server_s_pause_may_be_a_date(
    client: Face, spectron: FakeSpectron, clock: Clock
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    spectron.on("GET", ACME, 503, headers={"Retry-After": date})
    spectron.on("GET", ACME, json=CONTEXT)
    client.send(READ)
    assert clock.pauses == [pytest.approx(19, abs=1.5)]


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=-2)])
def test_a_date_is_one_of_the_servers_clock(
    client: Face, spectron: FakeSpectron, clock: Clock, ahead: timedelta
) -> None:
    there = datetime.now(UTC) + ahead
    headers = {
        "Date": format_datetime(there, usegmt=True),
        "Retry-After": format_datetime(there + timedelta(seconds=5), usegmt=True),
    }
    spectron.on("GET", ACME, 503, headers=headers)
    spectron.on("GET", ACME, json=CONTEXT)
    client.send(READ)
    assert clock.pauses == [5]


@pytest.mark.parametrize(
    "value", ["-5", "nan", "inf", "1e999", "soon", "", "Wed, 99 Feb 2026 00:00:00 GMT"]
)
def test_a_pause_that_makes_no_sense_is_ignored(
    client: Face, spectron: FakeSpectron, clock: Clock, value: str
) -> None:
    spectron.on("GET", ACME, 503, headers={"Retry-After": value})
    spectron.on("GET", ACME, json=CONTEXT)
    client.send(READ)
    assert clock.pauses == [0.5]


def test_a_date_gone_by_means_now(client: Face, spectron: FakeSpectron, clock: Clock) -> None:
    spectron.on("GET", ACME, 503, headers={"Retry-After": "Fri, 01 Jan 2021 00:00:00 GMT"})
    spectron.on("GET", ACME, json=CONTEXT)
    client.send(READ)
    assert clock.pauses == [0]


def test_a_pause_past_the_deadline_ends_the_call_at_once(
    client: Face, spectron: FakeSpectron, clock: Clock
) -> None:
    spectron.on("GET", ACME, 429, headers={"Retry-After": "31"})
    with pytest.raises(errors.RateLimitedError) as caught:
        client.send(READ)
    assert caught.value.retry_after_secs == 31
    assert clock.pauses == []


def test_an_attempt_has_no_more_time_than_the_call_has_left(
    client: Face, spectron: FakeSpectron
) -> None:
    spectron.on("GET", ACME, 503, headers={"Retry-After": "10"})
    spectron.on("GET", ACME, 503, headers={"Retry-After": "15"})
    spectron.on("GET", ACME, json=CONTEXT)
    client.send(READ)
    timeouts = [set(request.extensions["timeout"].values()) for request in spectron.requests]
    assert timeouts == [{30.0}, {20.0}, {5.0}]


def test_no_retries_means_one_attempt(connect: Connect, spectron: FakeSpectron) -> None:
    spectron.on("GET", ACME, 503)
    with pytest.raises(errors.UpstreamError):
        connect(transport=httpx.MockTransport(spectron.answer), retries=0).send(READ)


@settings(deadline=None)
@given(
    timeout=st.floats(0.01, 300),
    retries=st.integers(0, 50),
    jitter=st.floats(0, 1, exclude_max=True),
    asked=st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=1),
    cost=st.floats(0, 20),
)
def test_no_pause_ever_passes_the_deadline(
    timeout: float, retries: int, jitter: float, asked: list[float | None], cost: float
) -> None:
    clock = Clock(now=0.0)
    attempts = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal attempts
        clock.now += cost
        pause = asked[attempts % len(asked)]
        attempts += 1
        return httpx.Response(503, headers={} if pause is None else {"Retry-After": str(pause)})

    transport = httpx.MockTransport(answer)
    with (
        patch.object(_policy, "random", lambda: jitter),
        patch.object(_sync, "monotonic", clock.monotonic),
        patch.object(time, "sleep", clock.sleep),
        Client(URL, timeout=timeout, retries=retries, transport=transport) as client,
        pytest.raises(errors.UpstreamError),
    ):
        client.send(READ)
    assert attempts <= retries + 1
    assert clock.now - cost < timeout or not clock.pauses


@pytest.mark.parametrize(
    ("auth_header", "sent"),
    [
        ("both", (f"Bearer {KEY}", KEY)),
        ("bearer", (f"Bearer {KEY}", None)),
        ("api-key", (None, KEY)),
    ],
)
def test_the_key_goes_into_the_chosen_headers(
    connect: Connect, spectron: FakeSpectron, auth_header: str, sent: tuple[str | None, ...]
) -> None:
    spectron.on("GET", ACME, json=CONTEXT)
    transport = httpx.MockTransport(spectron.answer)
    connect(api_key=f" {KEY}\n", auth_header=auth_header, transport=transport).send(READ)
    headers = spectron.requests[0].headers
    assert (headers.get("Authorization"), headers.get("API-KEY")) == sent


def test_without_a_key_none_is_sent(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("GET", "/api/v1/health", json={"status": "ok"})
    client.send(health.get_health())
    assert not {"authorization", "api-key"} & set(spectron.requests[0].headers)


def test_a_call_has_one_request_id_over_its_attempts(client: Face, spectron: FakeSpectron) -> None:
    for status in (503, 200, 200):
        spectron.on("GET", ACME, status, json=CONTEXT)
    client.send(READ)
    client.send(READ)
    first, again, other = (request.headers["X-Request-Id"] for request in spectron.requests)
    assert first == again != other


def test_every_request_says_who_asks(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("GET", ACME, json=CONTEXT)
    client.send(READ)
    assert spectron.requests[0].headers["User-Agent"] == f"spectronctl/{__version__}"
    assert spectron.requests[0].headers["Accept"] == "application/json"


def test_a_body_is_json_and_no_body_is_none(client: Face, spectron: FakeSpectron) -> None:
    minted = {"id": "cak_1", "name": "ci", "secret": "sk-1"}
    spectron.on("POST", f"{ACME}/keys", 201, json=minted)
    spectron.on("POST", f"{ACME}/keys/cak_1/rotate", json=minted)
    client.send(keys.create_key("acme", "für ci"))
    client.send(keys.rotate_key("acme", "cak_1"))
    create, rotate = spectron.requests
    assert create.content.decode() == '{"name":"für ci","principal":"agent"}'
    assert create.headers["Content-Type"] == "application/json"
    assert rotate.content == b""
    assert "Content-Type" not in rotate.headers


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".", "a?b#c", "a%2Fb", "ü b", "a;b=c&d", "a\\b", "a:b@c", "+"]
)
@pytest.mark.parametrize("prefix", ["", "/spectron"])
def test_a_name_arrives_as_one_segment_of_the_path(
    connect: Connect, spectron: FakeSpectron, name: str, prefix: str
) -> None:
    path = prefix + contexts.get_context(name).path
    spectron.on("GET", path, json={"id": name})
    client = connect(URL + prefix, transport=httpx.MockTransport(spectron.answer))
    assert client.send(contexts.get_context(name)).id == name


@pytest.mark.parametrize(
    "base_url", ["", "/", "/api/v1", "/api/v1/", "/spectron", "/spectron/", "/spectron/api/v1//"]
)
def test_a_base_url_may_have_a_prefix_and_the_api_s_own_path(
    connect: Connect, spectron: FakeSpectron, base_url: str
) -> None:
    prefix = "/spectron" if "spectron" in base_url else ""
    spectron.on("GET", prefix + ACME, json=CONTEXT)
    connect(f" {URL}{base_url}\n", transport=httpx.MockTransport(spectron.answer)).send(READ)
    assert spectron.requests[0].url.host == "spectron.test"


def test_parameters_without_a_value_are_not_sent(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("GET", ACME, json=CONTEXT)
    client.send(READ.with_params(cursor=None, limit=5, q="a b&c"))
    assert dict(spectron.requests[0].url.params) == {"limit": "5", "q": "a b&c"}


@pytest.mark.parametrize(
    "body",
    [{"n": float("nan")}, {"n": object()}, {"name": "\udcff"}],
    ids=["nan", "object", "surrogate"],
)
def test_a_body_that_is_no_json_is_refused_before_sending(client: Face, body: Any) -> None:
    with pytest.raises(errors.InvalidError, match="cannot be written as JSON"):
        client.send(Request("POST", ACME, None, json=body))


def test_an_endless_name_is_refused_before_sending(client: Face) -> None:
    with pytest.raises(errors.InvalidError, match="no valid address: URL too long"):
        client.send(contexts.get_context("a" * 70_000))


def test_an_observer_sees_each_attempt_and_no_secret(
    connect: Connect, spectron: FakeSpectron, clock: Clock
) -> None:
    seen: list[Exchange] = []
    spectron.on("GET", ACME, error=httpx.ConnectError(f"refused {KEY}"))
    spectron.on("GET", ACME, 503)
    spectron.on("GET", ACME, json=CONTEXT)
    transport = httpx.MockTransport(spectron.answer)
    connect(api_key=KEY, transport=transport, observe=seen.append).send(READ)
    assert [(e.attempt, e.status, e.error) for e in seen] == [
        (1, None, "ConnectError: refused [secret]"),
        (2, 503, None),
        (3, 200, None),
    ]
    assert {(e.method, e.path) for e in seen} == {("GET", ACME)}
    assert {e.request_id for e in seen} == {spectron.requests[0].headers["X-Request-Id"]}

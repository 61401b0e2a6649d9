"""The embedders of others, against a stand-in on a real socket; and which one a config chooses."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
import truststore

from spectronctl.server.providers import http as provider_http
from spectronctl.server.providers import responses
from spectronctl.server.providers.addresses import is_public
from spectronctl.server.providers.choice import choose_provider, make_embedder, parse_base_url
from spectronctl.server.providers.embedder import Embedder
from spectronctl.server.providers.errors import ProviderError, UnusableProviderError
from spectronctl.server.providers.hashing import HashingEmbedder
from spectronctl.server.providers.responses import MAX_ATTEMPTS, Failure, choose_pause
from spectronctl.server.providers.texts import MAX_REQUEST, MAX_TEXT, MAX_TEXTS, split_texts
from tests.support.embeddings_endpoint import KEY, Endpoint, embed, serve

pytestmark = pytest.mark.anyio

SENTINEL = "sentinel-8d1f-never-shown"
TEXTS = ["the first", "the second", "the third"]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "FIRST_BACKOFF", 0.001)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve() as endpoint:
        yield endpoint


def configure(url: str, model: str = "acme/embed-1") -> dict[str, Any]:
    return {"models": {"embedding": model}, "provider_urls": {model.partition("/")[0]: url}}


@asynccontextmanager
async def connected(
    url: str, secret: str = KEY, model: str = "acme/embed-1"
) -> AsyncIterator[Embedder]:
    embedder = make_embedder(configure(url, model), secret, context_id="acme")
    yield embedder
    await embedder.close()


async def fail(url: str, secret: str = KEY) -> str:
    async with connected(url, secret) as embedder:
        with pytest.raises(ProviderError) as caught:
            await embedder.embed(TEXTS)
    assert not isinstance(caught.value, UnusableProviderError)
    assert caught.value.__cause__ is caught.value.__context__ is None
    message = str(caught.value)
    assert message.isprintable()
    return message.removeprefix(f"acme/embed-1 at {url}: ")


async def test_texts_get_their_vectors_in_their_order(endpoint: Endpoint) -> None:
    async with connected(endpoint.url, model="acme/family/embed-1") as embedder:
        assert await embedder.embed(TEXTS) == [embed(text, 16) for text in TEXTS]
        assert (embedder.name, embedder.is_local) == ("acme/family/embed-1", False)
    (request,) = endpoint.requests
    assert request["body"] == {
        "model": "family/embed-1",
        "input": TEXTS,
        "encoding_format": "float",
    }
    assert request["headers"]["authorization"] == f"Bearer {KEY}"
    assert request["headers"]["content-type"] == "application/json"


async def test_many_texts_go_in_several_requests(endpoint: Endpoint) -> None:
    texts = [f"text {number}" for number in range(300)]
    async with connected(endpoint.url + "/") as embedder:
        assert embedder.batch == 128
        assert await embedder.embed(texts) == [embed(text, 16) for text in texts]
        assert await embedder.embed([]) == []
    assert [len(request["body"]["input"]) for request in endpoint.requests] == [128, 128, 44]
    assert endpoint.count() == {
        "requests": 3,
        "answered": 300,
        "texts": dict.fromkeys(texts, 1),
    }


async def test_empty_and_long_texts_are_made_fit(endpoint: Endpoint) -> None:
    long, han = "long " * 100_000, "数" * 10_000
    async with connected(endpoint.url) as embedder:
        vectors = await embedder.embed(["", " \n", long, han, "\ud800"])
    assert len(vectors) == 5
    assert endpoint.requests[0]["body"]["input"] == [" ", " ", long[:8_000], han[:2_666], "?"]


def test_a_request_holds_no_more_than_it_may() -> None:
    texts = ["x" * 7_000, "y" * 9_000, ""] * 100
    groups = list(split_texts(texts))
    assert [text for group in groups for text in group] == [
        text[:MAX_TEXT] or " " for text in texts
    ]
    sizes = [sum(map(len, group)) for group in groups]
    assert all(MAX_REQUEST - 2 * MAX_TEXT < size <= MAX_REQUEST for size in sizes[:-1])
    assert max(map(len, groups)) <= MAX_TEXTS


@pytest.mark.parametrize("status", [0, 408, 409, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(endpoint: Endpoint, status: int) -> None:
    endpoint.behave(fail_times=MAX_ATTEMPTS - 1, status=status)
    async with connected(endpoint.url) as embedder:
        assert await embedder.embed(TEXTS) == [embed(text, 16) for text in TEXTS]
    assert endpoint.count()["texts"] == dict.fromkeys(TEXTS, MAX_ATTEMPTS)


@pytest.mark.parametrize("status", [429, 503])
async def test_what_does_not_pass_fails_after_five_attempts(
    endpoint: Endpoint, status: int
) -> None:
    endpoint.behave(fail_times=None, status=status)
    assert await fail(endpoint.url) == f"{status} {HTTPStatus(status).phrase} (5 attempts)"
    assert endpoint.count()["requests"] == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_what_cannot_pass_fails_at_once(endpoint: Endpoint, status: int) -> None:
    endpoint.behave(fail_times=None, status=status)
    assert await fail(endpoint.url) == f"{status} {HTTPStatus(status).phrase} (1 attempt)"
    assert endpoint.count()["requests"] == 1


async def test_a_failure_half_way_fails_the_whole(endpoint: Endpoint) -> None:
    endpoint.behave(fail_from=200, status=400)
    async with connected(endpoint.url) as embedder:
        with pytest.raises(ProviderError, match=r"400 Bad Request \(1 attempt\)"):
            await embedder.embed([f"text {number}" for number in range(300)])
    assert endpoint.count()["answered"] == 128


async def test_a_refused_key_is_never_shown(endpoint: Endpoint) -> None:
    message = await fail(endpoint.url, SENTINEL)
    assert message == "401 Unauthorized (1 attempt)"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (503, {}, f"<html><title>Sign in, {SENTINEL}</title></html>"),
        (503, {}, json.dumps({"error": {"message": SENTINEL}})),
        (503, {}, SENTINEL),
        (503, {}, ""),
        (200, {}, SENTINEL),
        (200, {}, f'{{"data": [{{"{SENTINEL}": NaN}}]}}'),
        (200, {}, f"<!doctype html><title>Sign in, {SENTINEL}</title>"),
        (200, {"Content-Encoding": "gzip"}, SENTINEL),
        (307, {"Location": f"https://llm.acme.example/{SENTINEL}"}, SENTINEL),
    ],
)
async def test_no_text_of_a_provider_is_in_an_error(
    endpoint: Endpoint, status: int, headers: dict[str, str], body: str
) -> None:
    endpoint.behave(fail_times=None, status=status, headers=headers, body=body)
    message = await fail(endpoint.url, SENTINEL)
    assert "sentinel" not in message
    assert "Sign in" not in message
    assert len(message) < 150


async def test_what_is_not_http_is_not_repeated() -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SENTINEL.encode() + b" is no status line\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        message = await fail(f"http://127.0.0.1:{port}/v1")
    assert message == "it closed the connection, or does not speak HTTP (5 attempts)"


async def test_a_web_page_is_no_response_whatever_its_status(endpoint: Endpoint) -> None:
    endpoint.behave(fail_times=None, status=200, body="<html><title>Sign in</title></html>")
    assert await fail(endpoint.url) == "a web page in place of the response (5 attempts)"


async def test_a_call_ends_at_its_deadline_whatever_the_provider_asks_for(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectronctl.server.providers.http.CALL_SECONDS", 0.2)
    endpoint.behave(fail_times=None, status=429, headers={"Retry-After": "60"})
    assert await fail(endpoint.url) == "no usable response within 0.2 s (1 attempt)"


async def test_a_provider_gets_no_more_requests_at_once_than_it_may(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectronctl.server.providers.http.MAX_REQUESTS", 2)
    endpoint.open.clear()
    async with connected(endpoint.url) as embedder:
        calls = [asyncio.create_task(embedder.embed([f"text {n}"])) for n in range(5)]
        while endpoint.count()["requests"] < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert endpoint.count()["requests"] == 2
        endpoint.open.set()
        assert [len(await call) for call in calls] == [1] * 5


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("truncated", "the response is not JSON"),
        ("few", "2 vectors for 3 texts"),
        ("several lengths", "its vectors are of several lengths"),
        ("same index", "not every text has an index of its own"),
        ("no index", "a vector has no index"),
        ("NaN", "a number that is not finite"),
        ("infinite", "a number that is not finite"),
        ("zeros", "empty, or of only zeros"),
        ("empty", "empty, or of only zeros"),
        ("text", "an embedding is no list of numbers"),
        ("words", "an embedding is no list of numbers"),
        ("truths", "an embedding is no list of numbers"),
        ("huge", "an embedding holds a number that is too large"),
    ],
)
async def test_vectors_that_are_none_are_refused(endpoint: Endpoint, spoil: str, said: str) -> None:
    endpoint.behave(fail_times=None, status=200, spoil=spoil)
    message = await fail(endpoint.url)
    assert said in message
    assert message.endswith("(5 attempts)")


@pytest.mark.parametrize("body", ["[]", "null", '{"data": {}}', '{"data": [1]}'])
async def test_an_answer_of_another_shape_is_refused(endpoint: Endpoint, body: str) -> None:
    endpoint.behave(fail_times=None, status=200, body=body)
    assert "the response is not what was asked for: " in await fail(endpoint.url)


@pytest.mark.parametrize("body", ["[" * 100_000, "{"])
async def test_an_answer_that_is_not_json_is_refused(endpoint: Endpoint, body: str) -> None:
    endpoint.behave(fail_times=None, status=200, body=body)
    assert await fail(endpoint.url) == "the response is not JSON (5 attempts)"


async def test_a_bad_answer_is_asked_for_again(endpoint: Endpoint) -> None:
    endpoint.behave(fail_times=1, status=200, spoil="truncated")
    async with connected(endpoint.url) as embedder:
        assert await embedder.embed(TEXTS) == [embed(text, 16) for text in TEXTS]


async def test_a_model_that_changes_its_length_is_refused(endpoint: Endpoint) -> None:
    async with connected(endpoint.url) as embedder:
        await embedder.embed(TEXTS)
        endpoint.behave(dimensions=8)
        with pytest.raises(ProviderError, match="have 8 numbers, and had 16 before"):
            await embedder.embed(TEXTS)


async def test_an_endless_answer_is_not_read(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectronctl.server.providers.http.MAX_RESPONSE", 1_000)
    assert await fail(endpoint.url) == "the response is longer than 1,000 bytes (1 attempt)"


async def test_a_redirect_is_not_followed(endpoint: Endpoint) -> None:
    with serve() as elsewhere:
        target = {"Location": f"{elsewhere.url}/embeddings"}
        endpoint.behave(fail_times=None, status=307, headers=target)
        message = await fail(endpoint.url)
        assert elsewhere.requests == []
    assert message.startswith("307: it redirects elsewhere, where the key is not sent")
    assert message.endswith("(1 attempt)")


async def test_a_silent_endpoint_runs_into_the_timeout(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectronctl.server.providers.http.ATTEMPT_SECONDS", 0.05)
    endpoint.behave(delay=0.2)
    assert await fail(endpoint.url) == "no complete response within 0.05 s (5 attempts)"


async def test_a_refused_port_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    assert await fail(url) == "connection refused (5 attempts)"


@pytest.mark.parametrize(
    ("failure", "attempt", "pause"),
    [
        (Failure("", may_pass=True), 1, 0.0005),
        (Failure("", may_pass=True), 3, 0.002),
        (Failure("", may_pass=True), MAX_ATTEMPTS, None),
        (Failure("", may_pass=False), 1, None),
        (Failure("", may_pass=False, retry_after=1), 1, None),
        (Failure("", may_pass=True, retry_after=0), 1, 0),
        (Failure("", may_pass=True, retry_after=7.5), 4, 7.5),
        (Failure("", may_pass=True, retry_after=86_400), 1, 60),
    ],
)
def test_a_pause_grows_and_heeds_the_provider(
    failure: Failure, attempt: int, pause: float | None
) -> None:
    assert choose_pause(failure, attempt, 0.5) == pause


@pytest.mark.parametrize(
    "wish",
    ["9", format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)],
    ids=["seconds", "date"],
)
async def test_retry_after_is_waited(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, wish: str
) -> None:
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("spectronctl.server.providers.http.asyncio.sleep", note)
    endpoint.behave(fail_times=1, status=429, headers={"Retry-After": wish})
    async with connected(endpoint.url) as embedder:
        await embedder.embed(TEXTS)
    assert pauses == [9 if wish == "9" else 60]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure_endpoint(authority: trustme.CA) -> Iterator[Endpoint]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with serve(context) as endpoint:
        yield endpoint


async def test_a_certificate_that_no_one_signed_is_refused_at_once(
    secure_endpoint: Endpoint,
) -> None:
    message = await fail(secure_endpoint.url)
    assert message.startswith("its certificate is not accepted: ")
    assert message.endswith("(1 attempt)")
    assert secure_endpoint.requests == []


async def test_the_systems_certificates_are_trusted(
    secure_endpoint: Endpoint,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = tmp_path / "system.pem"
    authority.cert_pem.write_to_path(str(store))
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    made: list[ssl.SSLContext] = []

    class Context(truststore.SSLContext):
        def __init__(self, protocol: int) -> None:
            super().__init__(protocol)
            made.append(self)

    monkeypatch.setattr(truststore, "SSLContext", Context)
    async with connected(secure_endpoint.url) as embedder:
        assert await embedder.embed(TEXTS) == [embed(text, 16) for text in TEXTS]
    assert len(made) == 1


async def test_no_proxy_of_the_environment_is_used(
    endpoint: Endpoint,
    secure_endpoint: Endpoint,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = tmp_path / "system.pem"
    authority.cert_pem.write_to_path(str(store))
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for url in (endpoint.url, secure_endpoint.url):
        async with connected(url) as embedder:
            assert len(await embedder.embed(TEXTS)) == 3


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("::ffff:127.0.0.1", False),
        ("::7f00:1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("ff0e::1", False),
    ],
)
def test_private_addresses_are_told_from_public_ones(address: str, expected: bool) -> None:
    assert is_public(address) is expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_private_address_is_asked_only_where_that_is_allowed(
    endpoint: Endpoint, host: str
) -> None:
    url = endpoint.url.replace("127.0.0.1", host)
    embedder = make_embedder(configure(url), KEY, allow_private=False)
    with pytest.raises(ProviderError, match=r"address is private.*--allow-private-prov.*1 attempt"):
        await embedder.embed(TEXTS)
    await embedder.close()
    assert endpoint.requests == []


async def test_the_address_that_was_checked_is_the_one_that_is_asked(
    secure_endpoint: Endpoint,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = tmp_path / "system.pem"
    authority.cert_pem.write_to_path(str(store))
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    monkeypatch.setattr(provider_http, "is_public", lambda address: address == "127.0.0.1")
    resolve, resolved = socket.getaddrinfo, []

    def note(host: Any, *args: Any, **settings: Any) -> Any:
        resolved.append(host)
        found = resolve(host, *args, **settings)
        private = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.9", 1))
        return [private, *found] if host == "localhost" else found

    monkeypatch.setattr(socket, "getaddrinfo", note)
    embedder = make_embedder(configure(secure_endpoint.url), KEY, allow_private=False)
    assert await embedder.embed(TEXTS) == [embed(text, 16) for text in TEXTS]
    await embedder.close()
    assert [host for host in resolved if host in ("localhost", b"localhost")] == ["localhost"]
    (request,) = secure_endpoint.requests
    assert request["headers"]["host"] == secure_endpoint.url.split("/")[2]


async def test_a_name_that_does_not_resolve_says_so() -> None:
    embedder = make_embedder(configure("https://llm.invalid/v1"), KEY, allow_private=False)
    with pytest.raises(ProviderError, match=r"its name does not resolve \(5 attempts\)"):
        await embedder.embed(TEXTS)
    await embedder.close()


def refuse(config: dict[str, Any], secret: str | None = KEY) -> str:
    with pytest.raises(UnusableProviderError) as caught:
        make_embedder(config, secret, context_id="acme-prod")
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    "config", [{}, {"models": None}, {"models": {}}, {"models": {"embedding": "local/hashing"}}]
)
async def test_the_local_embedder_is_chosen_unless_another_is(config: dict[str, Any]) -> None:
    embedder = make_embedder(config, None, context_id="acme")
    assert isinstance(embedder, HashingEmbedder)
    assert (embedder.name, embedder.is_local) == ("local/hashing", True)
    assert choose_provider(config) is None
    await embedder.close()


async def test_openai_needs_no_url() -> None:
    config = {"models": {"embedding": "openai/text-embedding-3-small"}}
    assert choose_provider(config) == "openai"
    embedder = make_embedder(config, KEY, context_id="acme")
    assert vars(vars(embedder)["_http"])["_base_url"] == "https://api.openai.com/v1"
    await embedder.close()


async def test_a_url_that_is_set_wins_for_openai_too(endpoint: Endpoint) -> None:
    async with connected(endpoint.url, model="openai/text-embedding-3-small") as embedder:
        await embedder.embed(TEXTS)
    assert endpoint.requests[0]["body"]["model"] == "text-embedding-3-small"


@pytest.mark.parametrize(
    ("config", "secret", "field", "command"),
    [
        ({"models": {"embedding": "local/\x1bfuture"}}, None, "models.embedding", "--model-emb"),
        ({"models": {"embedding": "nonsense"}}, KEY, "models.embedding", "--model-embedding local"),
        ({"models": {"embedding": "openai/x"}}, None, "providers.openai", "--provider openai=env:"),
        (
            {"models": {"embedding": "openai/x"}},
            f"{SENTINEL}é",
            "providers.openai",
            "--provider openai=env:VAR",
        ),
        (
            {"models": {"embedding": "acme/x"}},
            KEY,
            "provider_urls.acme",
            "--set provider_urls.acme=https://",
        ),
        (configure("http://llm.acme.example/v1"), KEY, "provider_urls.acme", "--set provider_urls"),
    ],
    ids=["local", "no model", "no key", "key beyond ASCII", "no URL", "plain URL"],
)
def test_what_cannot_be_used_names_the_field_and_the_command(
    config: dict[str, Any], secret: str | None, field: str, command: str
) -> None:
    message = refuse(config, secret)
    assert message.startswith(f"config.{field}: ")
    assert f"`spectronctl contexts update acme-prod {command}" in message
    assert "sentinel" not in message


def test_a_host_that_only_httpx_refuses_is_named() -> None:
    url = "https://xn--i-7iq.ws"
    assert parse_base_url(url) == url
    message = refuse(configure(url))
    assert message.startswith("config.provider_urls.acme: no host can have the name that is in it")
    assert "contexts update acme-prod --set provider_urls.acme=https://" in message


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://llm.acme.example/v1", "https://llm.acme.example/v1"),
        ("https://llm.acme.example:8443/v1/", "https://llm.acme.example:8443/v1"),
        ("HTTPS://llm", "HTTPS://llm"),
        ("https://[2001:db8::1]/v1", "https://[2001:db8::1]/v1"),
        ("http://localhost:11434/v1", "http://localhost:11434/v1"),
        ("http://127.3.2.1", "http://127.3.2.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_good_url_of_a_provider_is_one_that_httpx_takes(url: str, base: str) -> None:
    assert parse_base_url(url) == base
    assert httpx.URL(f"{base}/embeddings").host


BAD_URLS = [
    "",
    "llm.acme.example",
    "https://",
    "https:///v1",
    "ftp://llm.acme.example",
    "http://llm.acme.example",
    "http://localhost.acme.example",
    "http://0.0.0.0",
    "http://10.0.0.1",
    "http://[::1",
    "http://[2001:db8::1]",
    "https://user:password@llm.acme.example",
    "http://127.0.0.1@llm.acme.example",
    "https://llm.acme.example\\@127.0.0.1",
    "https://llm.acme.example/v1?key=x",
    "https://llm.acme.example/v1?",
    "https://llm.acme.example/v1#x",
    "https://llm.acme.example:0",
    "https://llm.acme.example:70000",
    "https://llm.acme.example:port",
    "https://llm acme",
    "https://llm.acme.example/\n",
    "https://-acme",
    "https://a..b",
    "https://é.example",
    "https://" + "a" * 64 + ".example",
    "https://xn--0.example",
    "https://llm/" + "a" * 2_048,
    7,
    ["https://llm.acme.example"],
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_bad_url_of_a_provider_is_none(url: Any) -> None:
    assert parse_base_url(url) is None


def loaded_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_a_server_imports_httpx_only_for_an_embedder_that_needs_it() -> None:
    make = "from spectronctl.server.providers.choice import make_embedder as make;"
    local = f"import spectronctl.server.app, spectronctl.server.serving.listening; {make} make({{}}, None)"
    assert not {"httpx", "truststore"} & loaded_after(local)
    remote = f"{make} make({{'models': {{'embedding': 'openai/x'}}}}, 'sk')"
    assert {"httpx", "truststore"} <= loaded_after(remote)


def test_the_endpoint_runs_as_a_process_of_its_own() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.embeddings_endpoint"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        root = url.removesuffix("/v1")
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {KEY}"}) as client:
            ask: Callable[[], httpx.Response] = lambda: client.post(  # noqa: E731
                f"{url}/embeddings", json={"model": "m", "input": ["a", "b"]}
            )
            assert ask().status_code == 200
            client.post(f"{root}/behave", json={"fail_times": 1, "status": 429})
            assert [ask().status_code, ask().status_code] == [429, 200]
            counts = client.get(f"{root}/counts").json()
        assert counts == {"requests": 3, "answered": 4, "texts": {"a": 3, "b": 3}}
    finally:
        process.kill()
        process.communicate()

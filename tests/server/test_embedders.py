"""The embedders of others, against a stand-in on a real socket; and which one a config chooses."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
import truststore

from spectronctl.server.embedding import (
    Embedder,
    EmbeddingError,
    HashingEmbedder,
    UnusableEmbedderError,
    make_embedder,
    read_base_url,
    read_provider,
)
from spectronctl.server.embedding import _answers as answers
from spectronctl.server.embedding._answers import ATTEMPTS, Failure, choose_pause
from spectronctl.server.embedding._texts import MAX_REQUEST, MAX_TEXT, MAX_TEXTS, split_texts

from .embeddings_endpoint import KEY, Endpoint, embed, serve

pytestmark = pytest.mark.anyio

SENTINEL = "sentinel-8d1f-never-shown"
TEXTS = ["the first", "the second", "the third"]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "FIRST_BACKOFF", 0.001)
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
        with pytest.raises(EmbeddingError) as caught:
            await embedder.embed(TEXTS)
    assert not isinstance(caught.value, UnusableEmbedderError)
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
    endpoint.behave(fail_times=ATTEMPTS - 1, status=status)
    async with connected(endpoint.url) as embedder:
        assert await embedder.embed(TEXTS) == [embed(text, 16) for text in TEXTS]
    assert endpoint.count()["texts"] == dict.fromkeys(TEXTS, ATTEMPTS)


@pytest.mark.parametrize("status", [429, 503])
async def test_what_does_not_pass_fails_with_the_providers_words(
    endpoint: Endpoint, status: int
) -> None:
    endpoint.behave(fail_times=None, status=status)
    assert await fail(endpoint.url) == f"{status} told to fail (5 attempts)"
    assert endpoint.count()["requests"] == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_what_cannot_pass_fails_at_once(endpoint: Endpoint, status: int) -> None:
    endpoint.behave(fail_times=None, status=status)
    assert await fail(endpoint.url) == f"{status} told to fail (1 attempt)"
    assert endpoint.count()["requests"] == 1


async def test_a_failure_half_way_fails_the_whole(endpoint: Endpoint) -> None:
    endpoint.behave(fail_from=200, status=400)
    async with connected(endpoint.url) as embedder:
        with pytest.raises(EmbeddingError, match=r"400 told to fail \(1 attempt\)"):
            await embedder.embed([f"text {number}" for number in range(300)])
    assert endpoint.count()["answered"] == 128


async def test_a_refused_key_is_never_shown(endpoint: Endpoint) -> None:
    message = await fail(endpoint.url, SENTINEL)
    assert message == "401 Incorrect API key: Bearer [secret] (1 attempt)"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"<html><title>Sign in, {SENTINEL}</title></html>", "a web page “Sign in, [secret]”"),
        (json.dumps({"error": {"message": "a\n\x1b[31mlong " * 500}}), "[31mlong a [31mlong"),
        (SENTINEL[:9] + "\x00" + SENTINEL[9:], "503 [secret] "),
        ("", "503 Service Unavailable"),
    ],
    ids=["page", "long and coloured", "secret in pieces", "nothing"],
)
async def test_foreign_text_is_made_fit_to_be_shown(
    endpoint: Endpoint, body: str, said: str
) -> None:
    endpoint.behave(fail_times=None, status=503, body=body)
    message = await fail(endpoint.url, SENTINEL)
    assert said in message
    assert SENTINEL not in message
    assert len(message) < 530


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("truncated", "the answer is not what was asked for: "),
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
        ("huge", "the answer is not what was asked for: "),
    ],
)
async def test_vectors_that_are_none_are_refused(endpoint: Endpoint, spoil: str, said: str) -> None:
    endpoint.behave(fail_times=None, status=200, spoil=spoil)
    message = await fail(endpoint.url)
    assert said in message
    assert message.endswith("(5 attempts)")


@pytest.mark.parametrize(
    "body", ["[]", "null", '{"data": {}}', '{"data": [1]}', "[" * 100_000, "{"]
)
async def test_an_answer_of_another_shape_is_refused(endpoint: Endpoint, body: str) -> None:
    endpoint.behave(fail_times=None, status=200, body=body)
    assert "the answer is not what was asked for: " in await fail(endpoint.url)


async def test_a_bad_answer_is_asked_for_again(endpoint: Endpoint) -> None:
    endpoint.behave(fail_times=1, status=200, spoil="truncated")
    async with connected(endpoint.url) as embedder:
        assert await embedder.embed(TEXTS) == [embed(text, 16) for text in TEXTS]


async def test_a_model_that_changes_its_length_is_refused(endpoint: Endpoint) -> None:
    async with connected(endpoint.url) as embedder:
        await embedder.embed(TEXTS)
        endpoint.behave(dimensions=8)
        with pytest.raises(EmbeddingError, match="have 8 numbers, and had 16 before"):
            await embedder.embed(TEXTS)


async def test_an_endless_answer_is_not_read(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectronctl.server.embedding._remote.MAX_ANSWER", 1_000)
    assert await fail(endpoint.url) == "the answer is longer than 1,000 bytes (1 attempt)"


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
    monkeypatch.setattr("spectronctl.server.embedding._remote.TIMEOUT", 0.05)
    endpoint.behave(delay=0.2)
    assert await fail(endpoint.url) == "no complete answer within 0.05 s (5 attempts)"


async def test_a_refused_port_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    assert await fail(url) == "connection refused (5 attempts)"


@pytest.mark.parametrize(
    ("failure", "attempt", "pause"),
    [
        (Failure("", may_pass=True), 1, 0.0005),
        (Failure("", may_pass=True), 3, 0.002),
        (Failure("", may_pass=True), ATTEMPTS, None),
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

    monkeypatch.setattr("spectronctl.server.embedding._remote.asyncio.sleep", note)
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


async def test_https_goes_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SENTINEL}@{closed}")
    message = await fail("https://llm.acme.example/v1")
    assert message == "connection refused (5 attempts)"


async def test_plain_http_never_meets_a_proxy(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with connected(endpoint.url) as embedder:
        assert len(await embedder.embed(TEXTS)) == 3


def refuse(config: dict[str, Any], secret: str | None = KEY) -> str:
    with pytest.raises(UnusableEmbedderError) as caught:
        make_embedder(config, secret, context_id="acme-prod")
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://h:1", "nonsense://h:1", "http://h:port"])
def test_a_proxy_that_is_none_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.replace("//", f"//user:{SENTINEL}@"))
    message = refuse(configure("https://llm.acme.example/v1"))
    assert "NO_PROXY" in message
    assert SENTINEL not in message


@pytest.mark.parametrize(
    "config", [{}, {"models": None}, {"models": {}}, {"models": {"embedding": "local/hashing"}}]
)
async def test_the_local_embedder_is_chosen_unless_another_is(config: dict[str, Any]) -> None:
    embedder = make_embedder(config, None, context_id="acme")
    assert isinstance(embedder, HashingEmbedder)
    assert (embedder.name, embedder.is_local) == ("local/hashing", True)
    assert read_provider(config) is None
    await embedder.close()


async def test_openai_needs_no_url() -> None:
    config = {"models": {"embedding": "openai/text-embedding-3-small"}}
    assert read_provider(config) == "openai"
    embedder = make_embedder(config, KEY, context_id="acme")
    assert vars(embedder)["_base_url"] == "https://api.openai.com/v1"
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
    assert read_base_url(url) == url
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
    assert read_base_url(url) == base
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
    assert read_base_url(url) is None


def loaded_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_a_server_imports_httpx_only_for_an_embedder_that_needs_it() -> None:
    make = "from spectronctl.server.embedding import make_embedder as make;"
    local = f"import spectronctl.server.app, spectronctl.server.listening; {make} make({{}}, None)"
    assert not {"httpx", "truststore"} & loaded_after(local)
    remote = f"{make} make({{'models': {{'embedding': 'openai/x'}}}}, 'sk')"
    assert {"httpx", "truststore"} <= loaded_after(remote)


def test_the_endpoint_runs_as_a_process_of_its_own() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.server.embeddings_endpoint"],
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

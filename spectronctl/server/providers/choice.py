"""Which embedder a context's config chooses, and where it is reached."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import SplitResult, urlsplit

from spectronctl.ground.text import clean
from spectronctl.server.providers.embedder import Embedder
from spectronctl.server.providers.errors import UnusableProviderError
from spectronctl.server.providers.hashing import HashingEmbedder

LOCAL = "local"
DEFAULT_MODEL = HashingEmbedder.name
LOCAL_MODELS = (HashingEmbedder.name,)
LOCAL_RULE = f"the local models are {', '.join(LOCAL_MODELS)}"
MODEL = re.compile(r"[^\s/]+/\S+")
"""`provider/model`: what is before the first slash names the provider."""
URL_RULE = (
    "must be a URL such as https://llm.acme.example/v1, without credentials, query or fragment; "
    "plain http only to this machine, since the provider's key is sent along"
)

_KNOWN_URLS = {"openai": "https://api.openai.com/v1"}
_SECRET = re.compile(r"[!-~]+")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


def choose_model(config: Mapping[str, Any]) -> str:
    """`config.models.embedding` as it is, or the default."""
    model = _find_entry(config, "models", "embedding")
    return model if isinstance(model, str) else DEFAULT_MODEL


def choose_provider(config: Mapping[str, Any]) -> str | None:
    """The provider whose secret the chosen embedder needs; None for one in this process."""
    provider = choose_model(config).partition("/")[0]
    return None if provider == LOCAL else provider


def make_embedder(
    config: Mapping[str, Any],
    secret: str | None,
    *,
    context_id: str = "CONTEXT",
    allow_private: bool = True,
) -> Embedder:
    """
    The embedder that a context's config chooses; `secret` is its provider's (`choose_provider`).

    UnusableProviderError when there is no such model, no secret or no URL; the command that it advises names
    `context_id`. The caller closes it. Unless `allow_private`, it embeds nothing at an address outside
    the public internet.
    """
    model, provider = choose_model(config), choose_provider(config)
    update = f"`spectronctl contexts update {context_id}"
    if provider is None and model in LOCAL_MODELS:
        return HashingEmbedder()
    if provider is None or not MODEL.fullmatch(model):
        _refuse(
            f"config.models.embedding: there is no {model}: {LOCAL_RULE}; "
            f"choose another with {update} --model-embedding {DEFAULT_MODEL}`"
        )
    url = _find_url(config, provider, update)
    if secret is None or not _SECRET.fullmatch(secret):
        problem = "has no key" if secret is None else "has a key that HTTP cannot carry"
        _refuse(
            f"config.providers.{provider}: {model} needs it, and it {problem}; "
            f"give one with {update} --provider {provider}=env:VAR`"
        )
    # httpx costs a tenth of a second to import: only a server that sends requests pays for it.
    from spectronctl.server.providers.embeddings import RemoteEmbedder
    from spectronctl.server.providers.http import can_reach

    if not can_reach(url):
        _refuse_url(provider, "no host can have the name that is in it", update)
    return RemoteEmbedder(model, url, secret, allow_private=allow_private)


def parse_base_url(value: Any) -> str | None:
    """A provider's URL without a final slash; None for anything against `URL_RULE`."""
    # Before urlsplit, which drops line ends and tabs without a word: what is stored would not be what was checked.
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,2048}", value):
        return None
    try:
        url = urlsplit(value)
        # Parsers differ over a backslash: as a slash to one and as a part of the host to another, it could lead to a
        # host that was not checked.
        is_good = url.port != 0 and _has_host(url) and not re.search(r"[@?#\\]", value)
    except ValueError:  # a port that is no number, half an IPv6 address, a wrong label
        return None
    is_safe = url.scheme == "https" or (url.scheme == "http" and _is_loopback(url))
    return value.rstrip("/") if is_good and is_safe else None


def _find_url(config: Mapping[str, Any], provider: str, update: str) -> str:
    given = _find_entry(config, "provider_urls", provider)
    url = parse_base_url(given) if given is not None else _KNOWN_URLS.get(provider)
    if url is None:
        _refuse_url(provider, "it is not set" if given is None else URL_RULE, update)
    return url


def _refuse_url(provider: str, problem: str, update: str) -> NoReturn:
    _refuse(
        f"config.provider_urls.{provider}: {problem}; "
        f"set it with {update} --set provider_urls.{provider}=https://…`"
    )


def _refuse(message: str) -> NoReturn:
    raise UnusableProviderError(clean(message))


def _find_entry(config: Mapping[str, Any], field: str, name: str) -> Any:
    entries = config.get(field)
    return entries.get(name) if isinstance(entries, Mapping) else None


def _has_host(url: SplitResult) -> bool:
    host = url.hostname or ""
    if ":" in host:
        return ipaddress.ip_address(host).version == 6
    host.encode().decode("idna")  # refuses labels that are wrongly encoded
    return bool(_HOST.fullmatch(host))


def _is_loopback(url: SplitResult) -> bool:
    try:
        return ipaddress.ip_address(url.hostname or "").is_loopback
    except ValueError:
        return url.hostname == "localhost"

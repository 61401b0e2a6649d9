"""A request to Spectron as a value: what to send, and what the response is read as."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from spectronctl.errors import UsageError
from spectronctl.ground.http_problems import Response

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

EVENT_STREAM = "text/event-stream"
"""The media type of server-sent events."""

_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]*"')


@dataclass(frozen=True)
class Tagged(Generic[T]):
    """
    A response and the version of it that it was: send `etag` as `If-Match`, and no later version is overwritten.

    None where the server names no version, or only a weak one, which guards nothing (RFC 9110, 13.1.1).
    """

    value: T
    etag: str | None


@dataclass(frozen=True)
class Reply:
    """
    A successful response of any shape: `body` is its JSON, the text that it is instead, or None where there is none.

    `headers` ignore case; what they hold of secrets is masked.
    """

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)


@dataclass(frozen=True)
class Part:
    """
    A part of a multipart body: a field, or with a `filename` a file. A path's own name is the filename of its file.

    `content` is text, bytes, a path, or a binary stream, which is read from where it stands and not closed; files are
    read as they are sent. `type` is the media type: without one a file is `application/octet-stream`, a field has none.
    """

    name: str
    content: str | bytes | Path | BinaryIO = field(repr=False)
    filename: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class Request(Generic[T_co]):
    """
    One call. `path` starts at the server's root and is already percent-encoded; parameters that are None are not sent.

    `returns` is the type of the response, `Reply` for one of any shape, None where a body is neither expected nor read;
    with `is_tagged` the response comes as `Tagged`, with `is_optional` a 404 is a response too, None. `content` is the
    body as it is sent, in place of `json` written out, and `parts` make a multipart one in place of both. They may hold
    secrets, so they have no place in the repr.
    """

    method: str
    path: str
    returns: Any
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    parts: Sequence[Part] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_tagged: bool = False
    is_optional: bool = False

    def or_none(self) -> Request[T_co | None]:
        """The same call, where None says that there is no such thing."""
        return replace(self, is_optional=True)

    def with_params(self, **params: Any) -> Request[T_co]:
        """The same call with these parameters set."""
        return replace(self, params={**self.params, **params})

    def with_idempotency_key(self, key: str | None) -> Request[T_co]:
        """
        The same call, carried out once under this key within 24 hours; None leaves it as it is.

        The same body gets the stored response; another one, or the first still in flight, a 409.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        return replace(self, headers={**self.headers, **headers})

    def if_match(self, etag: str | None) -> Request[T_co]:
        """The same call, refused with 412 unless the resource still has this `ETag`; None leaves it as it is."""
        headers = {} if etag is None else {"If-Match": etag}
        return replace(self, headers={**self.headers, **headers})

    def accepting(self, media_type: str) -> Request[T_co]:
        """The same call, asking for a response of this media type, unless it asks for another one itself."""
        # A caller of any request may have set its own, in any case.
        if any(name.lower() == "accept" for name in self.headers):
            return self
        return replace(self, headers={**self.headers, "Accept": media_type})

    @property
    def expects_body(self) -> bool:
        """Whether a response without a body is none."""
        return self.returns not in (None, Reply)

    def read(self, response: Response) -> T_co:
        """Read a successful response; raises pydantic's ValidationError (a ValueError) for another shape."""
        if self.returns is None:
            return None  # type: ignore[return-value]
        if self.returns is Reply:
            return Reply(response.status, response.headers, _parse_any(response))  # type: ignore[return-value]
        # From the bytes: pydantic parses and checks in one pass, with no Python objects of the whole document in
        # between.
        value = _adapter(self.returns).validate_json(response.body)
        return Tagged(value, _parse_tag(response.headers)) if self.is_tagged else value  # type: ignore[return-value]


def _parse_any(response: Response) -> Any:
    if not response.body.strip():
        return None
    try:
        return _adapter(Any).validate_json(response.body)
    except ValidationError:
        # Labelled as JSON it was to be read as such: a truncated document must not pass for text.
        if "json" in response.headers.get("Content-Type", "").lower():
            raise
    return _adapter(str).validate_python(response.body)


def _parse_tag(headers: Mapping[str, str]) -> str | None:
    tag = headers.get("ETag", "")
    return tag if _STRONG_TAG.fullmatch(tag) else None


# Building one takes far longer than using it, and a list uses the same for every page.
@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def path(template: str, **values: str) -> str:
    """
    Fill a path under `/api/v1`, quoting every value so that a name can never change the path.

    UsageError for an empty one: without its last name the path of one thing is that of all of them.
    """
    for name, value in values.items():
        if not value:
            # `DELETE /contexts/` might reach a route of the collection, or be redirected to one.
            raise UsageError(f"{name}: a name is needed, not an empty one")
    # After the quoting a value has no slash, question mark or number sign: it stays one segment.
    quoted = {name: quote_segment(value) for name, value in values.items()}
    return "/api/v1" + template.format(**quoted)


def quote_segment(value: str) -> str:
    """A name as one segment of a path, which it can never leave."""
    if value in {".", ".."}:  # a URL library would resolve these away, quoted or not
        return value.replace(".", "%2E")
    return quote(value, safe="", errors="surrogatepass")  # argv may hold bytes that are no text

"""One call on its way: what is sent at each attempt, what came of it, and what is remembered between attempts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any, Generic, TypeAlias, TypeVar

from spectronctl.api.requests import EVENT_STREAM, READS, Request
from spectronctl.client._httpx import httpx
from spectronctl.client._multipart import Multipart
from spectronctl.client._settings import Settings
from spectronctl.errors import InvalidError
from spectronctl.ground.http_problems import Response
from spectronctl.ground.redaction import MASK, Redaction, find_secrets

T = TypeVar("T")

SECRET_HEADERS = frozenset(
    {"set-cookie", "set-cookie2", "authentication-info", "authorization", "api-key"}
)
"""Headers of a response that hold what lets their holder in."""
MAX_HEADER = 8192

MAX_BYTES = 1 << 27
"""The longest response that is read: many times the longest page that a server has reason to send."""

MAX_ERROR_BYTES = 1 << 17
"""How much is read of a response that tells of a failure."""

ENCODINGS = {"gzip", "deflate", "identity", ""}


class UnreadableError(httpx.DecodingError):
    """A response that is not read to its end: as long, or packed, as no response should be."""


class StrayResponseError(httpx.RemoteProtocolError):
    """A response to another request of ours."""


Outcome: TypeAlias = Response | httpx.RequestError
"""What came of one attempt."""


@dataclass(frozen=True)
class Exchange:
    """One attempt as `--debug` shows it: no header, no body. `status` is None and `error` set without a response."""

    method: str
    path: str
    status: int | None
    seconds: float
    attempt: int
    request_id: str
    error: str | None


class Call(Generic[T]):
    """
    One call over all its attempts. `deadline` and every `now` are seconds on the monotonic clock.

    `may_have_landed` says that an attempt whose response was lost may have been carried out; `events` counts those of a
    stream that has begun, and is None before.
    """

    def __init__(
        self, request: Request[T], settings: Settings, now: float, *, takes_events: bool = False
    ) -> None:
        self.request = request
        self.settings = settings
        self.deadline = now + settings.timeout
        # One id for all attempts, so that a server's log shows them as one call. The part that all calls of a client
        # share tells a response to an earlier call of ours (`check_head`) from an id that a server made up itself.
        self.request_id = f"{settings.token}-{token_hex(8)}"
        self.attempt = 1
        self.may_have_landed = False
        self.events: int | None = None
        self._takes_events = takes_events
        self._url = _build_url(settings.base_url + request.path, request.params)
        self.body = _encode(request)

    @property
    def is_read(self) -> bool:
        return self.request.method in READS

    @property
    def can_be_sent(self) -> bool:
        """Whether the body is there still, or again."""
        return not isinstance(self.body, Multipart) or self.body.can_be_sent

    @property
    def title(self) -> str:
        """The call as messages name it."""
        return f"{self.request.method} {self.request.path}"

    def count_event(self) -> None:
        """Note that one more has come of the stream."""
        self.events = (self.events or 0) + 1

    @property
    def progress(self) -> str:
        """How far a stream came that broke off, as messages end; nothing before one has begun."""
        if self.events is None:
            return ""
        return f"; the stream broke off after {self.events} event{'' if self.events == 1 else 's'}"

    def build_arguments(self, now: float) -> dict[str, Any]:
        """
        What httpx sends at this attempt, beside the body, in no more than the time that is left.

        That bounds all of an ordinary call (`hold_deadline`), and of a stream what comes before it; a stream that has
        begun may be silent for as long as a whole call may take.
        """
        # Not 0: `settimeout(0)` makes a socket non-blocking, and it would fail with EAGAIN in place of a timeout.
        left = max(self.deadline - now, 0.001)
        headers = httpx.Headers(self.settings.headers)
        if self.request.json is not None:
            headers["Content-Type"] = "application/json"
        headers.update(self.request.headers)  # whatever their case
        if isinstance(self.body, Multipart):
            headers.update(self.body.headers)
        headers["X-Request-Id"] = self.request_id
        return {
            "method": self.request.method,
            "url": self._url,
            "headers": headers,
            "timeout": httpx.Timeout(
                left, read=self.settings.timeout if self._takes_events else left
            ),
        }

    def check_head(self, headers: Mapping[str, str]) -> None:
        """Refuse a response before its body: one to another request, or packed as it was not asked for."""
        told = headers.get("X-Request-Id", self.request_id)
        if told != self.request_id and told.startswith(self.settings.token):
            # A proxy that says a response twice puts its connection out of step; a cache says an old one again.
            raise StrayResponseError("the response belongs to another request")
        if headers.get("Content-Encoding", "identity").lower() not in ENCODINGS:
            # Packed twice, a kilobyte can hold a gigabyte.
            raise UnreadableError("the response is compressed in a way that was not requested")

    def is_stream(self, response: httpx.Response) -> bool:
        """Whether this is a success that goes on as a stream of events, where the call takes one."""
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return self._takes_events and response.is_success and kind == EVENT_STREAM

    def is_enough(self, size: int, *, is_success: bool) -> bool:
        """Whether so many bytes of a body will do; UnreadableError for a result that is larger than any should be."""
        if is_success and size > MAX_BYTES:
            raise UnreadableError(f"the response is longer than {MAX_BYTES >> 20} MB")
        return not is_success and size > MAX_ERROR_BYTES

    def build_response(self, response: httpx.Response, body: bytes) -> Response:
        """What came, its body no longer than it may be: packed, a little can hold a lot."""
        kept = body if response.is_success else body[:MAX_ERROR_BYTES]
        return Response(response.status_code, response.headers, kept)

    def describe_attempt(self, outcome: Outcome | httpx.Response, seconds: float) -> Exchange:
        status, error = None, None
        if isinstance(outcome, Response):
            status = outcome.status
        elif isinstance(outcome, httpx.Response):
            status = outcome.status_code
        else:
            error = self.redact(f"{type(outcome).__name__}: {outcome}")
        return Exchange(
            method=self.request.method,
            path=self.request.path,
            status=status,
            seconds=seconds,
            attempt=self.attempt,
            request_id=self.request_id,
            error=error,
        )

    def mask_headers(self, response: Response) -> Response:
        """The response with headers that are fit to be shown."""
        # httpx writes a str as ASCII unless it is told otherwise, and raises UnicodeEncodeError for a header that is
        # more.
        shown = {
            name: MASK if name in SECRET_HEADERS else self.redact(value, limit=MAX_HEADER)
            for name, value in response.headers.items()
        }
        return replace(response, headers=httpx.Headers(shown, encoding="utf-8"))

    def redact(self, text: str, **limit: int) -> str:
        """Foreign text, fit to be shown: one line, capped, without the key and the secrets in the body."""
        secrets = (*self.settings.secrets, *find_secrets(self.request.json))
        return Redaction(secrets).apply(text, **limit)


def _build_url(url: str, params: Mapping[str, Any]) -> httpx.URL:
    given = {name: value for name, value in params.items() if value is not None}
    try:
        # An empty `params` would drop the query that is part of the path already.
        return httpx.URL(url, params=given) if given else httpx.URL(url)
    except (httpx.InvalidURL, UnicodeEncodeError) as exc:
        raise InvalidError(f"the request has no valid address: {exc}") from None


def _encode(request: Request[Any]) -> bytes | Multipart | None:
    if request.parts:
        return Multipart(request.parts)
    if request.content is not None or request.json is None:
        return request.content
    try:
        # Without `allow_nan` Python writes NaN and Infinity, which no other parser takes. `ensure_ascii` would hide a
        # lone surrogate as an escape; so it fails here, before anything is sent.
        text = json.dumps(request.json, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as exc:
        problem = exc.reason if isinstance(exc, UnicodeEncodeError) else exc
    # Outside of the `except`: UnicodeEncodeError holds the whole text, secrets included, and would be in the
    # traceback.
    raise InvalidError(f"the request's body cannot be written as JSON: {problem}")

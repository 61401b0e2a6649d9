"""A request to Spectron as a value: what to send, and what the answer is read as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Request(Generic[T_co]):
    """
    One call. `path` starts at the server's root and is already percent-encoded; parameters that are None are not sent.

    `returns` is the type of the answer, None where a body is neither expected nor read. `json` may hold secrets, so it
    has no place in the repr.
    """

    method: str
    path: str
    returns: Any
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_params(self, **params: Any) -> Request[T_co]:
        """The same call with these parameters set."""
        return replace(self, params={**self.params, **params})

    def with_idempotency_key(self, key: str | None) -> Request[T_co]:
        """
        The same call, carried out once under this key within 24 hours; None leaves it as it is.

        The same body gets the stored answer; another one, or the first still in flight, a 409 (contract).
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        return replace(self, headers={**self.headers, **headers})

    def read(self, body: bytes) -> T_co:
        """Read a successful answer; pydantic's ValidationError (a ValueError) says that it is not what was expected."""
        if self.returns is None:
            return None  # type: ignore[return-value]
        return _adapter(self.returns).validate_json(body)  # type: ignore[no-any-return]


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def path(template: str, **values: str) -> str:
    """Fill a path under `/api/v1`, quoting every value so that a name can never change the path."""
    quoted = {name: _quote_segment(value) for name, value in values.items()}
    return "/api/v1" + template.format(**quoted)


def _quote_segment(value: str) -> str:
    if value in {".", ".."}:  # a URL library would resolve these away, quoted or not
        return value.replace(".", "%2E")
    return quote(value, safe="", errors="surrogatepass")  # argv may hold bytes that are no text

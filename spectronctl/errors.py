"""
Every failure spectronctl reports, its kind and the exit code it ends in:

    SpectronctlError                unknown         1
     ├─ UsageError                  usage           2
     ├─ DeclinedError               declined        1
     ├─ ConfigError                 config         11
     ├─ WaitTimeoutError            wait_timeout   10
     └─ RequestError                unknown         1   a request was made, or tried
         ├─ AuthError               auth            3   401, or no key to send
         ├─ ForbiddenError          forbidden       4   403
         ├─ NotFoundError           not_found       5   404
         ├─ ConflictError           conflict        6   409, 412
         │   └─ BusyError           conflict        6   another process is at it right now
         ├─ InvalidError            invalid         7   400, 413, 415, 422
         ├─ RateLimitedError        rate_limited    8   429, after the retries
         ├─ UpstreamError           upstream        9   500, 502, 503, 504, 507, or a response that cannot be read
         ├─ NotAvailableError       not_available   9   501, 405: this server does not offer it
         └─ NetworkError            network         9   no response at all

What other modules derive from these ends in the same kind and exit code. `--help` imports this file, so it imports
nothing of the package.
"""

from __future__ import annotations

from typing import Any, ClassVar

FOUND = 20
"""What ends a command that was asked to tell differences or findings by its exit code."""

INTERRUPTED = 130


class SpectronctlError(Exception):
    """What failed (`message`), what would help (`hint`, `command`) and the names that come near (`candidates`)."""

    kind: ClassVar[str] = "unknown"
    exit_code: ClassVar[int] = 1

    status: int | None = None
    type: str | None = None
    request_id: str | None = None
    retry_after_secs: float | None = None

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        command: str | None = None,
        candidates: tuple[str, ...] | list[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.command = command
        self.candidates = list(candidates)

    def __str__(self) -> str:
        return self.text  # a caller that passes it on may have completed it

    @property
    def text(self) -> str:
        """All that is said of the failure in one line: its meaning, and how it travelled."""
        return self.message

    def to_dict(self) -> dict[str, Any]:
        """The error object of `-o json`: every key is always present."""
        return {
            "kind": self.kind,
            "message": self.text,
            "status": self.status,
            "type": self.type,
            "request_id": self.request_id,
            "hint": self.hint,
            "command": self.command,
            "retry_after_secs": self.retry_after_secs,
            "candidates": self.candidates,
            "exit_code": self.exit_code,
        }


class UsageError(SpectronctlError):
    """The words on the command line do not fit, or a question could not be asked."""

    kind, exit_code = "usage", 2


class DeclinedError(SpectronctlError):
    """A person was asked and said no."""

    kind, exit_code = "declined", 1


class ConfigError(SpectronctlError):
    """The config file, a credential store or the local data cannot be used as it is."""

    kind, exit_code = "config", 11


class WaitTimeoutError(SpectronctlError):
    """A wait gave up; the work goes on."""

    kind, exit_code = "wait_timeout", 10


class RequestError(SpectronctlError):
    """
    A request was made, or tried.

    `status` is the HTTP status, None without a response. `outcome_unknown` is True when a write may have been applied
    although no usable response came back: it must be settled by reading, never by sending it again. `http` is how it
    travelled, such as `404 GET /api/v1/contexts/acme-prod`: what it means is in the message, and comes first.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        type: str | None = None,
        request_id: str | None = None,
        retry_after_secs: float | None = None,
        outcome_unknown: bool = False,
        http: str | None = None,
        hint: str | None = None,
        command: str | None = None,
        candidates: tuple[str, ...] | list[str] = (),
    ) -> None:
        super().__init__(message, hint=hint, command=command, candidates=candidates)
        self.status = status
        self.type = type
        self.request_id = request_id
        self.retry_after_secs = retry_after_secs
        self.outcome_unknown = outcome_unknown
        self.http = http

    @property
    def text(self) -> str:
        return f"{self.message} ({self.http})" if self.http else self.message


class AuthError(RequestError):
    """401: no key, or not one this server accepts here."""

    kind, exit_code = "auth", 3


class ForbiddenError(RequestError):
    """403: the key is known and may not do this."""

    kind, exit_code = "forbidden", 4


class NotFoundError(RequestError):
    """404: nothing under that name."""

    kind, exit_code = "not_found", 5


class ConflictError(RequestError):
    """409 or 412: taken, in use, or changed meanwhile."""

    kind, exit_code = "conflict", 6


class BusyError(ConflictError):
    """Another process of this machine is at work on the same thing right now."""


class InvalidError(RequestError):
    """400, 413, 415 or 422: the server rejects what was asked."""

    kind, exit_code = "invalid", 7


class RateLimitedError(RequestError):
    """429, after the retries."""

    kind, exit_code = "rate_limited", 8


class UpstreamError(RequestError):
    """A 5xx response, or one that cannot be read as Spectron's."""

    kind, exit_code = "upstream", 9


class NotAvailableError(RequestError):
    """This server does not offer the call: 501, or 405."""

    kind, exit_code = "not_available", 9


class NetworkError(RequestError):
    """No response: nothing listens there, TLS failed, the connection broke, or the time ran out."""

    kind, exit_code = "network", 9

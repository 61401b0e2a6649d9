"""What the server refuses, as an exception that becomes a response of RFC 7807."""

from __future__ import annotations

from http import HTTPStatus

from spectronctl.server.database import errors


class ProblemError(Exception):
    """
    A response other than success. `detail` is shown to the caller, so it never holds a secret.

    `reason` is for the log alone: which of the causes it was that one and the same response has.
    """

    def __init__(
        self,
        status: HTTPStatus,
        slug: str,
        detail: str,
        *,
        retry_after: int | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.retry_after = retry_after
        self.reason = reason


def invalid(detail: str) -> ProblemError:
    """400: a field has the wrong shape; the detail names it."""
    return ProblemError(HTTPStatus.BAD_REQUEST, "invalid", detail)


def unauthorized(detail: str, *, reason: str) -> ProblemError:
    """401: no usable key."""
    return ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, reason=reason)


def forbidden(detail: str, *, reason: str = "not allowed") -> ProblemError:
    """403: a good key that may not do this."""
    return ProblemError(HTTPStatus.FORBIDDEN, "forbidden", detail, reason=reason)


def not_found(detail: str) -> ProblemError:
    """404."""
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", detail)


def conflict(detail: str) -> ProblemError:
    """409: taken, or in use."""
    return ProblemError(HTTPStatus.CONFLICT, "conflict", detail)


def reserved(detail: str) -> ProblemError:
    """422: well formed, but reserved or meaningless."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "reserved", detail)


def unusable(detail: str) -> ProblemError:
    """422: the context's configuration names what cannot be used."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "unusable", detail)


def not_implemented(detail: str) -> ProblemError:
    """501: documented, and not offered by this server."""
    return ProblemError(HTTPStatus.NOT_IMPLEMENTED, "not-implemented", detail)


def models_blocked() -> ProblemError:
    """429: the operator has stopped what costs tokens; without a time to wait, since only the operator ends it."""
    detail = "the operator has blocked models for this context (enforcement_blocked)"
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "rate-limited", detail)


def unavailable(detail: str) -> ProblemError:
    """503: try again later."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, retry_after=1)


_OF_DATABASE = {
    errors.UnstorableError: (HTTPStatus.BAD_REQUEST, "invalid"),
    errors.ReservedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "reserved"),
    errors.GoneError: (HTTPStatus.NOT_FOUND, "not-found"),
    errors.TakenError: (HTTPStatus.CONFLICT, "conflict"),
    errors.LastError: (HTTPStatus.CONFLICT, "conflict"),
    errors.ChangedError: (HTTPStatus.PRECONDITION_FAILED, "precondition-failed"),
    errors.ReusedKeyError: (HTTPStatus.CONFLICT, "idempotency-key-reused"),
    errors.InFlightError: (HTTPStatus.CONFLICT, "idempotency-key-in-flight"),
    errors.DiskError: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    errors.FullError: (HTTPStatus.INSUFFICIENT_STORAGE, "insufficient-storage"),
    errors.UnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
}


def from_database(error: errors.DatabaseError) -> ProblemError:
    """The response to what the database refuses."""
    # By the very class and not by isinstance: a full disk is a DiskError too, and has a status of its own.
    status, slug = _OF_DATABASE[type(error)]
    return ProblemError(status, slug, error.detail, retry_after=error.retry_after)

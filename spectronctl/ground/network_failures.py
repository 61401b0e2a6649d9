"""Why a connection came to nothing: the system's reason, under what a library made of it."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator


def is_tls_failure(failure: BaseException) -> bool:
    return any(isinstance(cause, ssl.SSLError) for cause in find_causes(failure))


def explain_failure(failure: BaseException) -> str:
    """Why, in the system's words, so that every caller says the same whatever the library makes of it."""
    # httpx and httpcore each wrap the failure in one of their own; the system's stands last.
    causes = list(find_causes(failure))
    # These are OSErrors as well, but their numbers are those of OpenSSL and of the resolver: strerror() would give them
    # the text of some other error. A certificate's comes first, as it is an SSLError too.
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or cause}"
        if isinstance(cause, socket.gaierror):
            return "its name does not resolve"
    numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]
    return os.strerror(numbers[-1]).lower() if numbers else str(failure) or type(failure).__name__


def find_causes(failure: BaseException) -> Iterator[BaseException]:
    """The failure, what caused it, and so on; of several at once the last."""
    cause: BaseException | None = failure
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        # Where several addresses of a name were tried, each has failed in its own way.
        group = cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        cause = group[-1] if group else cause.__cause__ or cause.__context__

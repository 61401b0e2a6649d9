"""
Writes whose response was lost: what was sent may have been carried out, and must not be sent again unseen.

    try:
        return client.send(request)
    except RequestError as exc:
        return settle(exc, read=..., judge=..., unreadable=...)
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from spectronctl.api.requests import Request
from spectronctl.client import Client
from spectronctl.errors import RequestError, SpectronctlError

Found = TypeVar("Found")
T = TypeVar("T")


@dataclass(frozen=True)
class Advice:
    """What is said of a write that is not known to be done; without a hint the error stays as it came."""

    hint: str | None = None
    command: str | None = None
    candidates: Collection[str] = ()

    def explain(self, lost: RequestError) -> RequestError:
        """The same error with this said of it."""
        if self.hint is not None:
            lost.hint, lost.command = self.hint, self.command
            lost.candidates = list(self.candidates)
        return lost


def is_lost(error: BaseException) -> bool:
    """Whether this is the end of a write that may have been carried out all the same."""
    return isinstance(error, RequestError) and error.outcome_unknown


def settle(
    error: RequestError,
    *,
    read: Callable[[], Found],
    judge: Callable[[Found], T | Advice],
    unreadable: Advice,
) -> T:
    """
    What the lost response would have said, by what is there now.

    `read` asks for that, and `judge` finds the response in it or says why there is none. The error itself is raised
    when nothing was lost; explained by `judge`; or explained by `unreadable`, when reading fails too.
    """
    if not is_lost(error):
        raise error
    try:
        found = read()
    except SpectronctlError:
        raise unreadable.explain(error) from None
    # Outside of the `try`: judging may send a request of its own, and its failure says more than "cannot be read".
    verdict = judge(found)
    if isinstance(verdict, Advice):
        raise verdict.explain(error) from None
    return verdict


def explain_loss(error: RequestError, advice: Advice) -> RequestError:
    """The error to raise where nothing can be read back, as a secret cannot."""
    return advice.explain(error) if is_lost(error) else error


def send_until_response(
    client: Client,
    request: Request[T],
    *,
    attempts: int,
    on_loss: Callable[[], object] = lambda: None,
) -> T:
    """Send what may be carried out more than once, until a response comes; the last loss is raised."""
    # The last attempt stands below, outside: its loss is raised as it is.
    for _ in range(attempts - 1):
        try:
            return client.send(request)
        except RequestError as exc:
            if not is_lost(exc):
                raise
            on_loss()
    return client.send(request)

"""Writes whose answer was lost: what is read back decides, and what is said when nothing can be decided."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from spectronctl.api import contexts
from spectronctl.client import Client
from spectronctl.errors import ConflictError, ForbiddenError, NetworkError, RequestError
from spectronctl.operations.recovery import (
    Advice,
    explain_loss,
    is_lost,
    send_until_response,
    settle,
)
from tests.support.commandline import SENTINEL

UNREADABLE = Advice("Look there.", "spectronctl contexts list")


def lose() -> RequestError:
    return NetworkError("the answer was lost", outcome_unknown=True, hint="as it came")


def refuse() -> Any:
    raise ForbiddenError("no")


def test_what_is_there_is_the_answer() -> None:
    assert settle(lose(), read=lambda: 20, judge=lambda n: n + 1, unreadable=UNREADABLE) == 21


def test_what_failed_for_certain_is_raised_and_nothing_is_read() -> None:
    failure = ConflictError("taken", hint="as it came")
    with pytest.raises(ConflictError) as raised:
        settle(failure, read=refuse, judge=lambda _: 1, unreadable=UNREADABLE)
    assert (raised.value, failure.hint) == (failure, "as it came")
    assert (explain_loss(failure, UNREADABLE), failure.hint) == (failure, "as it came")


def test_a_loss_that_cannot_be_settled_is_explained() -> None:
    lost = lose()
    with pytest.raises(NetworkError) as raised:
        settle(lost, read=refuse, judge=lambda _: 1, unreadable=UNREADABLE)
    assert raised.value is lost
    assert (lost.hint, lost.command) == ("Look there.", "spectronctl contexts list")

    advice = Advice("Another one is there.", candidates=["cak_1"])
    with pytest.raises(NetworkError):
        settle(lost, read=lambda: None, judge=lambda _: advice, unreadable=UNREADABLE)
    assert (lost.hint, lost.command, lost.candidates) == ("Another one is there.", None, ["cak_1"])
    assert explain_loss(lost, UNREADABLE).hint == "Look there."


def test_without_a_hint_the_loss_stays_as_it_came() -> None:
    with pytest.raises(NetworkError) as raised:
        settle(lose(), read=refuse, judge=lambda _: 1, unreadable=Advice())
    assert raised.value.hint == "as it came"


def test_what_fails_in_judging_is_not_taken_for_a_failure_to_read() -> None:
    with pytest.raises(ForbiddenError):
        settle(lose(), read=lambda: None, judge=lambda _: refuse(), unreadable=UNREADABLE)


@pytest.mark.parametrize(("losses", "sent"), [(0, 1), (1, 2), (2, 3)])
def test_a_write_that_may_be_repeated_is_sent_until_there_is_an_answer(
    losses: int, sent: int
) -> None:
    asked, noted = [], []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) <= losses:
            raise httpx.ReadError("connection reset", request=request)
        return httpx.Response(200, json={"id": "acme", "namespace": "n", "database": "d"})

    client = Client("http://a.test", api_key=SENTINEL, transport=httpx.MockTransport(answer))
    request = contexts.create_context("acme", namespace="n", database="d")
    found = send_until_response(client, request, attempts=3, on_loss=lambda: noted.append(1))
    assert (found.id, len(asked), len(noted)) == ("acme", sent, losses)


def test_the_last_loss_and_any_refusal_are_raised() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) < 3:
            raise httpx.ReadError("connection reset", request=request)
        return httpx.Response(403, json={"message": "no"})

    client = Client("http://a.test", api_key=SENTINEL, transport=httpx.MockTransport(answer))
    request = contexts.create_context("acme", namespace="n", database="d")
    with pytest.raises(RequestError) as raised:
        send_until_response(client, request, attempts=2)
    assert is_lost(raised.value)
    with pytest.raises(ForbiddenError):
        send_until_response(client, request, attempts=2)
    assert len(asked) == 3

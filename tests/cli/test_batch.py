"""Work for many things at once: outcomes in order, too many failures, and what is said of those that failed."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from threading import Event
from typing import Any

import pytest

from spectronctl.cli.batch import Batch, Outcome
from spectronctl.cli.runtime import Runtime
from spectronctl.errors import ConflictError, SpectronctlError
from spectronctl.output.streams import Streams
from tests.support.commandline import CommandLine
from tests.support.server import Server


@pytest.fixture
def rt() -> Runtime:
    return Runtime(env={}, streams=Streams(StringIO(), StringIO(), StringIO(), {}))


def parse_messages(rt: Runtime) -> str:
    return rt.streams.stderr.getvalue()  # type: ignore[attr-defined, no-any-return]


def make_batch(work: Callable[[int], int], **settings: Any) -> Batch[int, int]:
    def say(outcome: Outcome[int, int]) -> str:
        return f"{outcome.item}: {outcome.error or outcome.result}"

    return Batch(
        work=work,
        label="done",
        plural="numbers",
        say=say,
        after_interrupt=lambda outcomes: f"interrupted with {len(outcomes)}",
        **{"parallel": 4, **settings},
    )


def refuse_odd(number: int) -> int:
    if number % 2:
        raise ConflictError(f"{number} is odd")
    return number * 10


def test_every_item_has_its_outcome_in_order_whichever_fails(rt: Runtime) -> None:
    batch = make_batch(refuse_odd, retry=lambda outcome: f"spectronctl redo {outcome.item}")
    outcomes = batch.run(rt, range(4))
    assert [(each.result, str(each.error or "")) for each in outcomes] == [
        (0, ""),
        (None, "1 is odd"),
        (20, ""),
        (None, "3 is odd"),
    ]
    assert "done: 4 of 4" in parse_messages(rt)
    with pytest.raises(SpectronctlError, match="2 of 4 numbers failed") as raised:
        batch.raise_failures(outcomes, advice="Nothing else.")
    assert raised.value.hint == (
        "1: 1 is odd; try: spectronctl redo 1\n3: 3 is odd; try: spectronctl redo 3\nNothing else."
    )


def test_without_a_failure_nothing_is_raised_and_none_is_too_few(rt: Runtime) -> None:
    batch = make_batch(refuse_odd)
    batch.raise_failures(batch.run(rt, [2, 4]))
    assert batch.run(rt, []) == []


def test_after_too_many_failures_no_more_are_begun(rt: Runtime) -> None:
    batch = make_batch(refuse_odd, parallel=1, max_failures=2)
    outcomes = batch.run(rt, [1, 2, 3, 4, 5])
    assert [each.is_begun for each in outcomes] == [True, True, True, False, False]
    assert [each.error is None for each in outcomes[3:]] == [True, True]
    with pytest.raises(SpectronctlError) as raised:
        batch.raise_failures(outcomes)
    assert raised.value.message == "2 of 5 numbers failed, 2 were not begun"
    assert raised.value.hint == "1: 1 is odd\n3: 3 is odd"


def test_an_interrupt_stops_what_looks_and_begins_no_more(rt: Runtime) -> None:
    begun: list[int] = []
    is_under_way = Event()

    def work(number: int) -> int:
        begun.append(number)
        if number == 1:
            assert is_under_way.wait(10)
            raise KeyboardInterrupt
        is_under_way.set()
        assert batch.stopped.wait(10)
        raise SpectronctlError("interrupted")

    batch = make_batch(work, parallel=2)
    with pytest.raises(KeyboardInterrupt):
        batch.run(rt, [1, 2, 3, 4, 5, 6])
    assert {1, 2} <= set(begun)
    assert len(begun) <= 3
    assert "interrupted with 6" in parse_messages(rt)


LIMITED = [
    "keys rotate --older-than 0s --yes --overlap 1h --secret-file '{home}/{{name}}.key' --limit 1",
    "keys delete one two --yes --limit 1",
    "contexts delete acme-prod other --yes --limit 1",
    "lifecycle decay acme-prod other --yes --limit 1",
]


@pytest.mark.parametrize("line", LIMITED)
def test_a_limit_chooses_nothing_that_is_changed(
    acme: CommandLine, server: Server, line: str
) -> None:
    for name in ("one", "two"):
        assert acme(f"keys create {name} --secret-file {acme.home}/{name}.key").code == 0
    assert acme("contexts create other --namespace n --database d").code == 0
    server.asked()
    error = acme(line.format(home=acme.home) + " -o json").error
    assert (error["exit_code"], "--limit" in error["message"]) == (2, True), error
    assert all(request.startswith("GET") for request in server.asked())

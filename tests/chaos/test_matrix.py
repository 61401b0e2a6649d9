"""Every command of the tree, and every fault of the network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import pytest

from spectronctl.cli._tree import Node
from tests.cli.test_failures import ERROR_KEYS, EXIT_CODES
from tests.support.command_tree import DIAGNOSES, ONLINE, name_of
from tests.support.commandline import Result
from tests.support.proxies import Exchange, Fault
from tests.support.scenes import State, World, find_error
from tests.support.soak import SOAK

FAULTS: tuple[Fault, ...] = get_args(Fault)

BEARABLE: set[Fault] = {"delayed", "answered twice"}
"""Faults that a read does not notice, however often they come."""

PASSING: set[Fault] = {
    "refused",
    "reset before",
    "reset after",
    "closed",
    "truncated",
    "429",
    "502",
    "503",
    "page 502",
}
"""Faults that a read survives when they come once."""

HOLDING: set[Fault] = {"no answer", "stalled"}
"""Faults that only the timeout ends."""

LOST: tuple[Fault, ...] = ("reset after", "closed")
"""Faults after which the server has received the request, and the client cannot know."""

PATIENCE = 8
"""Retries where no server listens for a while: on a busy machine that may be a long while."""

TIMEOUT = 0.6
MARGIN = 2.0
"""Seconds: of each call, and beyond those of all calls together, on a busy machine."""

MAX_REQUESTS = 4
"""How many requests of a command are spoiled, one after the other, from the first on."""

MAX_DIAGNOSIS_SECS = 15.0
"""Seconds: a diagnosis looks at what holds it up for longer."""

REFUSED: dict[tuple[str, ...], int] = {("lifecycle", "jobs", "cancel"): 6}
"""Commands that the server refuses here, with their exit code: the job is over. All others succeed."""

WRITES = {"POST", "PUT", "PATCH"}

UNSURE = re.compile(
    "may have been carried out|may not have been applied|is unknown|its secret is lost"
    "|old secret may be dead|By now|is left until|may still come"
)
"""What an error says when the state is not known, or not all was done."""


@dataclass(frozen=True)
class Rehearsal:
    """A command without a fault."""

    result: Result
    exchanges: list[Exchange]
    after: State

    @property
    def writes(self) -> list[int]:
        """The numbers of the requests that change something."""
        return [n for n, exchange in enumerate(self.exchanges) if exchange.method != "GET"]


@dataclass(frozen=True)
class Case:
    """A fault that request `number` of a command meets, or every request with number None."""

    node: Node
    fault: Fault
    number: int | None

    def __str__(self) -> str:
        when = "always" if self.number is None else f"request {self.number}"
        return f"{name_of(self.node)}-{self.fault}-{when}"


When = Literal["early", "writing", "always", "whenever"]


def choose_sample() -> Iterator[tuple[Node, Fault, When]]:
    """Three faults for every command: early, for good, and after its last write, whose answer is lost."""
    for index, node in enumerate(ONLINE):
        yield node, FAULTS[2 * index % len(FAULTS)], "early"
        yield node, FAULTS[(2 * index + 1) % len(FAULTS)], "always"
        yield node, LOST[index % len(LOST)], "writing"


def list_all() -> Iterator[tuple[Node, Fault, When]]:
    """The whole matrix."""
    yield from ((node, fault, "whenever") for node in ONLINE for fault in FAULTS)


def list_numbers(when: When, rehearsal: Rehearsal) -> list[int | None]:
    """Which requests are spoiled, one after the other; None is all of them at once."""
    requests = len(rehearsal.exchanges)
    numbers: dict[When, list[int | None]] = {
        "early": [0],
        "writing": [max(rehearsal.writes, default=requests - 1)],
        "always": [None],
        "whenever": [None, *range(min(requests, MAX_REQUESTS))],
    }
    return numbers[when]


class Stage:
    """Plays cases in a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rehearsals: dict[tuple[str, ...], Rehearsal] = {}

    def rehearse(self, node: Node) -> Rehearsal:
        """The command without a fault, once."""
        if node.path not in self._rehearsals:
            scene = self._world.prepare(node)
            self._world.proxy.exchanges.clear()
            result = scene.play("")
            exchanges = list(self._world.proxy.exchanges)
            after = self._world.look()
            assert result.code == REFUSED.get(node.path, 0), result.err
            assert exchanges
            self._rehearsals[node.path] = Rehearsal(result, exchanges, after)
        return self._rehearsals[node.path]

    def play(self, case: Case) -> None:
        """The command with its fault, and everything that must hold."""
        rehearsal = self.rehearse(case.node)
        scene, proxy = self._world.prepare(case.node), self._world.proxy
        timeout = TIMEOUT if case.fault in HOLDING else 20
        retries = PATIENCE if case.fault == "refused" and case.number is not None else 3
        proxy.spoil(case.number or 0, case.fault, always=case.number is None)
        began = time.monotonic()
        result = scene.play(f"--timeout {timeout}s --retries {retries}")
        took = time.monotonic() - began
        proxy.heal()
        assert len(proxy.exchanges) > (case.number or 0) or case.fault == "refused", (
            "it met nothing"
        )
        calls = {
            exchange.headers.get("x-request-id", number)
            for number, exchange in enumerate(proxy.exchanges)
        }
        limit = MAX_DIAGNOSIS_SECS if case.node.path in DIAGNOSES else 3
        assert took < max(limit, TIMEOUT * len(calls) * (case.fault in HOLDING)) + MARGIN
        check_form(case, result)
        check_no_write_is_repeated(proxy.exchanges)
        check_code(case, result, rehearsal)
        check_state(result, scene.before, self._world.look(), rehearsal)


@pytest.fixture(scope="module")
def stage(world: World) -> Stage:
    return Stage(world)


def test_the_sample_covers_every_command_and_every_fault() -> None:
    sample = list(choose_sample())
    assert {node.path for node, _, _ in sample} == {node.path for node in ONLINE}
    assert {fault for _, fault, _ in sample} == set(FAULTS)


@pytest.mark.parametrize(
    ("node", "fault", "when"),
    list(list_all() if SOAK else choose_sample()),
    ids=lambda value: name_of(value) if isinstance(value, Node) else value,
)
def test_a_command_meets_a_fault(
    node: Node,
    fault: Fault,
    when: When,
    stage: Stage,
    record_property: Callable[[str, object], None],
) -> None:
    failed = {}
    numbers = list_numbers(when, stage.rehearse(node))
    for number in numbers:
        case = Case(node, fault, number)
        try:
            stage.play(case)
        except AssertionError as exc:
            failed[str(case)] = str(exc)
    if SOAK:
        record_property("figures", f"chaos: {name_of(node)}, {fault}: {len(numbers)} cases")
    assert failed == {}


def check_form(case: Case, result: Result) -> None:
    assert result.code in EXIT_CODES
    assert "Traceback" not in result.err
    assert "This is a defect" not in result.err
    if result.code == 0 or case.node.path in DIAGNOSES:
        return
    assert result.out == ""
    error = find_error(result)
    assert set(error) == ERROR_KEYS
    assert error["exit_code"] == result.code


def check_no_write_is_repeated(exchanges: list[Exchange]) -> None:
    """Not even where the server never received it: the client cannot know that. A key of idempotency makes it safe."""
    written = [
        (exchange.method, exchange.path, exchange.body)
        for exchange in exchanges
        if exchange.method in WRITES and "idempotency-key" not in exchange.headers
    ]
    assert len(written) == len(set(written))


def check_code(case: Case, result: Result, rehearsal: Rehearsal) -> None:
    is_survived = case.fault == "delayed" or (
        not rehearsal.writes
        and (case.fault in BEARABLE or (case.number is not None and case.fault in PASSING))
    )
    if case.node.path in DIAGNOSES:
        return
    if is_survived or result.code == 0:
        answer = rehearsal.result.code, rehearsal.result.out
        assert (result.code, result.out) == answer, result.err
    else:
        codes = {9, rehearsal.result.code} | ({8} if case.fault == "429" else set())
        assert result.code in codes, result.err


def check_state(result: Result, before: State, after: State, rehearsal: Rehearsal) -> None:
    if result.code == rehearsal.result.code:
        assert after == rehearsal.after
        return
    if len(rehearsal.writes) == 1:
        assert after in (before, rehearsal.after), "half of it was done"
    if result.out:  # a diagnosis, which changes nothing
        assert after == before
        return
    error = find_error(result)
    told = f"{error['message']} {error['hint']} {error['command']}"
    if not UNSURE.search(told):
        assert after == before, told

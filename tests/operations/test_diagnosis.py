"""The order of checks: what is skipped, what goes on, what is bounded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn

from spectronctl.errors import ConfigError, NetworkError
from spectronctl.operations.diagnosis import Check, Finding, Result, diagnose


def run(*checks: Check, limit: float = 5.0) -> dict[str, Result]:
    return {result.check: result for result in diagnose(checks, lambda: limit)}


def fine() -> Finding:
    return Finding("fine")


def linger(seconds: float) -> Callable[[], Finding]:
    def look() -> Finding:
        time.sleep(seconds)
        return fine()

    return look


def fail(error: Exception) -> Callable[[], Finding]:
    def look() -> NoReturn:
        raise error

    return look


def test_what_needs_a_failure_is_skipped_and_names_its_root() -> None:
    found = run(
        Check("a", fail(ConfigError("broken", hint="mend it", command="mend a"))),
        Check("b", fine, ("a",)),
        Check("c", fine, ("b",)),
        Check("d", fine),
        Check("e", fine, ("d",)),
    )
    assert found["a"].to_dict() | {"seconds": 0} == {
        "check": "a",
        "status": "failed",
        "detail": "broken",
        "hint": "mend it",
        "command": "mend a",
        "exit_code": 11,
        "seconds": 0,
        "facts": {},
    }
    assert [found[name].finding.detail for name in "bc"] == ["needs a, which failed"] * 2
    assert [found[name].seconds is None for name in "bcde"] == [True, True, False, False]
    assert [found[name].finding.status for name in "de"] == ["ok", "ok"]


def test_a_warning_and_a_check_that_skips_itself_take_nothing_away() -> None:
    found = run(
        Check("a", lambda: Finding("not in play", "skipped")),
        Check("b", lambda: Finding("careful", "warning"), ("a",)),
        Check("c", fine, ("a", "b")),
    )
    assert found["c"].finding.status == "ok"


def test_a_failure_may_bring_facts() -> None:
    error = NetworkError("no")
    found = run(Check("a", lambda: Finding.of(error, {"tried": 2})), Check("b", fine, ("a",)))
    assert found["a"].error is error
    assert found["a"].to_dict()["facts"] == {"tried": 2}
    assert found["b"].finding.status == "skipped"


def test_a_defect_of_ours_stops_no_other_check_and_shows_nothing() -> None:
    found = run(Check("a", fail(RuntimeError("a secret"))), Check("b", fine))
    assert found["a"].finding.detail == "unexpected RuntimeError inside spectronctl"
    assert found["a"].to_dict()["exit_code"] == 1
    assert found["b"].finding.status == "ok"


def test_a_check_that_hangs_is_left_behind() -> None:
    started = time.monotonic()
    found = run(Check("a", linger(10)), Check("b", fine), limit=1)
    assert time.monotonic() - started < 8
    assert (found["a"].finding.detail, found["a"].to_dict()["exit_code"]) == (
        "no result within 1 s",
        9,
    )
    assert found["b"].finding.status == "ok"


def test_a_check_that_waits_for_a_person_is_not_hurried() -> None:
    patient = Check("a", linger(1.2), bounded=False)
    assert run(patient, limit=0.01)["a"].finding.status == "ok"


def test_the_limit_is_asked_for_when_it_is_known() -> None:
    limits = [5.0]

    def shorten() -> Finding:
        limits[0] = 0.05
        return fine()

    checks = [Check("a", shorten), Check("b", linger(10))]
    found = list(diagnose(checks, lambda: limits[0]))
    assert found[1].finding.detail == "no result within 0.05 s"

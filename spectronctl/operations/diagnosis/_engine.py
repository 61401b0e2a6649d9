"""Checks in the order in which they depend on each other: none aborts the others, and none hangs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic
from typing import Any, Literal

from spectronctl.errors import NetworkError, SpectronctlError

Status = Literal["ok", "warning", "failed", "skipped"]

GRACE = 1.0
"""Seconds that a check has to tell by itself, better than we can, that its time ran out."""


@dataclass(frozen=True)
class Finding:
    """What a check has to say: in words, the way out if one is needed, and `facts` for programs."""

    detail: str
    status: Status = "ok"
    hint: str | None = None
    command: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: SpectronctlError | None = None

    @classmethod
    def of(cls, error: SpectronctlError, facts: Mapping[str, Any] | None = None) -> Finding:
        """A failure, and the error that a command would end with."""
        return cls(error.text, "failed", error.hint, error.command, facts or {}, error)


@dataclass(frozen=True)
class Check:
    """
    A look at one thing, once nothing that it `needs` has failed. To raise SpectronctlError is to fail.

    One that may wait for a person, and bounds whatever else it does, is not `bounded`.
    """

    name: str
    run: Callable[[], Finding]
    needs: tuple[str, ...] = ()
    bounded: bool = True


@dataclass(frozen=True)
class Result:
    """What became of a check; `seconds` is None for one that was not run."""

    check: str
    finding: Finding
    seconds: float | None = None

    @property
    def error(self) -> SpectronctlError | None:
        """Why it failed."""
        return self.finding.error

    def to_dict(self) -> dict[str, Any]:
        """As it is shown: every key always present."""
        return {
            "check": self.check,
            "status": self.finding.status,
            "detail": self.finding.detail,
            "hint": self.finding.hint,
            "command": self.finding.command,
            "exit_code": self.error.exit_code if self.error else 0,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "facts": dict(self.finding.facts),
        }


def diagnose(checks: Iterable[Check], read_limit: Callable[[], float]) -> Iterator[Result]:
    """
    Run the checks, and skip those whose ground is gone.

    `read_limit` is asked before each one for how many seconds it may take: the first ones settle that.
    """
    causes: dict[str, str] = {}
    for check in checks:
        cause = next((causes[need] for need in check.needs if need in causes), None)
        if cause is not None:
            # The root is handed down, so a check far behind names what really failed, not the skipped check before
            # it.
            causes[check.name] = cause
            yield Result(check.name, Finding(f"needs {cause}, which failed", "skipped"))
            continue
        started = monotonic()
        finding = _run(check, read_limit())
        if finding.error is not None:
            causes[check.name] = check.name
        yield Result(check.name, finding, monotonic() - started)


def _run(check: Check, limit: float) -> Finding:
    try:
        return _run_bounded(check.run, limit) if check.bounded else check.run()
    except SpectronctlError as exc:
        return Finding.of(exc)
    except Exception as exc:  # noqa: BLE001 - the other checks go on
        return Finding.of(
            SpectronctlError(
                f"unexpected {type(exc).__name__} inside spectronctl",
                hint="This is a defect; please report it.",
            )
        )


def _run_bounded(run: Callable[[], Finding], limit: float) -> Finding:
    """In a thread, since nothing interrupts a resolver or a disk that does not respond."""
    outcome: list[Finding | Exception] = []

    def work() -> None:
        try:
            outcome.append(run())
        except Exception as exc:  # noqa: BLE001 - it belongs to the thread that waits
            outcome.append(exc)

    # A daemon: one that hangs for good must not keep the process from ending.
    thread = Thread(target=work, name="check", daemon=True)
    thread.start()
    thread.join(limit + GRACE)
    if not outcome:
        raise NetworkError(
            f"no result within {limit:g} s", hint="--timeout gives each check more time."
        )
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]

"""Rotations on their way: one, or many at a time, and what is told of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from spectronctl.cli.commands.keys._rotations import (
    STDOUT,
    Rotations,
    describe_rotation,
    find_rotation,
    find_server,
    label_place,
    read_rotations,
    resume_command,
    rotate_command,
)
from spectronctl.cli.commands.keys._view import KEYS, ROTATED, ROTATIONS
from spectronctl.errors import ConfigError, SpectronctlError
from spectronctl.ground.times import format_time
from spectronctl.local.checkpoints import BusyError
from spectronctl.operations.rotations import Rotation
from spectronctl.output.sinks import check_secret_output

if TYPE_CHECKING:
    from spectronctl.models.keys import MintedKey
    from spectronctl.output.sinks import Place


BUSY_SECONDS = 1.0
"""How long another process is given before one looks again."""


@dataclass
class Outcome:
    """What became of one rotation; one that was never begun has neither a key nor an error."""

    rotation: Rotation
    is_begun: bool = False
    minted: MintedKey | None = None
    error: SpectronctlError | None = None


def rotate_one(rotations: Rotations, plan: Rotation, *, wait: bool) -> None:
    """Rotate a key and show the one that has the new secret."""
    rt = rotations.rt
    outcome = Outcome(plan, is_begun=True)

    def show(rotation: Rotation, minted: MintedKey) -> None:
        outcome.minted = minted
        after = Outcome(_foresee(rotation), is_begun=True)
        rt.out.secret({**minted.to_dict(), **_summarise(after)}, ROTATED)

    with _explain_interrupt(rotations, plan):
        try:
            outcome.minted = rotations.begin(plan, show)
        except SpectronctlError as exc:
            if outcome.minted is None or plan.is_open:
                raise
            rt.out.warn(f"the new secret was printed, and could not be tried: {exc.message}")
        _tell(rotations, plan)
        if wait:
            outcome.rotation = wait_for(rotations, plan)
    if {"kind": STDOUT} not in plan.places:
        rt.out.show(_describe(outcome), ROTATED)


@contextmanager
def _explain_interrupt(rotations: Rotations, rotation: Rotation) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if rotation.is_open and rotations.journal.find_path(rotation.id):
            rotations.rt.out.warn(f"interrupted; {resume_command(rotation)} goes on")
        raise


def rotate_many(
    rotations: Rotations,
    plans: Sequence[Rotation],
    *,
    parallel: int,
    max_failures: int,
    wait: bool,
) -> None:
    """Rotate keys, show each with what became of it, and fail when any did."""

    def rotate(outcome: Outcome) -> None:
        outcome.minted = rotations.begin(outcome.rotation)

    outcomes = run_many(
        rotations, plans, rotate, label="rotated", parallel=parallel, max_failures=max_failures
    )
    if wait:
        wait_for_all(rotations, outcomes)
    rotations.rt.out.rows(map(_describe, outcomes), ROTATED)
    raise_failures(outcomes)


def run_many(
    rotations: Rotations,
    plans: Sequence[Rotation],
    work: Callable[[Outcome], None],
    *,
    label: str,
    parallel: int,
    max_failures: int,
) -> list[Outcome]:
    """Do `work` for each, several at a time, until too many have failed; interrupting ends what is under way."""
    outcomes = [Outcome(plan) for plan in plans]

    def run(outcome: Outcome) -> Outcome:
        if sum(each.error is not None for each in outcomes) < max_failures:
            outcome.is_begun = True
            try:
                work(outcome)
            except SpectronctlError as exc:
                outcome.error = exc
        return outcome

    with (
        rotations.rt.out.progress(label, len(plans)) as progress,
        ThreadPoolExecutor(parallel) as pool,
    ):
        try:
            for future in as_completed([pool.submit(run, outcome) for outcome in outcomes]):
                done = future.result()
                if done.is_begun:
                    progress.advance(_say(done))
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            rotations.rt.out.warn("interrupted; spectronctl keys rotations resume goes on")
            raise
    return outcomes


def resume_one(
    runs: Rotations, id: str, places: Sequence[Place], *, reveal: bool, wait: bool
) -> None:
    """Take one rotation further and show it."""
    rt = runs.rt
    printed = False

    def show(rotation: Rotation, minted: MintedKey) -> None:
        nonlocal printed
        printed = True
        after = describe_rotation(_foresee(rotation))
        rt.out.secret({**minted.to_dict(), "rotation": after}, KEYS)

    rotation = find_rotation(runs.journal, id)
    if rotation.needs_secret and not places and {"kind": STDOUT} in rotation.places:
        check_secret_output(rt.streams, reveal=reveal, has_file=False)
    with _explain_interrupt(runs, rotation):
        rotation = runs.resume(id, places=places, show=show)
        if wait:
            rotation = wait_for(runs, rotation)
    rt.out.note(f"Rotation {rotation.id} of key {rotation.name} is {rotation.step}.")
    if not printed:
        rt.out.show(describe_rotation(rotation), ROTATIONS)


def resume_many(runs: Rotations, ids: Sequence[str], *, wait: bool, parallel: int) -> None:
    """Take several rotations further, or all of this server's, and show each."""
    chosen, unreadable = _choose(runs, ids)

    def resume(outcome: Outcome) -> None:
        with suppress(BusyError):  # whoever runs it takes it further
            outcome.rotation = runs.resume(outcome.rotation.id)

    outcomes = run_many(
        runs, chosen, resume, label="resumed", parallel=parallel, max_failures=len(chosen) + 1
    )
    if wait:
        wait_for_all(runs, outcomes)
    runs.rt.out.rows([_describe_resumed(runs, outcome) for outcome in outcomes], ROTATIONS)
    runs.prune()
    raise_failures(outcomes)
    if unreadable:
        raise unreadable[0]


def _choose(runs: Rotations, ids: Sequence[str]) -> tuple[list[Rotation], list[ConfigError]]:
    """The rotations meant, and what keeps others from being read: they do not stop these."""
    if ids:
        return [find_rotation(runs.journal, each) for each in ids], []
    found, unreadable = read_rotations(runs.journal)
    here = find_server(runs.rt)
    return [rotation for rotation in found if rotation.is_open and rotation.url == here], unreadable


def _describe_resumed(runs: Rotations, outcome: Outcome) -> dict[str, Any]:
    if outcome.error:
        outcome.rotation = find_rotation(runs.journal, outcome.rotation.id)
    return describe_rotation(outcome.rotation)


def raise_failures(outcomes: Sequence[Outcome]) -> None:
    """SpectronctlError when any failed, naming each with the command that continues."""
    failed = [outcome for outcome in outcomes if outcome.error]
    if not failed:
        return
    left = sum(not outcome.is_begun for outcome in outcomes)
    raise SpectronctlError(
        f"{len(failed)} of {len(outcomes)} rotations failed"
        + (f", {left} were not begun" if left else ""),
        hint="\n".join(f"{_say(outcome)}; try: {_continue(outcome)}" for outcome in failed),
    )


def wait_for(rotations: Rotations, rotation: Rotation) -> Rotation:
    """Wait until the old key is gone; interrupting leaves it to a later `resume`."""
    while rotation.step == "waiting" and rotation.due_at:
        rotations.rt.out.note(
            f"Waiting until {rotation.due_at}; when interrupted: {resume_command(rotation)}"
        )
        left = datetime.fromisoformat(rotation.due_at) - datetime.now(UTC)
        time.sleep(max(0.0, left.total_seconds()))
        try:
            rotation = rotations.resume(rotation.id)
        except BusyError:  # cron's resume is at it: look again when it is done
            time.sleep(BUSY_SECONDS)
            rotation = find_rotation(rotations.journal, rotation.id)
    if not rotation.is_open:
        rotations.rt.out.note(f"Rotation {rotation.id} is {rotation.step}.")
    return rotation


def wait_for_all(rotations: Rotations, outcomes: Sequence[Outcome]) -> None:
    """Wait for those that went well so far; one that fails now does not keep the others."""
    for outcome in outcomes:
        if outcome.error is None and outcome.is_begun:
            try:
                outcome.rotation = wait_for(rotations, outcome.rotation)
            except SpectronctlError as exc:
                outcome.error = exc
                outcome.rotation = find_rotation(rotations.journal, outcome.rotation.id)


def _tell(rotations: Rotations, rotation: Rotation) -> None:
    where = " and ".join(label_place(place) for place in rotation.places)
    old = f"{rotation.key['name']} ({rotation.key['id']})"
    new = f"{rotation.successor_name} ({rotation.successor_id})"
    how = f"{old} in place" if rotation.method == "in place" else f"{old} to {new}"
    rotations.rt.out.note(f"Rotated key {how}. The secret is in {where}.")
    if rotation.is_open:
        rotations.rt.out.note(
            f"The old key works until {rotation.due_at}; then: {resume_command(rotation)}"
        )


def _foresee(rotation: Rotation) -> Rotation:
    """A rotation as it will be once its secret is printed, which comes before that is noted."""
    due = datetime.now(UTC) + timedelta(seconds=rotation.overlap)
    if rotation.retiring:
        return replace(rotation, step="waiting", due_at=format_time(due))
    return replace(rotation, step="done")


def _describe(outcome: Outcome) -> dict[str, Any]:
    key = outcome.minted.without_secret().to_dict() if outcome.minted else outcome.rotation.key
    return {**key, **_summarise(outcome)}


def _summarise(outcome: Outcome) -> dict[str, Any]:
    rotation = outcome.rotation
    return {
        "rotation": {
            "id": rotation.id,
            "method": rotation.method,
            "step": rotation.step if outcome.is_begun else "planned",
            "replaces": rotation.key,
            "due_at": rotation.due_at,
            "error": outcome.error.message if outcome.error else None,
            "command": _continue(outcome),
        }
    }


def _say(outcome: Outcome) -> str:
    name = outcome.rotation.key["name"]
    return f"{name}: {outcome.error.message}" if outcome.error else name


def _continue(outcome: Outcome) -> str | None:
    rotation = outcome.rotation
    if outcome.error and outcome.error.command:
        return outcome.error.command
    if not outcome.is_begun or outcome.error:
        return rotate_command(rotation)
    return resume_command(rotation) if rotation.is_open else None

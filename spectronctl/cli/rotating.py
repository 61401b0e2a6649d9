"""Rotations as a command line runs them: where they are kept, many at a time, and what is said of each."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from spectronctl.cli.batch import Batch, Outcome
from spectronctl.cli.places import open_places
from spectronctl.errors import SpectronctlError
from spectronctl.ground.times import format_duration, format_time
from spectronctl.local.checkpoints import Journal
from spectronctl.local.locations import expand_home, local_store_url, state_dir
from spectronctl.operations.rotations import Ledger, Rotation, Rotations, Signer

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

R = TypeVar("R")


def open_ledger(rt: Runtime) -> Ledger:
    """The rotations of this user."""
    return Ledger(Journal(state_dir(rt.env) / "rotations"))


def open_rotations(rt: Runtime, *, recover: bool = True) -> Rotations:
    """What rotates keys, with the key of this run; ConfigError when no journal can be written."""
    return Rotations(rt.client, open_ledger(rt), _find_signer(rt), recover=recover)


def _find_signer(rt: Runtime) -> Signer:
    credential = rt.settings.management_credential()
    path = None
    if credential is not None and credential.kind == "file":
        # Compared with the places of a rotation, which are absolute: a journal is resumed from any directory.
        path = os.path.abspath(expand_home(str(credential.value), rt.env))
    return Signer(rt.clients.management_key, path)


def find_server(rt: Runtime) -> str:
    """What tells one server's keys from another's."""
    return local_store_url(rt.env) if rt.settings.is_local else str(rt.settings.url.value)


def list_elsewhere(rt: Runtime, rotations: Iterable[Rotation]) -> list[Rotation]:
    """Those that are under way at other servers."""
    here = find_server(rt)
    return [each for each in rotations if each.is_open and not each.is_at(here)]


def name_elsewhere(rotations: Iterable[Rotation]) -> str:
    """Rotations of other servers, each with what names its server to `keys rotations resume`."""
    return ", ".join(f"{each.name} ({_name_server(each.url)})" for each in rotations)


def _name_server(url: str) -> str:
    if url.startswith(("http://", "https://")):
        return f"--url {shlex.quote(url)}"
    return f"SPECTRONCTL_LOCAL_STORE={shlex.quote(url)}, --profile local"


def note_elsewhere(rt: Runtime, rotations: Iterable[Rotation]) -> None:
    """Say which rotations are under way at other servers: an empty list of this server's would hide them."""
    if others := list_elsewhere(rt, rotations):
        rt.out.note(f"Under way at other servers: {name_elsewhere(others)}.")


def make_batch(
    work: Callable[[Rotation], R], *, label: str, parallel: int, max_failures: int | None = None
) -> Batch[Rotation, R]:
    """Work on many rotations; each that fails is told with the command that goes on."""
    return Batch(
        work=work,
        label=label,
        plural="rotations",
        say=_say,
        retry=find_command,
        after_interrupt=lambda _: "interrupted; spectronctl keys rotations resume goes on",
        parallel=parallel,
        max_failures=max_failures,
    )


def _say(outcome: Outcome[Rotation, Any]) -> str:
    name = outcome.item.key["name"]
    return f"{name}: {outcome.error.message}" if outcome.error else name


def find_command(outcome: Outcome[Rotation, Any]) -> str | None:
    """What is left to be run; None where nothing is."""
    rotation = outcome.item
    if outcome.error and outcome.error.command:
        return outcome.error.command
    if not outcome.is_begun or outcome.error:
        return _format_rotate_command(rotation)
    return rotation.resume_command if rotation.is_open else None


def _format_rotate_command(rotation: Rotation) -> str:
    """What begins such a rotation again; of a command that takes the secret no word is shown."""
    words = ["spectronctl keys rotate", rotation.key["id"], "-c", rotation.context]
    if rotation.method == "overlap":
        lengths = format_duration(rotation.overlap), format_duration(rotation.drain)
        words += ["--overlap", lengths[0], "--drain", lengths[1]]
    if rotation.method == "leaked":
        words.append("--leaked")
    return " ".join([*words, *map(_format_option, rotation.places)])


def _format_option(place: dict[str, Any]) -> str:
    if place["kind"] == "file":
        return f"--secret-file {shlex.quote(place['path'])}"
    if place["kind"] == "variable":
        target = f"{place['path']}:{place['name']}"
        return f"--secret-env-file {shlex.quote(target)}"
    return "--secret-command CMD"


def wait_for(rt: Runtime, rotations: Rotations, rotation: Rotation) -> Rotation:
    """Wait until the old key is gone, and say so."""

    def note(waiting: Rotation) -> None:
        rt.out.note(f"Waiting until {waiting.due_at}; when interrupted: {waiting.resume_command}")

    rotation = rotations.wait_for(rotation, partial(open_places, rt), note)
    if not rotation.is_open:
        rt.out.note(f"Rotation {rotation.id} is {rotation.step}.")
    return rotation


def wait_for_all(
    rt: Runtime, rotations: Rotations, outcomes: Sequence[Outcome[Rotation, Any]]
) -> None:
    """Wait for those that went well so far; one that fails now does not keep the others."""
    for outcome in outcomes:
        if outcome.error is None and outcome.is_begun:
            try:
                # One after the other takes hardly longer than all at once: each overlap counts from its own delivery.
                outcome.item = wait_for(rt, rotations, outcome.item)
            except SpectronctlError as exc:
                outcome.error = exc
                # The error came in place of the rotation: how far it is stands in the journal.
                outcome.item = rotations.ledger.find(outcome.item.id)


@contextmanager
def explain_interrupt(rt: Runtime, rotations: Rotations, rotation: Rotation) -> Iterator[None]:
    """Say how a rotation goes on that is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        # Without a journal nothing was sent, and there is nothing to resume.
        if rotation.is_open and rotations.ledger.keeps(rotation):
            rt.out.leave(f"interrupted; {rotation.resume_command} goes on")
        raise


def foresee(rotation: Rotation, now: datetime) -> Rotation:
    """A rotation as it will be once its secret is printed, which comes before that is noted."""
    due = now + timedelta(seconds=rotation.overlap)
    if rotation.retiring:
        return replace(rotation, step="waiting", due_at=format_time(due))
    return replace(rotation, step="done")

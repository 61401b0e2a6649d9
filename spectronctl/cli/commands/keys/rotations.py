"""`spectronctl keys rotations`"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import SecretOptions
from spectronctl.cli.commands.keys._options import ParallelOption, WaitOption
from spectronctl.cli.commands.keys._view import KEYS, ROTATIONS, describe_rotation
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.errors import ConfigError
    from spectronctl.models.keys import MintedKey
    from spectronctl.operations.rotations import Rotation, Rotations
    from spectronctl.output.sinks import Place

app = App()

RotationArgument = Annotated[
    str, typer.Argument(metavar="ROTATION", help="Use the rotation with this id.")
]


@app.command("list")
def list_all(
    ctx: Context,
    every: Annotated[bool, typer.Option("--all", help="Show finished rotations, too.")] = False,
) -> None:
    """
    List the rotations that this user has under way, from the journal.

    Examples:
      spectronctl keys rotations list
      spectronctl keys rotations list --all -o wide
    """
    from spectronctl.cli.rotating import note_elsewhere, open_ledger

    rt = ctx.runtime
    rt.out.check(ROTATIONS)
    found, unreadable = open_ledger(rt).list_all()
    note_elsewhere(rt, found)
    rows = [describe_rotation(one) for one in found if every or one.is_open]
    rt.out.rows(rows, ROTATIONS)
    if unreadable:  # a script must not take what is left for all there is
        raise unreadable[0]


@app.command("get")
def get_rotation(ctx: Context, rotation: RotationArgument) -> None:
    """
    Show one rotation, from the journal.

    Examples:
      spectronctl keys rotations get rot_20260301T071945_7f3c9e52
    """
    from spectronctl.cli.rotating import open_ledger

    rt = ctx.runtime
    rt.out.check(ROTATIONS)
    rt.out.show(describe_rotation(open_ledger(rt).find(rotation)), ROTATIONS)


@app.command("resume")
def resume_rotations(
    ctx: Context,
    secret: SecretOptions,
    rotations: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ROTATION",
            help="Resume the rotations with these ids; by default all of this server.",
        ),
    ] = None,
    wait: WaitOption = False,
    parallel: ParallelOption = 4,
) -> None:
    """
    Finish what is due: deliver secrets, delete old keys.

    Safe to run at any time, as from cron.

    With --secret-file and the like, secrets not delivered yet go there instead.

    Examples:
      spectronctl keys rotations resume
      spectronctl keys rotations resume rot_20260301T071945_7f3c9e52
    """
    from spectronctl.cli.rotating import open_rotations

    rt = ctx.runtime
    rt.out.check(ROTATIONS)
    places = secret.parse_places(rt.env)
    if places and len(rotations or ()) != 1:
        raise UsageError("to deliver elsewhere, name one ROTATION")
    runs = open_rotations(rt)
    if rotations and len(rotations) == 1:
        _resume_one(rt, runs, rotations[0], places, reveal=secret.reveal, wait=wait)
    else:
        _resume_many(rt, runs, rotations or [], wait=wait, parallel=parallel)


def _resume_one(
    rt: Runtime, runs: Rotations, id: str, places: Sequence[Place], *, reveal: bool, wait: bool
) -> None:
    """Take one rotation further and show it."""
    from spectronctl.cli.places import STDOUT, open_places
    from spectronctl.cli.rotating import explain_interrupt, foresee, wait_for
    from spectronctl.output.sinks import check_secret_output

    printed = False

    def show(rotation: Rotation, minted: MintedKey) -> None:
        nonlocal printed
        printed = True
        after = describe_rotation(foresee(rotation, rt.client.server_time()))
        rt.out.secret({**minted.to_dict(), "rotation": after}, KEYS)

    rotation = runs.ledger.find(id)
    # Asked before the server is: the secret of this step would be minted for a terminal that must not show it.
    if rotation.needs_secret and not places and {"kind": STDOUT} in rotation.places:
        check_secret_output(rt.streams, reveal=reveal, has_file=False)
    elsewhere = [place.to_dict() for place in places]
    with explain_interrupt(rt, runs, rotation):
        rotation = runs.resume(id, partial(open_places, rt, show=show), elsewhere=elsewhere)
        if wait:
            rotation = wait_for(rt, runs, rotation)
    rt.out.note(f"Rotation {rotation.id} of key {rotation.name} is {rotation.step}.")
    if not printed:
        rt.out.show(describe_rotation(rotation), ROTATIONS)


def _resume_many(
    rt: Runtime, runs: Rotations, ids: Sequence[str], *, wait: bool, parallel: int
) -> None:
    """Take several rotations further, or all of this server's, and show each."""
    from spectronctl.cli.places import open_places
    from spectronctl.cli.rotating import make_batch, wait_for_all

    chosen, unreadable = _choose(rt, runs, ids)
    batch = make_batch(
        lambda rotation: runs.resume_idle(rotation, partial(open_places, rt)),
        label="resumed",
        parallel=parallel,
    )
    outcomes = batch.run(rt, chosen)
    for outcome in outcomes:
        # A resume returns the rotation as it left it; an error leaves it to be read from the journal below.
        outcome.item = outcome.result or outcome.item
    if wait:
        wait_for_all(rt, runs, outcomes)
    for outcome in outcomes:
        if outcome.error:
            outcome.item = runs.ledger.find(outcome.item.id)
    rt.out.rows([describe_rotation(outcome.item) for outcome in outcomes], ROTATIONS)
    # Here, since cron runs this command: journals that were over long ago would pile up.
    runs.ledger.prune(rt.client.server_time())
    batch.raise_failures(outcomes)
    if unreadable:
        raise unreadable[0]


def _choose(
    rt: Runtime, runs: Rotations, ids: Sequence[str]
) -> tuple[list[Rotation], list[ConfigError]]:
    """The rotations meant, and what keeps others from being read: they do not stop these."""
    from spectronctl.cli.rotating import find_server, note_elsewhere

    if ids:
        return [runs.ledger.find(each) for each in ids], []
    found, unreadable = runs.ledger.list_all()
    here = find_server(rt)
    note_elsewhere(rt, found)
    return [each for each in found if each.is_open and each.is_at(here)], unreadable


@app.command("abort")
def abort_rotation(ctx: Context, rotation: RotationArgument) -> None:
    """
    Give a rotation up; only an undelivered successor is deleted.

    Examples:
      spectronctl keys rotations abort rot_20260301T071945_7f3c9e52
    """
    from spectronctl.cli.rotating import open_rotations

    rt = ctx.runtime
    rt.out.check(ROTATIONS)
    found, alive = open_rotations(rt).abort(rotation)
    rt.out.done(
        {**describe_rotation(found), "alive": alive},
        ROTATIONS,
        f"Aborted rotation {found.id} of key {found.name}; alive: {', '.join(alive) or 'no key'}.",
    )

"""`spectronctl keys rotations`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import SecretOptions
from spectronctl.cli.commands.keys._options import ParallelOption, WaitOption
from spectronctl.cli.commands.keys._view import ROTATIONS
from spectronctl.errors import ConflictError, UsageError

app = App()

RotationArgument = Annotated[str, typer.Argument(metavar="ROTATION", help="Id of the rotation.")]


@app.command("list")
def list_all(
    ctx: Context,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
) -> None:
    """List the rotations that this user has under way, from the journal."""
    from spectronctl.cli.commands.keys import _rotations as journal

    rt = ctx.runtime
    rt.out.check(ROTATIONS)
    found, unreadable = journal.read_rotations(journal.open_journal(rt))
    for problem in unreadable:
        rt.out.warn(problem.message)
    rows = [journal.describe_rotation(one) for one in found if every or one.is_open]
    rt.out.rows(rows, ROTATIONS)


@app.command("get")
def get_rotation(ctx: Context, rotation: RotationArgument) -> None:
    """Show one rotation, from the journal."""
    from spectronctl.cli.commands.keys import _rotations as journal

    rt = ctx.runtime
    rt.out.check(ROTATIONS)
    found = journal.find_rotation(journal.open_journal(rt), rotation)
    rt.out.show(journal.describe_rotation(found), ROTATIONS)


@app.command("resume")
def resume_rotations(
    ctx: Context,
    secret: SecretOptions,
    rotations: Annotated[
        list[str] | None,
        typer.Argument(metavar="ROTATION", help="Ids; all of this server's by default."),
    ] = None,
    wait: WaitOption = False,
    parallel: ParallelOption = 4,
) -> None:
    """
    Finish whatever is due: deliver secrets, delete keys whose time has come. Safe to run at any time, as from cron.

    With --secret-file and the like, secrets not delivered yet go there instead.
    """
    from spectronctl.cli.commands.keys._rotations import Rotations
    from spectronctl.cli.commands.keys._running import resume_many, resume_one

    rt = ctx.runtime
    rt.out.check(ROTATIONS)
    places = secret.read_places(rt.env)
    if places and len(rotations or ()) != 1:
        raise UsageError("to deliver elsewhere, name one ROTATION")
    runs = Rotations(rt)
    if rotations and len(rotations) == 1:
        resume_one(runs, rotations[0], places, reveal=secret.reveal, wait=wait)
    else:
        resume_many(runs, rotations or [], wait=wait, parallel=parallel)


@app.command("abort")
def abort_rotation(ctx: Context, rotation: RotationArgument) -> None:
    """Give a rotation up: a successor that nobody can hold is deleted, every other key stays."""
    from spectronctl.cli.commands.keys._rotations import Rotations, describe_rotation

    rt = ctx.runtime
    rt.out.check(ROTATIONS)
    runs = Rotations(rt)
    with runs.hold(rotation) as found:
        if not found.is_open:
            raise ConflictError(f"rotation {found.id} is {found.step} already")
        alive = runs.rotator.abort(found)
    rt.out.done(
        {**describe_rotation(found), "alive": alive},
        ROTATIONS,
        f"Aborted rotation {found.id} of key {found.name}; alive: {', '.join(alive) or 'no key'}.",
    )

"""`spectronctl contexts wait`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from spectronctl.cli._reporting import format_command
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import parse_wait_timeout
from spectronctl.cli.commands.contexts._ids import check_id
from spectronctl.cli.commands.contexts._view import CONTEXTS
from spectronctl.cli.seen import forget_context, remember_context
from spectronctl.errors import WaitTimeoutError

app = App()


class Goal(StrEnum):
    """What is waited for."""

    EXISTS = "exists"
    DELETED = "deleted"


@app.command()
def wait_for_context(
    ctx: Context,
    context_id: Annotated[str, typer.Argument(metavar="ID", help="Use the context with this id.")],
    goal: Annotated[
        Goal, typer.Option("--for", help="Wait for this condition.", show_default=True)
    ] = Goal.EXISTS,
    wait_timeout: Annotated[
        str | None,
        typer.Option(
            "--wait-timeout",
            metavar="DURATION",
            help="Wait at most this duration, such as 10m; also for a server that is not up yet.",
        ),
    ] = None,
) -> None:
    """
    Wait until a context exists, or is deleted, and show it.

    A wait that times out exits with code 10. It waits for a server that is down for a while, but not for a refused key.

    Examples:
      spectronctl contexts wait acme-prod --wait-timeout 2m
    """
    from spectronctl.operations import contexts

    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    check_id(context_id)
    timeout = parse_wait_timeout(wait_timeout)
    if rt.settings.is_local:
        timeout = 0.0  # no other process can change the store while this one has it open
    with rt.out.progress(f"waiting for {context_id}") as progress:
        try:
            found = contexts.wait_for_context(
                rt.client,
                context_id,
                goal.value,
                timeout=timeout,
                on_wait=lambda text: progress.reach(0, 1, text),
            )
        except WaitTimeoutError as exc:
            if rt.settings.is_local:
                exc.hint = (
                    "No other process can change the local store while this command has it open."
                )
            else:
                exc.command = format_command(
                    rt, "contexts", "wait", context_id, "--for", goal.value
                )
            raise
    if found is not None:
        remember_context(rt, context_id)
        rt.out.note(f"Context {context_id} is there.")
        rt.out.show(found.to_dict(), CONTEXTS)
    else:
        forget_context(rt, context_id)
        gone = {"id": context_id, "deleted": True}
        rt.out.done(gone, CONTEXTS, f"Context {context_id} is gone.")

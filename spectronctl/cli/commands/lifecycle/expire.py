"""`spectronctl lifecycle expire`"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from spectronctl.api import lifecycle as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.lifecycle._consent import (
    ExpiryConsent,
    count_expiring,
    count_memories,
)
from spectronctl.cli.commands.lifecycle._options import ContextOptions
from spectronctl.cli.commands.lifecycle._view import EXPIRIES, EXPIRY
from spectronctl.cli.contexts import Task, check_contexts, run_in_contexts
from spectronctl.cli.runtime import Runtime

app = App()


@app.command()
def expire_memories(
    ctx: Context,
    chosen: ContextOptions,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show how many memories would expire, and change nothing."),
    ] = False,
    confirm: ConfirmOption = None,
) -> None:
    """
    Expire memories past their time, by category, or count them.

    Examples:
      spectronctl lifecycle expire --dry-run
      spectronctl lifecycle expire acme-prod --yes
    """
    rt = ctx.runtime
    check_contexts(rt, chosen, EXPIRY, EXPIRIES)
    consent = ExpiryConsent(rt, chosen, confirm)
    if not dry_run:
        consent.check()
    # The dry run is the count that the question has, as a command: it changes nothing, so it asks nothing.
    task = Task(
        lambda context: count_expiring(rt, context) if dry_run else _expire(rt, context),
        _say_preview if dry_run else _say,
        command="spectronctl lifecycle expire" + (" --dry-run" if dry_run else ""),
        view=EXPIRY,
        summary=EXPIRIES,
        agree=(lambda contexts: None) if dry_run else consent.ask,
    )
    run_in_contexts(rt, chosen, task)


def _expire(rt: Runtime, context: str) -> dict[str, Any]:
    with open_plane(rt, context) as (client, _):
        return client.send(api.expire_memories(context)).to_dict()


def _say(response: dict[str, Any]) -> str:
    return f"Expired {count_memories(response['affected'])}."


def _say_preview(response: dict[str, Any]) -> str:
    return f"{count_memories(response['affected'])} would expire; nothing was expired."

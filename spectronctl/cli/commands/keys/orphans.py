"""`spectronctl keys orphans`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import keys as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.keys._options import read_duration
from spectronctl.cli.commands.keys._view import ORPHANS
from spectronctl.cli.listing import limit_rows

app = App()


@app.command()
def list_orphans(
    ctx: Context,
    grace: Annotated[
        str,
        typer.Option(
            "--grace",
            metavar="DURATION",
            help="Skip keys made or used within this duration, such as 7d; 0s skips none.",
        ),
    ] = "24h",
) -> None:
    """
    List keys that are probably lost or no longer used, and why.

    Examples:
      spectronctl keys orphans
      spectronctl keys orphans --grace 30d -o name
    """
    from spectronctl.cli.rotating import open_ledger
    from spectronctl.operations import keys

    rt = ctx.runtime
    rt.out.check(ORPHANS)
    seconds = read_duration(grace, "--grace")
    # First: the server's time is known from its response.
    listed = list(rt.client.items(api.list_keys(rt.context)))
    # A successor that is not delivered yet, or an old key in its overlap, looks lost, and must not be deleted.
    busy = open_ledger(rt).list_keys_in_rotation()
    found = keys.find_orphans(listed, rt.client.server_time(), seconds, busy)
    rows = [{**key.to_dict(), "reason": reason} for key, reason in found]
    rt.out.rows(limit_rows(rt, rows), ORPHANS)

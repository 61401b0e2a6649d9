"""`spectronctl sessions list`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import sessions as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._periods import check_period, find_period
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.commands.sessions._view import NO_LIST, SESSIONS
from spectronctl.cli.listing import list_items
from spectronctl.cli.seen import remember_items
from spectronctl.ground.times import format_time

app = App()


@app.command()
def list_sessions(
    ctx: Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Show only sessions created since this time: 7d (ago), or 2026-05-01.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="Show only sessions created until this time: 7d (ago), or 2026-05-01.",
        ),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope", metavar="PATH", help="Show only sessions tagged at or below this path."
        ),
    ] = None,
) -> None:
    """
    List the sessions of a context, oldest first.

    Examples:
      spectronctl sessions list
      spectronctl sessions list --since 7d -o name
    """
    rt = ctx.runtime
    rt.out.check(SESSIONS)
    check_period(since, until)
    with open_plane(rt) as (client, context), explain_missing(NO_LIST):
        first, last = find_period(client, since, until)
        request = api.list_sessions(
            context,
            scope=scope,
            since=format_time(first) if first else None,
            until=format_time(last) if last else None,
        )
        found = list_items(rt, request, client=client)
        is_whole = since is None and until is None and scope is None
        rt.out.rows(
            remember_items(rt, "sessions", found, context=context, is_whole=is_whole), SESSIONS
        )

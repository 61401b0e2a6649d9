"""`spectronctl traces stats`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import traces as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._periods import check_period, find_period
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.commands.traces._options import ScopeOption, SinceOption
from spectronctl.cli.commands.traces._view import NO_TRACES, STATS
from spectronctl.errors import UsageError
from spectronctl.ground.times import format_time

app = App()


@app.command()
def show_stats(
    ctx: Context,
    hours: Annotated[
        int | None,
        typer.Option("--hours", min=1, metavar="N", help="Use the last N hours; by default 24."),
    ] = None,
    since: SinceOption = None,
    scope: ScopeOption = None,
) -> None:
    """
    Show how many queries there were, and how long they took.

    Examples:
      spectronctl traces stats
      spectronctl traces stats --hours 168 -o json
    """
    rt = ctx.runtime
    rt.out.check(STATS)
    if hours is not None and since is not None:
        raise UsageError("--hours and --since both say where to start: give one of them")
    check_period(since, None)
    with open_plane(rt) as (client, context), explain_missing(NO_TRACES):
        first, _ = find_period(client, since, None)
        moment = format_time(first) if first else None
        request = api.get_trace_stats(context, window_hours=hours, since=moment, scope=scope)
        found = client.send(request)
    rt.out.show(found.to_dict(), STATS)

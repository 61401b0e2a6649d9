"""`spectronctl traces list`"""

from __future__ import annotations

from spectronctl.api import traces as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._periods import check_period, find_period
from spectronctl.cli.commands._plane import explain_missing, open_plane
from spectronctl.cli.commands.traces._options import ScopeOption, SinceOption
from spectronctl.cli.commands.traces._view import NO_TRACES, TRACES
from spectronctl.ground.times import format_time

app = App()


@app.command()
def list_traces(ctx: Context, since: SinceOption = None, scope: ScopeOption = None) -> None:
    """
    List the traces of queries, the newest first: at most 500.

    Examples:
      spectronctl traces list --limit 20
      spectronctl traces list --since 1h --scope org/acme
    """
    from spectronctl.api.pages import PAGE_SIZE

    rt = ctx.runtime
    rt.out.check(TRACES)
    check_period(since, None)
    limit = PAGE_SIZE if rt.out.is_sorted else min(rt.settings.limit.value or PAGE_SIZE, PAGE_SIZE)
    with open_plane(rt) as (client, context), explain_missing(NO_TRACES):
        first, _ = find_period(client, since, None)
        request = api.list_traces(
            context, limit=limit, since=format_time(first) if first else None, scope=scope
        )
        found = client.send(request).items
    if len(found) == limit:
        rt.out.remark(f"There may be more: these are the newest {limit}.")
    rt.out.rows((trace.to_dict() for trace in found), TRACES)

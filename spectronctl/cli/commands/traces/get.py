"""`spectronctl traces get`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import traces as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.traces._view import TRACES

app = App()


@app.command()
def get_trace(
    ctx: Context,
    trace: Annotated[
        str,
        typer.Argument(
            metavar="TRACE",
            help="Use the trace with this id: traceId of a response, or X-Trace-Id.",
        ),
    ],
) -> None:
    """
    Show one trace, what it was part of, and what it found.

    Examples:
      spectronctl traces get trace:01JC4YKM3VQ8Z5T2N7XW9RHEA1 -o yaml
    """
    rt = ctx.runtime
    rt.out.check(TRACES)
    with open_plane(rt) as (client, context):
        found = client.send(api.get_trace(context, trace))
    rt.out.show(found.to_dict(), TRACES)

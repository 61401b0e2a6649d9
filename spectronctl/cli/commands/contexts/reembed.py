"""`spectronctl contexts reembed CONTEXT`: the earlier spelling of `spectronctl lifecycle reindex CONTEXT`."""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.lifecycle._contexts import ContextOptions
from spectronctl.cli.commands.lifecycle.reindex import ReindexOptions, reindex

app = App()


@app.command()
def reembed_context(
    ctx: Context,
    context_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the context.")],
    options: ReindexOptions,
) -> None:
    """The earlier spelling of `spectronctl lifecycle reindex`."""
    reindex(ctx.runtime, ContextOptions(contexts=[context_id]), options)

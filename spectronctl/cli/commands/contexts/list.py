"""`spectronctl contexts list`"""

from __future__ import annotations

from spectronctl.api import contexts
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.contexts._view import CONTEXTS
from spectronctl.cli.listing import list_items
from spectronctl.cli.seen import remember_contexts

app = App()


@app.command()
def list_contexts(ctx: Context) -> None:
    """List every context of the server."""
    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    found = list_items(rt, contexts.list_contexts())
    rt.out.rows(remember_contexts(rt, found), CONTEXTS)

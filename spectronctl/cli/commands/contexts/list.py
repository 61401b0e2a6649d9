"""`spectronctl contexts list`"""

from __future__ import annotations

from spectronctl.api import contexts
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.contexts._view import CONTEXTS

app = App()


@app.command()
def list_contexts(ctx: Context) -> None:
    """List every context of the server."""
    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    found = rt.list_items(contexts.list_contexts())
    rt.out.rows(rt.remember_contexts(found), CONTEXTS)

"""`spectronctl contexts get`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import contexts
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.contexts._view import CONTEXTS

app = App()


@app.command()
def get_context(
    ctx: Context,
    context_id: Annotated[str, typer.Argument(metavar="ID", help="Use the context with this id.")],
) -> None:
    """
    Show one context and its configuration.

    Examples:
      spectronctl contexts get acme-prod
      spectronctl contexts get acme-prod --query config -o json
    """
    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    found = rt.client.send(contexts.get_context(context_id))
    rt.out.show(found.to_dict(), CONTEXTS)

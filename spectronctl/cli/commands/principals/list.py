"""`spectronctl principals list`"""

from __future__ import annotations

from spectronctl.api import principals as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.principals._view import PRINCIPALS
from spectronctl.cli.listing import list_items

app = App()


@app.command()
def list_principals(ctx: Context) -> None:
    """
    List the principals of a context, and what each may do.

    Examples:
      spectronctl principals list
      spectronctl principals list --query "[?kind=='agent'].display_name" -o json
    """
    rt = ctx.runtime
    rt.out.check(PRINCIPALS)
    rt.out.rows(list_items(rt, api.list_principals(rt.context)), PRINCIPALS)

"""`spectronctl scopes list`"""

from __future__ import annotations

from spectronctl.api import scopes as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.scopes._view import SCOPES
from spectronctl.cli.listing import list_items
from spectronctl.cli.seen import remember_items

app = App()


@app.command()
def list_scopes(ctx: Context) -> None:
    """
    List the scopes that the key may see, live and tombstoned.

    Examples:
      spectronctl scopes list
      spectronctl scopes list -o json --query '[?!tombstoned_at].path'
    """
    rt = ctx.runtime
    rt.out.check(SCOPES)
    with open_plane(rt) as (client, context):
        found = list_items(rt, api.list_scopes(context), client=client)
        rt.out.rows(remember_items(rt, "scopes", found, context=context, field="path"), SCOPES)

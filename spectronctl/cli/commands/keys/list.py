"""`spectronctl keys list`"""

from __future__ import annotations

from spectronctl.api import keys as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.keys._filters import FilterOptions
from spectronctl.cli.commands.keys._view import KEYS
from spectronctl.cli.listing import list_items
from spectronctl.cli.seen import remember_items

app = App()


@app.command()
def list_keys(ctx: Context, chosen: FilterOptions) -> None:
    """
    List the keys of a context, without secrets.

    Examples:
      spectronctl keys list -c acme-prod
      spectronctl keys list --expiring 7d --columns name,expires_at
    """
    rt = ctx.runtime
    rt.out.check(KEYS)
    wanted = chosen.read()
    # Asked of each key, when a response has told the server's time.
    keep = (lambda key: wanted.keeps(key, rt.client.server_time())) if wanted.is_set else None
    found = list_items(rt, api.list_keys(rt.context), keep)
    found = remember_items(
        rt, "keys", found, context=rt.context, field="name", is_whole=keep is None
    )
    rt.out.rows(found, KEYS)

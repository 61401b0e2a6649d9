"""`spectronctl keys get`"""

from __future__ import annotations

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.keys._options import KeyArgument
from spectronctl.cli.commands.keys._view import KEYS

app = App()


@app.command()
def get_key(ctx: Context, key: KeyArgument) -> None:
    """
    Show one key, without its secret.

    Examples:
      spectronctl keys get app-agent
      spectronctl keys get app-agent -o json --query last_used_at
    """
    from spectronctl.operations import keys

    rt = ctx.runtime
    rt.out.check(KEYS)
    rt.out.show(keys.find_key(rt.client, rt.context, key).to_dict(), KEYS)

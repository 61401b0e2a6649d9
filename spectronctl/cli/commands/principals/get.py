"""`spectronctl principals get`"""

from __future__ import annotations

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.principals._options import PrincipalArgument
from spectronctl.cli.commands.principals._view import PRINCIPALS

app = App()


@app.command()
def get_principal(ctx: Context, principal: PrincipalArgument) -> None:
    """
    Show one principal, and what it may do.

    Examples:
      spectronctl principals get app-agent
      spectronctl principals get admin -o json --query grants
    """
    from spectronctl.operations.principals import find_principal

    rt = ctx.runtime
    rt.out.check(PRINCIPALS)
    rt.out.show(find_principal(rt.client, rt.context, principal).to_dict(), PRINCIPALS)

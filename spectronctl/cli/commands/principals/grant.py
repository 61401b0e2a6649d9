"""`spectronctl principals grant`"""

from __future__ import annotations

from spectronctl.api import principals as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.principals._options import (
    GrantArguments,
    PrincipalArgument,
    format_grant,
    parse_grants,
)
from spectronctl.cli.commands.principals._view import PRINCIPALS

app = App()


@app.command()
def grant_principal(ctx: Context, principal: PrincipalArgument, grants: GrantArguments) -> None:
    """
    Give a principal verbs over scopes; what it holds already stays.

    `org/acme` is that scope alone, `org/acme/*` the scope and all below it, `/*` everything.

    Examples:
      spectronctl principals grant app-agent 'memory:forget=org/acme/*'
      spectronctl principals grant app-agent scope:read=team/a,team/b
    """
    from spectronctl.operations.principals import change_grants, find_principal

    rt = ctx.runtime
    rt.out.check(PRINCIPALS)
    context = rt.context
    wanted = parse_grants(grants)
    found = find_principal(rt.client, context, principal)
    changed = change_grants(rt.client, context, found, wanted, api.grant)
    rt.out.note(f"Granted {format_grant(wanted)} to principal {found.display_name} ({found.id}).")
    rt.out.show(changed.to_dict(), PRINCIPALS)

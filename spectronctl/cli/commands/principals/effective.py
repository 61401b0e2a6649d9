"""`spectronctl principals effective`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import principals as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.principals._options import PrincipalArgument
from spectronctl.cli.commands.principals._view import EFFECTIVE

app = App()


@app.command()
def show_effective(
    ctx: Context,
    principal: PrincipalArgument,
    scope: Annotated[str, typer.Argument(metavar="SCOPE", help="Ask about this scope; / is all.")],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="Ask about this RFC 3339 time in the past."),
    ] = None,
) -> None:
    """
    Show which verbs a principal holds over a scope, now or before.

    Examples:
      spectronctl principals effective app-agent org/acme
      spectronctl principals effective app-agent / --as-of 2026-03-01T00:00:00Z
    """
    from spectronctl.operations.principals import find_principal

    rt = ctx.runtime
    rt.out.check(EFFECTIVE)
    found = find_principal(rt.client, rt.context, principal)
    held = rt.client.send(api.get_effective(rt.context, found.id, scope, as_of=as_of))
    rt.out.show({"principal": found.id, **held.to_dict()}, EFFECTIVE)

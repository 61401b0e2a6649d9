"""`spectronctl principals whocan`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import principals as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.principals._options import check_verb
from spectronctl.cli.commands.principals._view import HOLDERS

app = App()


@app.command()
def list_holders(
    ctx: Context,
    verb: Annotated[
        str, typer.Argument(metavar="VERB", help="Ask about this verb, such as memory:read.")
    ],
    scope: Annotated[
        str, typer.Argument(metavar="SCOPE", help="Ask about this scope, such as org/acme.")
    ],
) -> None:
    """
    List the principals and the keys that may do something at a scope.

    Examples:
      spectronctl principals whocan memory:read org/acme
      spectronctl principals whocan memory:forget / -o json
    """
    rt = ctx.runtime
    rt.out.check(HOLDERS)
    check_verb(verb, "VERB")
    rt.out.show(rt.client.send(api.list_holders(rt.context, verb, scope)).to_dict(), HOLDERS)

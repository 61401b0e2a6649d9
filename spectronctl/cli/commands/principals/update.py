"""`spectronctl principals update`"""

from __future__ import annotations

from typing import Annotated

import typer

from spectronctl.api import principals as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.principals._options import (
    PrincipalArgument,
    format_grant,
    parse_grants,
)
from spectronctl.cli.commands.principals._view import PRINCIPALS
from spectronctl.cli.consent import check_confirmable, get_consent
from spectronctl.errors import UsageError
from spectronctl.ground.vocabulary import PrincipalKind

app = App()


@app.command()
def update_principal(
    ctx: Context,
    principal: PrincipalArgument,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NEW", help="Give the principal this name.")
    ] = None,
    kind: Annotated[
        PrincipalKind | None,
        typer.Option("--kind", help="Set what it is; this changes nothing of its rights."),
    ] = None,
    grants: Annotated[
        list[str] | None,
        typer.Option(
            "--grants",
            metavar="VERB=PATTERN",
            help="Replace all grants by these, such as memory:read=org/acme/*; may be repeated.",
        ),
    ] = None,
    confirm: ConfirmOption = None,
) -> None:
    """
    Change the name of a principal, or replace all of its grants.

    Asks before grants are replaced: requests that need one that is gone fail at once.

    Examples:
      spectronctl principals update planner --name router
      spectronctl principals update planner --grants 'memory:read=org/acme/*'
    """
    from spectronctl.operations.principals import find_principal

    rt = ctx.runtime
    rt.out.check(PRINCIPALS)
    wanted = parse_grants(grants or (), "--grants")
    named = {"display_name": name, "kind": kind, "grants": wanted or None}
    changes = {field: value for field, value in named.items() if value is not None}
    if not changes:
        raise UsageError(
            "nothing to change was named", hint="Try --name NEW or --grants VERB=PATTERN."
        )
    question = f"Replace all grants of principal {principal} of context {rt.context} by {format_grant(wanted)}?"
    if wanted:
        check_confirmable(rt, question, name=rt.context, confirmed=confirm)
    found = find_principal(rt.client, rt.context, principal)
    if wanted:
        declined = "Nothing was changed."
        get_consent(rt, question, name=rt.context, confirmed=confirm, declined=declined)
    found = rt.client.send(api.update_principal(rt.context, found.id, changes))
    rt.out.note(f"Updated principal {found.display_name} ({found.id}).")
    rt.out.show(found.to_dict(), PRINCIPALS)

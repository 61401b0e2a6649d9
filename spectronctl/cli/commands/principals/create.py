"""`spectronctl principals create`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.principals._options import parse_grants
from spectronctl.cli.commands.principals._view import PRINCIPALS
from spectronctl.ground.vocabulary import PrincipalKind

app = App()


class PrincipalIfExists(StrEnum):
    """What a creation makes of a principal that is there already."""

    FAIL = "fail"
    SKIP = "skip"


@app.command()
def create_principal(
    ctx: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Give the principal this name.")],
    kind: Annotated[
        PrincipalKind,
        typer.Option(
            "--kind", help="Set what it is; this changes nothing of its rights.", show_default=True
        ),
    ] = "agent",
    external_id: Annotated[
        str | None,
        typer.Option("--external-id", metavar="ID", help="Keep the id that another system uses."),
    ] = None,
    grant: Annotated[
        list[str] | None,
        typer.Option(
            "--grant",
            metavar="VERB=PATTERN",
            help="Grant a verb over scopes, such as memory:read=org/acme/*; may be repeated.",
        ),
    ] = None,
    if_exists: Annotated[
        PrincipalIfExists,
        typer.Option(
            "--if-exists", help="Choose what to do if it already exists.", show_default=True
        ),
    ] = PrincipalIfExists.FAIL,
) -> None:
    """
    Create a principal; without grants it may do nothing.

    Examples:
      spectronctl principals create planner --grant 'memory:read=org/acme/*'
      spectronctl principals create ada --kind human --external-id u-17
    """
    from spectronctl.operations.principals import create_principal

    rt = ctx.runtime
    rt.out.check(PRINCIPALS)
    made = create_principal(
        rt.client,
        rt.context,
        name,
        kind=kind,
        external_id=external_id,
        grants=parse_grants(grant or (), "--grant"),
        if_exists=if_exists.value,
    )
    told = f"{made.principal.display_name} ({made.principal.id})"
    rt.out.note(
        f"Created principal {told}." if made.created else f"Principal {told} already exists."
    )
    rt.out.show(made.principal.to_dict(), PRINCIPALS)

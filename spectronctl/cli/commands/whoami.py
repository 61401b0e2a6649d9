"""`spectronctl whoami`"""

from __future__ import annotations

from spectronctl.api import identity
from spectronctl.cli._typer import App, Context
from spectronctl.output.views import Column, View

app = App()

IDENTITY = View(
    columns=(
        Column("principal_id"),
        Column("kind"),
        Column("display_name"),
        Column("effective_grants"),
    ),
    wide=(Column("grants"), Column("token_grants"), Column("delegated_principal_id")),
    name="principal_id",
)


@app.command()
def whoami(ctx: Context) -> None:
    """Show who a context's key is, and what it may do."""
    rt = ctx.runtime
    rt.out.check(IDENTITY)
    context = rt.context
    found = rt.make_context_client(context).send(identity.get_identity(context))
    rt.out.show(found.to_dict(), IDENTITY)

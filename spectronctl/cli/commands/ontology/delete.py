"""`spectronctl ontology delete`"""

from __future__ import annotations

from spectronctl.api import ontology as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.ontology._view import DELETED
from spectronctl.cli.consent import get_consent

app = App()


@app.command()
def delete_ontology(ctx: Context, confirm: ConfirmOption = None) -> None:
    """
    Delete the whole ontology.

    Examples:
      spectronctl ontology delete --confirm acme-prod
    """
    rt = ctx.runtime
    rt.out.check(DELETED)
    context = rt.context
    get_consent(
        rt,
        f"Delete the whole ontology of context {context} at {rt.place}?",
        name=context,
        confirmed=confirm,
        declined="Nothing was deleted.",
    )
    rt.client.send(api.delete_ontology(context))
    outcome = {"context": context, "deleted": True}
    rt.out.done(outcome, DELETED, f"Deleted the ontology of context {context}.")

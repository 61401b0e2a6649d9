"""`spectronctl ontology get`"""

from __future__ import annotations

from spectronctl.api import ontology as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.ontology._view import ONTOLOGY

app = App()


@app.command()
def get_ontology(ctx: Context) -> None:
    """
    Show the ontology: entity types, attribute keys, relations.

    Examples:
      spectronctl ontology get
      spectronctl ontology get -o yaml
    """
    rt = ctx.runtime
    rt.out.check(ONTOLOGY)
    found = rt.client.send(api.get_ontology(rt.context)).value
    rt.out.show(found.to_dict(), ONTOLOGY)

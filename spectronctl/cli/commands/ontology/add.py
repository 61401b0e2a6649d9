"""`spectronctl ontology add`"""

from __future__ import annotations

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.ontology._consent import Consent, name_parts, show_written
from spectronctl.cli.commands.ontology._names import NameOptions
from spectronctl.cli.commands.ontology._view import ONTOLOGY

app = App()


@app.command()
def add_names(ctx: Context, names: NameOptions) -> None:
    """
    Add names to the ontology; existing names stay as they are.

    Examples:
      spectronctl ontology add --entity-type Person --attribute Person=name,city
    """
    from spectronctl.operations import ontologies

    rt = ctx.runtime
    rt.out.check(ONTOLOGY)
    wanted = names.read()
    written = ontologies.change_ontology(
        rt.client,
        rt.context,
        lambda ontology: ontologies.add_names(ontology, wanted),
        agree=Consent(rt),
        patience=rt.settings.timeout.value,
    )
    # Against what was there when it was written, which may be newer than what was read first.
    before = set(ontologies.list_parts(written.before))
    if idle := [part for part in wanted.list_parts() if part in before]:
        rt.out.note(f"Already in the ontology:  {name_parts(idle)}.")
    show_written(rt, written, "Nothing was changed.")

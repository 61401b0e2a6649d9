"""`spectronctl ontology remove`"""

from __future__ import annotations

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.ontology._consent import Consent, name_parts, show_written
from spectronctl.cli.commands.ontology._names import NameOptions
from spectronctl.cli.commands.ontology._view import ONTOLOGY
from spectronctl.cli.consent import check_confirmable

app = App()


@app.command()
def remove_names(ctx: Context, names: NameOptions, confirm: ConfirmOption = None) -> None:
    """
    Remove names from the ontology; a type's attribute keys go with it.

    Examples:
      spectronctl ontology remove --entity-type Person
    """
    from spectronctl.operations import ontologies

    rt = ctx.runtime
    rt.out.check(ONTOLOGY)
    unwanted = names.read()
    parts = list(unwanted.list_parts())
    # Of all that was typed, though some may not be there: that is known only after a request.
    check_confirmable(rt, f"Remove {name_parts(parts)}?", name=rt.context, confirmed=confirm)
    written = ontologies.change_ontology(
        rt.client,
        rt.context,
        lambda ontology: ontologies.remove_names(ontology, unwanted),
        agree=Consent(rt, confirm),
        patience=rt.settings.timeout.value,
    )
    before = set(ontologies.list_parts(written.before))
    if idle := [part for part in parts if part not in before]:
        rt.out.note(f"Not in the ontology: {name_parts(idle)}.")
    show_written(rt, written, "Nothing was changed.")

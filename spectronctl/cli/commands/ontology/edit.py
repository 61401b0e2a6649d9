"""`spectronctl ontology edit`"""

from __future__ import annotations

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.ontology._consent import DECLINED, Consent, show_written
from spectronctl.cli.commands.ontology._view import ONTOLOGY

app = App()


@app.command()
def edit_ontology(ctx: Context, confirm: ConfirmOption = None) -> None:
    """Change the ontology in your editor; never overwrites what others changed meanwhile."""
    from spectronctl.cli.commands.ontology._draft import Draft
    from spectronctl.cli.commands.ontology._editor import find_editor
    from spectronctl.operations import ontologies

    rt = ctx.runtime
    rt.out.check(ONTOLOGY)
    client = rt.client
    with Draft(rt, find_editor(rt)) as draft:
        written = ontologies.replace_ontology(
            client, rt.context, draft.edit, agree=Consent(rt, confirm)
        )
    show_written(rt, written, DECLINED)

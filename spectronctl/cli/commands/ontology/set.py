"""`spectronctl ontology set`"""

from __future__ import annotations

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.ontology._consent import Consent, show_written
from spectronctl.cli.commands.ontology._file import FileArgument, load_ontology
from spectronctl.cli.commands.ontology._view import ONTOLOGY

app = App()


@app.command()
def set_ontology(ctx: Context, file: FileArgument, confirm: ConfirmOption = None) -> None:
    """
    Replace the ontology by a file; asks before names are removed.

    Examples:
      spectronctl ontology set people.yaml
    """
    from spectronctl.operations import ontologies

    rt = ctx.runtime
    rt.out.check(ONTOLOGY)
    wanted = load_ontology(rt, file)
    written = ontologies.replace_ontology(
        rt.client, rt.context, lambda _: wanted, agree=Consent(rt, confirm)
    )
    unchanged = f"The ontology of context {rt.context} is up to date: nothing was sent."
    show_written(rt, written, unchanged)

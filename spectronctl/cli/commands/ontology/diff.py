"""`spectronctl ontology diff`"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from spectronctl.api import ontology as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.ontology._file import FileArgument, load_ontology
from spectronctl.cli.commands.ontology._view import DIFFERENCE
from spectronctl.errors import FOUND

app = App()


@app.command()
def compare_ontology(
    ctx: Context,
    file: FileArgument,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help=f"Exit with code {FOUND} if there are differences.")
    ] = False,
) -> int:
    """
    Show what `set` would change: - is removed, + is added.

    Examples:
      spectronctl ontology diff people.yaml
      spectronctl ontology diff people.yaml -o json
    """
    from spectronctl.operations import ontologies

    rt = ctx.runtime
    rt.out.check(DIFFERENCE)
    wanted = load_ontology(rt, file)
    found = rt.client.send(api.get_ontology(rt.context)).value
    difference = ontologies.compare_ontologies(found, wanted)
    if not difference:
        rt.out.note("No differences.")
    view = replace(DIFFERENCE, parts=lambda _: difference.list_rows())
    rt.out.show(difference.to_dict(), view, lines=difference.list_lines())
    return FOUND if exit_code and difference else 0

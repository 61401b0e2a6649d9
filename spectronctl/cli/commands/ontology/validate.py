"""`spectronctl ontology validate`"""

from __future__ import annotations

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._documents import name_file
from spectronctl.cli.commands.ontology._file import FileArgument, load_ontology
from spectronctl.cli.commands.ontology._view import VALIDATED

app = App()


@app.command()
def validate_ontology(ctx: Context, file: FileArgument) -> None:
    """
    Check a file, and list all its errors; needs no server.

    Examples:
      spectronctl ontology validate people.yaml
    """
    rt = ctx.runtime
    rt.out.check(VALIDATED)
    ontology = load_ontology(rt, file)
    counts = {
        "entity_types": len(ontology.entity_types),
        "attribute_keys": sum(map(len, ontology.attribute_keys.values())),
        "relation_labels": len(ontology.relation_labels),
    }
    name = name_file(file)
    told = ", ".join(f"{field.replace('_', ' ')}: {count}" for field, count in counts.items())
    rt.out.done({"file": name, "valid": True, **counts}, VALIDATED, f"{name} is valid ({told}).")

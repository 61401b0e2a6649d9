"""`spectronctl ontology`"""

from __future__ import annotations

from spectronctl.cli._typer import App

app = App(
    verbs={
        "get": "Show the ontology: entity types with their attribute keys, and relation labels.",
        "set": "Replace the whole ontology by a file; asks when that removes anything.",
        "edit": "Change the ontology in your editor; never overwrites what others changed meanwhile.",
        "diff": "Show what `set` would change: - is removed, + is added.",
        "delete": "Forget the whole ontology.",
        "validate": "Check a file, and name all that is wrong with it; asks no server.",
        "add": "Add names to the ontology; what is there already stays as it is.",
        "remove": "Remove names from the ontology; a type's attribute keys go with it.",
    }
)

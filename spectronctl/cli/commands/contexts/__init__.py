"""`spectronctl contexts`"""

from __future__ import annotations

from spectronctl.cli._typer import App

app = App(
    verbs={
        "list": "List every context of the server.",
        "get": "Show one context and its configuration.",
        "create": "Create a context on a database of its own.",
        "update": "Change a context's configuration; what is not named stays as it is.",
        "delete": "Delete a context: its database, its keys and its registration. There is no way back.",
        "clone": "Make another context like one: its configuration, ontology, and keys with fresh secrets.",
        "wait": "Wait until a context is there, or is gone, and show it.",
    },
)

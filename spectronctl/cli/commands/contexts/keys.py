"""`spectronctl contexts keys VERB CONTEXT …`: the earlier spelling of `spectronctl keys VERB -c CONTEXT …`."""

from __future__ import annotations

from spectronctl.cli._typer import App, with_context_argument
from spectronctl.cli.commands.keys.create import create_key
from spectronctl.cli.commands.keys.delete import delete_key
from spectronctl.cli.commands.keys.list import list_keys

app = App()

app.command("list")(with_context_argument(list_keys))
app.command("create")(with_context_argument(create_key))
app.command("delete")(with_context_argument(delete_key))

"""`spectronctl contexts`"""

from __future__ import annotations

from spectronctl.cli._typer import App
from spectronctl.cli.commands.contexts.create import create_context
from spectronctl.cli.commands.contexts.delete import delete_context
from spectronctl.cli.commands.contexts.get import get_context
from spectronctl.cli.commands.contexts.list import list_contexts
from spectronctl.cli.commands.contexts.update import update_context

app = App()
app.command("list")(list_contexts)
app.command("get")(get_context)
app.command("create")(create_context)
app.command("update")(update_context)
app.command("delete")(delete_context)

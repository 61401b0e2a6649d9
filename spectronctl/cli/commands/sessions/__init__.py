"""`spectronctl sessions`"""

from __future__ import annotations

from spectronctl.cli._typer import App

app = App(
    verbs={
        "list": "List the sessions of a context, the oldest first.",
        "get": "Show one session: its metadata, the number of its turns, the first and the last.",
        "transcript": "Print what was said in a session, or write it to a file; many sessions at once, too.",
        "import": "Append a conversation from a file to a session; safe to repeat.",
        "context": "Ask a session what it has to say to a query, as text for a model's prompt.",
        "create": "Create an empty session.",
        "delete": "Delete sessions with all their turns. There is no way back.",
    }
)

"""`spectronctl keys`"""

from __future__ import annotations

from spectronctl.cli._typer import App

app = App(
    verbs={
        "list": "List the keys of a context; never a secret.",
        "get": "Show one key; never its secret.",
        "create": "Mint a key; its secret is shown or written once and can never be read again.",
        "rotate": "Give a key a new secret: in place, or through a successor while the old key goes on for a while.",
        "rotations": "See to rotations that are under way: resume them, or give them up.",
        "delete": "Revoke keys at once.",
        "verify": "Check that a secret works in the context: as whom, and with which grants.",
        "orphans": "List keys that look as if nobody held or needed them any more, and why.",
    }
)

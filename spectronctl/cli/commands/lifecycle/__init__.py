"""`spectronctl lifecycle`"""

from __future__ import annotations

from spectronctl.cli._typer import App

app = App(
    verbs={
        "decay": "Expire memories that are past their time, and prune the cache; at once, in one context or many.",
        "expire": "Expire memories that are past their time, by their category; or tell how many would.",
        "fsck": "Look for what should not be in a context's memory: duplicates, contradictions and the like.",
        "reindex": "Embed every chunk of a context again, and rebuild its indexes; waits until that is done.",
        "jobs": "See to work that takes longer than a request: list, watch and cancel it.",
    }
)

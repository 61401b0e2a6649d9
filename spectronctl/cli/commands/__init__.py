"""
Every command of `spectronctl`, with its help, so that nothing has to be imported to list them.

A command NAME lives in the module NAME here, a group's VERB in NAME/VERB.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """A command, or a group with its `verbs`; `alias` is a hidden word for it."""

    help: str
    verbs: Mapping[str, str] = field(default_factory=dict)
    alias: str | None = None


COMMANDS = {
    "contexts": Entry(
        "Create, configure and delete contexts.",
        {
            "list": "List every context of the server.",
            "get": "Show one context and its configuration.",
            "create": "Create a context on a database of its own.",
            "update": "Change a context's configuration; what is not named stays as it is.",
            "delete": "Delete a context: its database, its keys and its registration. There is no way back.",
            "clone": "Make another context like one: its configuration, ontology, and keys with fresh secrets.",
            "wait": "Wait until a context is there, or is gone, and show it.",
        },
    ),
    "keys": Entry(
        "Mint, rotate and revoke the API keys of a context.",
        {
            "list": "List the keys of a context; never a secret.",
            "get": "Show one key; never its secret.",
            "create": "Mint a key; its secret is shown or written once and can never be read again.",
            "rotate": "Give a key a new secret:"
            " in place, or through a successor while the old key goes on for a while.",
            "rotations": "See to rotations that are under way: resume them, or give them up.",
            "delete": "Revoke keys at once.",
            "verify": "Check that a secret works in the context: as whom, and with which grants.",
            "orphans": "List keys that look as if nobody held or needed them any more, and why.",
        },
    ),
    "ontology": Entry(
        "Say what extraction looks for: entity types, their attributes, relations.",
        {
            "get": "Show the ontology: entity types with their attribute keys, and relation labels.",
            "set": "Replace the whole ontology by a file; asks when that removes anything.",
            "edit": "Change the ontology in your editor; never overwrites what others changed meanwhile.",
            "diff": "Show what `set` would change: - is removed, + is added.",
            "delete": "Forget the whole ontology.",
            "validate": "Check a file, and name all that is wrong with it; asks no server.",
            "add": "Add names to the ontology; what is there already stays as it is.",
            "remove": "Remove names from the ontology; a type's attribute keys go with it.",
        },
    ),
    "sessions": Entry(
        "Read what agents said: list, print, export and import conversations.",
        {
            "list": "List the sessions of a context, the oldest first.",
            "get": "Show one session: its metadata, the number of its turns, the first and the last.",
            "transcript": "Print what was said in a session, or write it to a file; many sessions at once, too.",
            "import": "Append a conversation from a file to a session; safe to repeat.",
            "context": "Ask a session what it has to say to a query, as text for a model's prompt.",
            "create": "Create an empty session.",
            "delete": "Delete sessions with all their turns. There is no way back.",
        },
    ),
    "lifecycle": Entry(
        "Keep a context's memory in order: decay, expiry, checks, reindexing and its jobs.",
        {
            "decay": "Expire memories that are past their time, and prune the cache; at once, in one context or many.",
            "expire": "Expire memories that are past their time, by their category; or tell how many would.",
            "fsck": "Look for what should not be in a context's memory: duplicates, contradictions and the like.",
            "reindex": "Embed every chunk of a context again, and rebuild its indexes; waits until that is done.",
            "jobs": "See to work that takes longer than a request: list, watch and cancel it.",
        },
    ),
    "exec": Entry("Run a program with a key of its own, minted for it and deleted afterwards."),
    "migrations": Entry("See which schema the databases of the contexts have."),
    "api": Entry(
        "Send a request of your own, with the key, retries and errors of every other command."
    ),
    "profiles": Entry("Keep the servers you work with."),
    "serve": Entry(
        "Run a Spectron server on SurrealDB until it is told to stop.",
        {
            "exec": "Run a program against a throw-away server, which ends along with it.",
        },
    ),
    "completion": Entry("Print a completion script for a shell."),
    "version": Entry("Show the version of spectronctl, and how the server's stands to it."),
    "whoami": Entry("Show who a key is, and what it may do."),
    "doctor": Entry(
        "Check everything between here and the server, and say what is wrong.", alias="status"
    ),
}
"""In the order of `--help`. A plural's singular is a hidden alias too."""

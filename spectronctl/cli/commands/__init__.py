"""
Every command of `spectronctl`, with its help, so that nothing has to be imported to list them.

A command NAME lives in the module NAME here, with `_` for `-`, and a group's VERB in NAME/VERB.py.
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


# Here, and not in the modules: `spectronctl --help` and a mistyped name would import all of them. A test holds each
# text to what the command says of itself.
COMMANDS = {
    "contexts": Entry(
        """Create, configure and delete contexts.

        Examples:
          spectronctl contexts list
          spectronctl contexts create acme-dev --namespace acme --database dev
        """,
        {
            "list": "List the contexts of the server.",
            "get": "Show one context and its configuration.",
            "create": "Create a context on a database of its own.",
            "update": "Change the configuration of a context.",
            "delete": "Delete contexts with their databases and their keys, for good.",
            "clone": "Clone a context: configuration, ontology, keys with new secrets.",
            "wait": "Wait until a context exists, or is deleted, and show it.",
        },
    ),
    "keys": Entry(
        """Create, rotate and revoke the API keys of a context.

        Examples:
          spectronctl keys list -c acme-prod
          spectronctl keys create app -c acme-prod --secret-file app.key
        """,
        {
            "list": "List the keys of a context, without secrets.",
            "get": "Show one key, without its secret.",
            "create": "Create a key; its secret is shown or written once.",
            "rotate": "Give a key a new secret, at once or with an overlap.",
            "rotations": """List, resume or abort rotations in progress.

            Examples:
              spectronctl keys rotations list
              spectronctl keys rotations resume
            """,
            "delete": "Revoke keys at once.",
            "verify": "Check that a secret works, and show its principal and grants.",
            "orphans": "List keys that are probably lost or no longer used, and why.",
        },
    ),
    "principals": Entry(
        """Manage who acts in a context, and what each may do.

        Examples:
          spectronctl principals list -c acme-prod
          spectronctl principals whocan memory:read org/acme
        """,
        {
            "list": "List the principals of a context, and what each may do.",
            "get": "Show one principal, and what it may do.",
            "create": "Create a principal; without grants it may do nothing.",
            "update": "Change the name of a principal, or replace all of its grants.",
            "delete": "Delete a principal, and revoke its keys at once.",
            "grant": "Give a principal verbs over scopes; what it holds already stays.",
            "revoke": "Revoke verbs over scopes, from the principal's next request on.",
            "effective": "Show which verbs a principal holds over a scope, now or before.",
            "whocan": "List the principals and the keys that may do something at a scope.",
        },
    ),
    "management-keys": Entry(
        """Create, rotate and revoke management keys, with no downtime.

        Examples:
          spectronctl management-keys list
          spectronctl management-keys create ci --secret-file ci.key
        """
    ),
    "ontology": Entry(
        """Manage what extraction looks for: types, keys, relations.

        Examples:
          spectronctl ontology get
          spectronctl ontology add --entity-type Person --attribute Person=name,city
        """,
        {
            "get": "Show the ontology: entity types, attribute keys, relations.",
            "set": "Replace the ontology by a file; asks before names are removed.",
            "edit": "Edit the ontology in your editor; changes of others are kept.",
            "diff": "Show what `set` would change: - is removed, + is added.",
            "delete": "Delete the whole ontology.",
            "validate": "Check a file, and list all its errors; needs no server.",
            "add": "Add names to the ontology; existing names stay as they are.",
            "remove": "Remove names from the ontology; a type's attribute keys go with it.",
        },
    ),
    "sessions": Entry(
        """Read what agents said: list, print, export, import conversations.

        Examples:
          spectronctl sessions list
          spectronctl sessions transcript session:01JC4YKM3VQ8Z5T2N7XW9RHEA1
        """,
        {
            "list": "List the sessions of a context, oldest first.",
            "get": "Show one session: its metadata, its turns, the first and the last.",
            "transcript": "Print the transcript of a session, or write many to files.",
            "import": "Append a conversation from a file to a session; safe to repeat.",
            "context": "Get the parts of a session that match a query, for a prompt.",
            "create": "Create an empty session.",
            "delete": "Delete sessions with all their turns, for good.",
        },
    ),
    "scopes": Entry(
        """Manage the paths that memories are tagged with; forget one.

        Examples:
          spectronctl scopes list
          spectronctl scopes forget org/acme --dry-run
        """,
        {
            "list": "List the scopes that the key may see, live and tombstoned.",
            "create": "Create a scope and those above it, or revive a tombstone.",
            "delete": "Delete scopes: nothing is written there any more.",
            "forget": "Erase everything that is tagged at or below a scope, for good.",
        },
    ),
    "lifecycle": Entry(
        """Maintain memory: decay, expiry, checks, reindexing and jobs.

        Examples:
          spectronctl lifecycle expire --dry-run
          spectronctl lifecycle jobs list
        """,
        {
            "decay": "Expire memories that are past their time, and prune the cache.",
            "expire": "Expire memories past their time, by category, or count them.",
            "fsck": "Check memory for errors: duplicates, contradictions and the like.",
            "reindex": "Embed every chunk again, rebuild the indexes, and wait for the end.",
            "jobs": """List, watch and cancel jobs, which take longer than a request.

            Examples:
              spectronctl lifecycle jobs list
              spectronctl lifecycle jobs watch job_01JC4YKM3VQ8Z5T2N7XW9RHEA1
            """,
        },
    ),
    "traces": Entry(
        """Show what was asked of a context, and how it was answered.

        Examples:
          spectronctl traces list --since 1h
          spectronctl traces stats
        """,
        {
            "list": "List the traces of queries, the newest first: at most 500.",
            "get": "Show one trace, what it was part of, and what it found.",
            "stats": "Show how many queries there were, and how long they took.",
        },
    ),
    "audit": Entry(
        """Show who did what: on a context, or over the management plane.

        Examples:
          spectronctl audit list --since 1d
          spectronctl audit list --management --since 1d
        """,
        {
            "list": "List who did what, the newest first, refused requests included.",
            "tail": "Print the last rows of an audit as lines, the newest last.",
        },
    ),
    "exec": Entry("Run a program with a key of its own, which is deleted afterwards."),
    "migrations": Entry("""Show which schema the databases of the contexts have.

    Examples:
      spectronctl migrations status
    """),
    "api": Entry("Send any request, with the keys, retries and errors of the rest."),
    "profiles": Entry("""Manage profiles of the servers you work with.

    Examples:
      spectronctl profiles add dr --url https://dr.example.com --api-key-file dr.key
      spectronctl profiles list
    """),
    "serve": Entry(
        "Run a Spectron server on SurrealDB until it is told to stop.",
        {
            "exec": "Run a program with a temporary server, which ends with it.",
        },
    ),
    "completion": Entry("Print a completion script for a shell."),
    "options": Entry("List the global options, which every command takes."),
    "version": Entry("Show the version of spectronctl, and compare it with the server."),
    "whoami": Entry("Show who a key is, and what it may do."),
    "doctor": Entry("Check everything between here and the server.", alias="status"),
}
"""In the order of `--help`. A plural's singular is a hidden alias too."""

SECTIONS = {
    "Manage": ("contexts", "keys", "principals", "ontology", "management-keys"),
    "Data": ("sessions", "scopes", "lifecycle", "traces"),
    "Operate": ("doctor", "whoami", "audit", "migrations", "api", "exec", "serve"),
    "This tool": ("profiles", "completion", "options", "version"),
}
"""Where the commands stand on the main page of the help."""

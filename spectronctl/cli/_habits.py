"""What people type who know other tools, and the line that is meant: looked up once a line has failed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from spectronctl.cli._tree import describe
from spectronctl.cli._typer import Group, LazyGroup

VERBS = {
    "list get": "list search find",
    "get": "get describe inspect info view cat read display",
    "create add": "create add new make issue mint generate register",
    # `ontology` has both of the last two: the one that deletes less comes first.
    "revoke remove delete": "delete remove rm revoke destroy drop purge del erase",
    "update set edit": "update set edit modify patch change configure replace apply",
    "rotate": "rotate renew roll refresh regenerate reissue",
    "transcript": "export dump print log logs tail",
    "import": "load upload restore append",
    "clone": "copy cp duplicate",
    "use": "switch select activate",
    "current": "active",
    "resume": "continue retry",
    "abort cancel": "stop kill abort cancel",
    "watch": "follow",
    "verify": "check test validate introspect",
}
"""Verbs of ours, the first of which that a group has is meant, and all words for them."""

NOUNS = {
    "contexts": "ctx context contexts tenant tenants namespace namespaces database databases project projects",
    "keys": "key keys apikey apikeys api-key api-keys token tokens secret secrets credential credentials",
    "keys rotations": "rotation rotations",
    "management-keys": "mgmt-key mgmt-keys managementkeys admin-key admin-keys",
    "lifecycle jobs": "job jobs task tasks",
    "ontology": "ontology schema schemas",
    "sessions": "session sessions conversation conversations chat chats transcripts",
    "scopes": "scope scopes path paths node nodes tree",
    "profiles": "profile profiles server servers cluster clusters",
}
"""Groups of ours, and all words for what is in them."""

LINES = {
    "list": "contexts list",
    "get": "contexts list",
    "describe": "contexts get ID",
    "delete": "contexts delete ID",
    "apply": "contexts update ID --config FILE",
    "revoke": "keys delete KEY",
    "rotate": "keys rotate KEY",
    "config": "profiles list",
    "config view": "profiles show",
    "config current-context": "profiles current",
    "config get-contexts": "profiles list",
    "config use-context": "profiles use NAME",
    "config set": "profiles set NAME FIELD VALUE",
    "configure": "profiles add NAME --url URL --api-key-file PATH",
    "init": "profiles add NAME --url URL --api-key-file PATH",
    "setup": "profiles add NAME --url URL --api-key-file PATH",
    "login": "profiles add NAME --url URL --api-key-file PATH",
    "logout": "profiles remove NAME",
    "auth": "whoami",
    "auth login": "profiles add NAME --url URL --api-key-file PATH",
    "auth logout": "profiles remove NAME",
    "auth can-i": "whoami",
    "me": "whoami",
    "id": "whoami",
    "token lookup": "whoami",
    "use": "profiles use NAME",
    "use-context": "profiles use NAME",
    "current-context": "profiles current",
    "contexts use": "profiles set NAME context ID",
    "contexts switch": "profiles set NAME context ID",
    "contexts current": "profiles show",
    "health": "doctor",
    "ping": "doctor",
    "diagnose": "doctor",
    "start": "serve",
    "up": "serve",
    "server": "serve",
    "run": "exec --key NAME -- CMD",
    "env": "exec --key NAME -- CMD",
    "curl": "api GET /contexts",
    "request": "api GET /contexts",
    "migrate": "migrations status",
    "export": "sessions transcript --all --output-dir PATH",
    "backup": "sessions transcript --all --output-dir PATH",
    "logs": "sessions transcript SESSION",
    "import": "sessions import FILE",
    "diff": "ontology diff FILE",
    "query": "sessions context SESSION QUERY",
    "search": "sessions context SESSION QUERY",
    "wait": "contexts wait ID",
    "lifecycle list": "lifecycle jobs list",
    "lifecycle status": "lifecycle jobs list",
    "keys rotations wait": "keys rotations resume --wait",
}
"""Words that stand for a line of their own."""

OPTIONS = {
    "--format": "-o json",
    "--output-format": "-o json",
    "--yaml": "-o yaml",
    "--csv": "-o csv",
    "--wide": "-o wide",
    "--filter": "--query '[?id==`acme`]'",
    "--jq": "--query '[].id'",
    "--template": "--query '[].id'",
    "--fields": "--columns id,created_at",
    "--sort-by": "--sort id",
    "--no-headers": "--no-header",
    "--first": "--limit 10",
    "--max-items": "--limit 10",
    "--page-size": "--limit 10",
    "--verbose": "--debug",
    "-v": "--debug",
    "-vv": "--debug",
    "--trace": "--debug",
    "--silent": "--quiet",
    "--no-prompt": "--no-input",
    "--non-interactive": "--no-input",
    "--batch": "--no-input",
    "--assume-yes": "--yes",
    "--no-color": "--color never",
    "--no-colour": "--color never",
    "--tenant": "-c ID",
    "-n": "-c ID",
    "--host": "--url URL",
    "--server": "--url URL",
    "--endpoint": "--url URL",
    "--endpoint-url": "--url URL",
    "--address": "--url URL",
    "--token": "--api-key-file PATH",
    "--key-file": "--api-key-file PATH",
    "--request-timeout": "--timeout 30s",
}
"""Options of other tools, and what stands for them in every command here."""

NOTES = {
    "--all": "A list is whole unless --limit cuts it.",
    "-A": "A list is whole unless --limit cuts it.",
    "-a": "A list is whole unless --limit cuts it.",
    "--name": "The name has no option before it: 'spectronctl keys create app'.",
    "--id": "The id has no option before it: 'spectronctl contexts get acme'.",
    "-f": "A file has no option before it: 'spectronctl ontology set FILE'; -f belongs to no command.",
    "--file": "A file has no option before it: 'spectronctl ontology set FILE'.",
    "--filename": "A file has no option before it: 'spectronctl ontology set FILE'.",
    "--watch": "'spectronctl contexts wait ID' and 'spectronctl lifecycle jobs watch JOB' wait for a change.",
    "-w": "'spectronctl contexts wait ID' and 'spectronctl lifecycle jobs watch JOB' wait for a change.",
    "--ttl": "'spectronctl keys create NAME --expires-in 90d' makes a key that expires.",
    "--expires": "'spectronctl keys create NAME --expires-in 90d' makes a key that expires.",
    "--insecure": "A profile can trust a certificate: 'spectronctl profiles add NAME --url URL --ca-file PATH'.",
    "-k": "A profile can trust a certificate: 'spectronctl profiles add NAME --url URL --ca-file PATH'.",
}
"""Options of other tools that nothing stands for in every command, and what to do."""

_OF_A_CONTEXT = {"keys", "ontology", "sessions", "scopes", "lifecycle", "migrations", "whoami"}


def find_line(root: Group, path: Sequence[str], words: Sequence[str]) -> str | None:
    """The line that words mean that are no command of the group at `path`, None if they mean nothing here."""
    # Behind the first option may stand its value, which is no word of the line.
    typed = [*path, *takewhile(lambda word: not word.startswith("-"), words)]
    for count in (3, 2, 1):
        # One word means a line of its own only where no noun follows it: `get keys` is about keys.
        line = LINES.get(" ".join(typed[:count])) if count <= len(typed) else None
        if line and (count > 1 or len(typed) == 1 or not _find_group(typed[1])):
            return line
    return _find_by_verb(root, path, typed)


def _find_by_verb(root: Group, path: Sequence[str], typed: Sequence[str]) -> str | None:
    if path:
        return _find_in(root, path, typed[len(path)])
    first, *rest = typed
    if group := _find_group(first):
        return _find_in(root, group, rest[0] if rest else "list")
    if rest and (group := _find_group(rest[0])):
        is_several = len(rest) == 1 and rest[0].endswith("s") and first in VERBS["get"].split()
        return _find_in(root, group, "list" if is_several else first)
    homes = [name for name, sub in root.commands.items() if first in getattr(sub, "verbs", ())]
    return _find_in(root, homes[:1], first) if homes else None


def _find_group(word: str) -> list[str]:
    return next((name.split() for name, words in NOUNS.items() if word in words.split()), [])


def _find_in(root: Group, path: Sequence[str], word: str) -> str | None:
    group = _load(root, path)
    meant = [
        word,
        *(
            verb
            for verbs, words in VERBS.items()
            if word in words.split()
            for verb in verbs.split()
        ),
    ]
    child = next((verb for verb in meant if verb in getattr(group, "commands", {})), None)
    return format_line(root, [*path, child]) if child else None


def _load(root: Group, path: Sequence[str]) -> Any:
    command: Any = root
    for word in path:
        command = command.commands[word]
        command = command.loaded if isinstance(command, LazyGroup) else command
    return command


def format_line(root: Group, path: Sequence[str]) -> str:
    """A command with all that it requires, in capitals. What was typed is never repeated: it may be a secret."""
    node = describe(_load(root, path), tuple(path))
    options = [f"{flag.names[0]} {flag.metavar}" for flag in node.flags if flag.required]
    words = [argument.name.split("|")[0] for argument in node.arguments if argument.required]
    return " ".join([*path, *words, *options])


def find_place(root: Group, path: Sequence[str]) -> str | None:
    """The line for a command that was given one word too many: most often the name of a context."""
    if list(path) in (["contexts", "list"], ["profiles", "list"]):
        return format_line(root, [path[0], "get"])
    return f"{format_line(root, path)} -c ID" if path and path[0] in _OF_A_CONTEXT else None

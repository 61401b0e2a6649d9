"""What TAB offers that only this machine knows: profiles, contexts and what is in them. No server is asked for it."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from spectronctl.config.loading import load_config
from spectronctl.config.profiles import LOCAL, Config
from spectronctl.config.resolve import DEFAULT_URL, resolve
from spectronctl.errors import ConfigError
from spectronctl.ground.addresses import canonical_server
from spectronctl.local.checkpoints import Journal
from spectronctl.local.locations import find_config_path, state_dir
from spectronctl.local.seen import known_names

# A shell puts these words on the command line as they are: only what needs no quoting anywhere is offered.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
_PLACES = {"--url": "url", "--profile": "profile", "--context": "context", "-c": "context"}
_MAX_ROTATIONS = 1000


def print_suggestions(args: Sequence[str]) -> int:
    """
    Print the known words of a kind, one per line; always 0, and nothing when anything is wrong.

    With `-` after the kind, stdin holds the line up to the cursor: it may name another server or context.
    """
    # The user is typing: a message would land in the middle of their line, so there is none, even after a failure.
    with suppress(Exception):
        # Not as arguments: the line may hold a key, and every user of the machine can read a process's arguments.
        line = sys.stdin.read() if args[1:] == ["-"] else ""
        words = find_suggestions(args[0], os.environ, line)
        # Flushed here: after this, a complaint about a reader that has gone would land in the user's line.
        sys.stdout.write("".join(f"{word}\n" for word in words))
        sys.stdout.flush()
    return 0


def find_suggestions(kind: str, env: Mapping[str, str], line: str = "") -> list[str]:
    """
    The words of one kind, sorted: `profiles`, or `contexts` of the server in use, or what is in the context in use.

    `line` is what has been typed. ConfigError or UsageError when it, the config file or a variable is wrong.
    """
    config = load_config(find_config_path(env))
    found = _list_words(kind, env, config, _read_places(line))
    return sorted({word for word in found if _PLAIN.fullmatch(word)})


def _list_words(
    kind: str, env: Mapping[str, str], config: Config, typed: dict[str, str]
) -> Iterable[str]:
    if kind == "profiles":
        return [LOCAL, *config.profiles]
    if kind == "contexts":
        typed.pop("context", None)  # it may be the very word that is being completed
    settings = resolve(typed, env, config)
    url, context = settings.url.value, settings.context.value
    if kind == "contexts":
        return [*known_names(env, url), *_list_configured(config, url)]
    if kind == "rotations":
        return _list_rotations(env, url, context)
    if kind == "management-keys":
        return known_names(env, url, kind=kind)
    return known_names(env, url, kind=kind, context=context) if context else ()


def _list_configured(config: Config, url: str) -> Iterable[str]:
    """The contexts that profiles of this server name."""
    here = canonical_server(url)
    for profile in config.profiles.values():
        if profile.context and canonical_server(profile.url or DEFAULT_URL) == here:
            yield profile.context


def _list_rotations(env: Mapping[str, str], url: str, context: str | None) -> Iterable[str]:
    """The rotations of this server's context in the journal, or of all its contexts."""
    for path in Journal(state_dir(env) / "rotations").list_paths()[-_MAX_ROTATIONS:]:
        with suppress(ConfigError, KeyError):  # one that cannot be read hides no other
            one = Journal.read(path)
            if context in {None, one["context"]}:
                yield from _keep_here(one, canonical_server(url))


def _keep_here(rotation: Mapping[str, Any], server: str) -> Iterable[str]:
    return [rotation["id"]] if canonical_server(rotation["url"]) == server else []


def _read_places(line: str) -> dict[str, str]:
    """What a line says of the server and the context, by the name of the setting."""
    words = _split_line(line)
    if "--" in words:  # what follows is the line of another program
        words = words[: words.index("--")]
    found = {}
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name in _PLACES and (value or (following and not equals)):
            found[_PLACES[name]] = value or following
    return found


def _split_line(line: str) -> list[str]:
    # The word under the cursor may be in quotes that are still open.
    for end in ("", '"', "'"):
        with suppress(ValueError):
            return shlex.split(line + end)
    return line.split()

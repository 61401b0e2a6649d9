"""What TAB offers that only this machine knows: names of profiles, ids of contexts. No request is ever made for it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from spectronctl.config.loading import load_config
from spectronctl.config.profiles import LOCAL, Config
from spectronctl.local.locations import find_config_path
from spectronctl.local.seen import known_contexts

# A shell puts these words on the command line as they are: only what needs no quoting anywhere is offered.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def print_suggestions(args: Sequence[str]) -> int:
    """Print the known `profiles` or `contexts`, one per line; always 0, and nothing when anything is wrong."""
    # The user is typing: a message would land in the middle of their line, so there is none, even after a failure.
    with suppress(Exception):
        words = find_suggestions(args[0], os.environ)
        # Flushed here: after this, a complaint about a reader that has gone would land in the user's line.
        sys.stdout.write("".join(f"{word}\n" for word in words))
        sys.stdout.flush()
    return 0


def find_suggestions(kind: str, env: Mapping[str, str]) -> list[str]:
    """The words of one kind, sorted; ConfigError when the config file is not as it should be."""
    config = load_config(find_config_path(env))
    found = {"profiles": _name_profiles, "contexts": _name_contexts}[kind](config, env)
    return sorted({word for word in found if _PLAIN.fullmatch(word)})


def _name_profiles(config: Config, env: Mapping[str, str]) -> Iterable[str]:
    return [LOCAL, *config.profiles]


def _name_contexts(config: Config, env: Mapping[str, str]) -> Iterable[str]:
    configured = (profile.context for profile in config.profiles.values())
    return [*known_contexts(env), *(context for context in configured if context)]

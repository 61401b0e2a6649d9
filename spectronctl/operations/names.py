"""Names of things as people type them: an id with or without its prefix, or as much of it as is unique."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from spectronctl.errors import ConflictError
from spectronctl.ground.ulids import ULID_PATTERN

MIN_SHORTENED = 4
"""Characters that a shortened id has at least: fewer are more likely a slip."""

MAX_CANDIDATES = 10

_ULID = re.compile(ULID_PATTERN, re.IGNORECASE)


def resolve_id(
    wanted: str, list_ids: Callable[[], Iterable[str]], *, prefix: str, thing: str
) -> str:
    """
    The whole id that `wanted` stands for, such as `session:01M8…` with the prefix `session:`.

    `list_ids` is called only for what is no whole id. What no id begins with is returned as it is, for the server to
    judge. ConflictError names the candidates when several begin so.
    """
    bare = wanted.removeprefix(prefix)
    if _ULID.fullmatch(bare):
        # A whole id is not looked up: the server says whether it is there, and one listing is saved. ULIDs may be
        # typed in either case.
        return prefix + bare.upper()
    ids = list(list_ids())
    # Before the beginnings: an id that is also the beginning of another would otherwise never be reachable. Not every
    # server has ULIDs.
    exact = [each for each in (wanted, prefix + bare) if each in ids]
    found = exact[:1] or find_shortened(wanted, ids, prefix=prefix)
    if len(found) > 1:
        raise ConflictError(
            f"{len(found)} {thing}s begin with {wanted!r}",
            candidates=found[:MAX_CANDIDATES],
            hint="Type more of the id.",
        )
    return found[0] if found else wanted


def find_shortened(wanted: str, ids: Iterable[str], *, prefix: str) -> list[str]:
    """The ids that begin so, behind their prefix; none for what is too short to mean one."""
    begin = wanted.removeprefix(prefix)
    if len(begin) < MIN_SHORTENED:
        return []
    begins = (begin, begin.upper())
    return [each for each in ids if each.removeprefix(prefix).startswith(begins)]


def find_near(wanted: str, names: Iterable[str]) -> list[str]:
    """Up to three names that come near, the nearest first."""
    return get_close_matches(wanted, list(names), n=3)

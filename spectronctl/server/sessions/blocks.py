"""What a session, and memories beside it, have to say to a query: by its words, without a model."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from spectronctl.server.http.limits import MAX_CONTEXT
from spectronctl.server.sessions.rows import Found

NEWEST = 5_000
"""How many turns of the session, and how many memories, a recall looks through, from the newest on."""

_MOST_TEXTS = 20
_MOST_WORDS = 64
_WORD = re.compile(r"\w+")


def split_query(query: str) -> list[str]:
    """The distinct words of a query, in lowercase."""
    return list(dict.fromkeys(_WORD.findall(query.lower())))[:_MOST_WORDS]


def choose_best(words: Collection[str], found: Iterable[Found]) -> list[Found]:
    """Those with most of the words, the best first: so many turns, and so many memories, as a context has."""
    # Whole words, while the database has looked for parts of them: it finds more than is wanted, never less.
    wanted = set(words)
    scored = [(len(wanted.intersection(_WORD.findall(each.text.lower()))), each) for each in found]
    # The sort is stable and what was found comes newest first: of equals, the newest.
    best = [each for score, each in sorted(scored, key=_get_score, reverse=True) if score]
    memories = [each for each in best if each.seq is None][:_MOST_TEXTS]
    turns = [each for each in best if each.seq is not None][:_MOST_TEXTS]
    return memories + turns


def format_block(words: Collection[str], found: Iterable[Found]) -> str:
    """The texts with most of the words as a block for a prompt: memories, then turns in their order; "" for none."""
    best = list(_cut(choose_best(words, found)))
    memories = [each for each in best if each.seq is None]
    turns = sorted((each for each in best if each.seq is not None), key=_get_seq)
    return "\n".join([*_list_memories(memories), *_list_turns(turns)])


def _cut(best: Iterable[Found]) -> Iterator[Found]:
    """As many as there is room for; the last one may lose its end."""
    room = MAX_CONTEXT
    for each in best:
        if room > 0:
            yield replace(each, text=each.text[:room])
        room -= len(each.text)


def _list_memories(memories: list[Found]) -> Iterable[str]:
    if memories:
        yield "Memories:"
        yield from (f"- {each.text}" for each in memories)


def _list_turns(turns: list[Found]) -> Iterable[str]:
    if turns:
        yield "From this session:"
        yield from (f"{each.role}: {each.text}" for each in turns)


def _get_score(scored: tuple[int, Found]) -> int:
    return scored[0]


def _get_seq(found: Found) -> int:
    return found.seq or 0

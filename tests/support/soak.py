"""How much of a long proof is run: a sample in `make test`, the whole in `make soak`."""

from __future__ import annotations

import os
import zlib
from collections import Counter, defaultdict

import pytest

SOAK = bool(os.environ.get("SPECTRONCTL_SOAK"))


def thin_out(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """
    The tests to run now, and those that wait for `make soak`.

    Of a test with the mark `sampled`, so many cases are run that each value of each of its parameters is tried once; of
    one with `sampled(3)`, three.
    """
    if SOAK:
        return items, []
    # In an order that has nothing to do with theirs: the first ones of a table have much in common.
    shuffled = sorted(items, key=lambda item: zlib.crc32(item.nodeid.encode()))
    tried: defaultdict[object, set[tuple[str, int]]] = defaultdict(set)
    counts: Counter[object] = Counter()
    skipped = [item for item in shuffled if not _is_wanted(item, tried, counts)]
    left = set(skipped)
    return [item for item in items if item not in left], skipped


def _is_wanted(
    item: pytest.Item, tried: dict[object, set[tuple[str, int]]], counts: Counter[object]
) -> bool:
    mark = item.get_closest_marker("sampled")
    if mark is None or not isinstance(item, pytest.Function):
        return True
    if mark.args:
        counts[item.function] += 1
        return counts[item.function] <= int(mark.args[0])
    # By identity: a value need not be hashable, and the cases of one matrix share theirs.
    values = {(name, id(value)) for name, value in item.callspec.params.items()}
    tries_more = not values <= tried[item.function]
    tried[item.function] |= values
    return tries_more

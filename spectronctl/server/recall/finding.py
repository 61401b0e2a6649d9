"""
The memories that come near a query, of those that a region may read.

The whole context is searched by the engine's indexes. They know nothing of regions: their statistics of words count
every row, and a list that they cut holds rows of others in place of one's own. (Given a condition beside the vector,
the engine does find the nearest rows that meet it, but unpacks every row of the table for that, which takes ten
times as long as a scan.) So a region, or a lens, is searched by a scan of its own rows, and the scores of words are
made of them alone.
"""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json
from typing import Any

from spectronctl.server.access.regions import MAYBE_WITHIN, WITHIN, query_one_region
from spectronctl.server.access.scopes import Region
from spectronctl.server.database.database import Database
from spectronctl.server.database.transaction import transaction
from spectronctl.server.database.values import check_text
from spectronctl.server.index.rows import SearchIndex
from spectronctl.server.index.table import at_slot
from spectronctl.server.recall.rows import Candidate
from spectronctl.server.recall.words import Words, score_words
from spectronctl.server.registry.context_database import query_one
from spectronctl.server.registry.rows import ContextRow

_EFFORT = 100  # how many vectors a search keeps in sight at least
_ROUNDING = 1e-5  # the index compares 32-bit numbers

# Nothing but NONE when another table serves by now. The memory may have been deleted after it was indexed.
_SERVES = "LET $serves = (SELECT VALUE slot FROM ONLY search_index:current) = $slot;"

_NEAR = transaction(f"""
{_SERVES}
IF $serves {{ encoding::json::encode((
    SELECT chunk_id AS id, text, scopes, 1 - distance AS score FROM (
        SELECT chunk_id, text, scopes, vector::distance::knn() AS distance
        FROM search_<slot> WHERE vector <|<most>,<effort>|> $vector
    ) WHERE record::exists(memory_chunk:[chunk_id]) ORDER BY score DESC
)) }};
""")

_WORDS = transaction(f"""
{_SERVES}
IF $serves {{ encoding::json::encode((
    SELECT chunk_id AS id, text, scopes, score FROM (
        SELECT chunk_id, text, scopes, search::score(0) AS score
        FROM search_<slot> WHERE text @0,OR@ $query ORDER BY score DESC LIMIT $most
    ) WHERE record::exists(memory_chunk:[chunk_id]) ORDER BY score DESC
)) }};
""")

# How near the nearest of all are, and of those of the region what they are. (A search by vectors in a LET is NONE.)
_NEAR_IN_ALL = transaction(f"""
{_SERVES}
IF $serves {{ encoding::json::encode((
    SELECT score, IF record::exists(memory_chunk:[chunk_id]) AND {WITHIN} {{
        {{ id: chunk_id, text: text, scopes: scopes, score: score }}
    }} ELSE {{ NONE }} AS found FROM (
        SELECT chunk_id, text, scopes, nodes, vector::similarity::cosine(vector, $vector) AS score
        FROM search_<slot> WHERE vector <|<wide>,<wide>|> $vector
    )
)) }};
""")

_NEAR_IN_REGION = transaction(f"""
{_SERVES}
IF $serves {{ encoding::json::encode((
    SELECT chunk_id AS id, text, scopes, score FROM (
        SELECT chunk_id, text, scopes, nodes,
            IF vector IS NONE {{ NONE }} ELSE {{ vector::similarity::cosine(vector, $vector) }} AS score
        FROM search_<slot> WHERE {MAYBE_WITHIN}
    ) WHERE score IS NOT NONE AND record::exists(memory_chunk:[chunk_id]) AND {WITHIN}
    ORDER BY score DESC, id LIMIT $most
)) }};
""")

# The memories themselves, not the table with their vectors: those take most of the time of a scan.
_WORDS_IN_REGION = transaction(f"""
LET $terms = array::distinct(search::analyze('memory_text', $query));
LET $rows = SELECT chunk_id AS id, text, scopes, search::analyze('memory_text', text) AS words
    FROM memory_chunk WHERE {WITHIN};
encoding::json::encode({{
    terms: $terms, rows: array::len($rows), words: math::sum($rows.map(|$row: object| array::len($row.words))),
    found: (SELECT * FROM $rows WHERE words CONTAINSANY $terms)
}});
""")


class FindingTable:
    """Searches in the memories of a region."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_near(
        self,
        context: ContextRow,
        region: Region,
        index: SearchIndex,
        vector: list[float],
        *,
        most: int,
        least: float = -1.0,
    ) -> list[Candidate] | None:
        variables = {"slot": index.slot, "vector": vector}
        if region.is_whole:
            text = at_slot(_NEAR, index.slot, most=most, effort=max(most, _EFFORT))
            return _parse_candidates(await self._ask(context, region, text, variables))
        wide = max(2 * most, _EFFORT)
        text = at_slot(_NEAR_IN_ALL, index.slot, wide=wide)
        nearest = await self._ask(context, region, text, variables)
        if nearest is None:
            return None
        complete = _complete(nearest, wide, most, least)
        if complete is not None:
            return complete
        text = at_slot(_NEAR_IN_REGION, index.slot)
        return _parse_candidates(
            await self._ask(context, region, text, {**variables, "most": most})
        )

    async def find_words(
        self, context: ContextRow, region: Region, index: SearchIndex, query: str, *, most: int
    ) -> list[Candidate] | None:
        variables = {"slot": index.slot, "query": check_text(query, "query"), "most": most}
        if region.is_whole:
            text = at_slot(_WORDS, index.slot)
            return _parse_candidates(await self._ask(context, region, text, variables))
        found = await self._ask(context, region, _WORDS_IN_REGION, variables)
        return score_words(Words(**found))[:most]

    async def _ask(
        self, context: ContextRow, region: Region, text: str, variables: dict[str, Any]
    ) -> Any:
        """What is found; None when another table serves by now."""
        if region.is_whole:
            found = await query_one(self._database, context, text, **variables)
        else:
            found = await query_one_region(self._database, context, region, text, **variables)
        return None if found is None else json.loads(found)


def _complete(
    nearest: list[dict[str, Any]], wide: int, most: int, least: float
) -> list[Candidate] | None:
    """
    The nearest of the region, if the `wide` nearest of all are sure to hold them; None when only a scan can tell.

    What was left out is no nearer than the edge. What is as near as the edge may have been left out too, so that it
    would depend on the rows of others which of those are found.
    """
    edge = -2.0
    if len(nearest) >= wide:
        edge = min(each["score"] for each in nearest) + _ROUNDING
    inside = [Candidate(**each["found"]) for each in nearest if each.get("found")]
    sure = [each for each in inside if each.score > edge]
    if edge >= least and len(sure) < most:
        return None
    return sorted(sure, key=lambda each: (-each.score, each.id))[:most]


def _parse_candidates(found: Any) -> list[Candidate] | None:
    return None if found is None else [Candidate(**row) for row in found]

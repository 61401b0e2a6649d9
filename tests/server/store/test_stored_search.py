"""What recall looks through, in the store, on both embedded engines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.database.schema import Migrations, load_migrations
from spectronctl.server.index.rows import Build, SearchIndex
from spectronctl.server.index.table import SearchTable
from spectronctl.server.jobs.rows import ClaimedJob, LostJobError
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.recall.finding import FindingTable
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.upkeep.table import UpkeepTable
from tests.support.memories import SCOPES, claim_reindex, remember

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]

FIRST = SearchIndex(slot="a", embedder="local/hashing", dimension=256)


def point(place: int, length: int = 256) -> list[float]:
    """A vector along one axis."""
    return [1.0 if number == place else 0.0 for number in range(length)]


@pytest.fixture
async def context(store: Database, make_context: MakeContext) -> ContextRow:
    return await Provisioning(store).create_context(make_context(), providers={})


async def ask(store: Database, context: ContextRow, text: str) -> Any:
    (result,) = await query_context(store, context, text, {})
    return result


async def begin(store: Database, context: ContextRow, claimed: ClaimedJob, length: int) -> Build:
    await SearchTable(store).open_build(context, claimed)
    return await SearchTable(store).begin_build(context, claimed, dimension=length)


async def fill(store: Database, context: ContextRow, claimed: ClaimedJob, length: int) -> Build:
    """A build of every memory, each along an axis of its own."""
    build = await begin(store, context, claimed, length)
    chunks = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=100)
    vectors = [point(number, length) for number in range(len(chunks))]
    return await SearchTable(store).add_to_build(context, claimed, build, chunks, vectors)


async def find(store: Database, context: ContextRow, vector: list[float]) -> list[str]:
    index = await SearchTable(store).load_index(context)
    found = await FindingTable(store).find_near(context, WHOLE, index, vector, most=10)
    assert found is not None
    return [each.text for each in found]


async def test_a_memory_is_found_by_its_vector_and_by_its_words(
    store: Database, context: ContextRow
) -> None:
    texts = ("Bo likes green tea", "Al likes black coffee")
    await remember(store, context, *texts, vectors=[point(0), point(1)])
    await remember(store, context, *(f"something else, {number}" for number in range(8)))
    assert await SearchTable(store).load_index(context) == FIRST
    near = await FindingTable(store).find_near(context, WHOLE, FIRST, point(1), most=2)
    assert near is not None
    assert [(each.text, round(each.score, 6)) for each in near] == [(texts[1], 1), (texts[0], 0)]
    words = await FindingTable(store).find_words(context, WHOLE, FIRST, "COFFEE?", most=5)
    assert words is not None
    assert [(each.text, each.scopes) for each in words] == [(texts[1], SCOPES)]
    assert words[0].score > 0
    either = await FindingTable(store).find_words(context, WHOLE, FIRST, "tea coffee", most=5)
    assert {each.text for each in either or ()} == set(texts), "some of the words are enough"


async def test_a_memory_without_a_vector_is_found_by_its_words(
    store: Database, context: ContextRow
) -> None:
    (chunk,) = await remember(store, context, "Bo likes tea")
    assert await find(store, context, point(0)) == []
    words = await FindingTable(store).find_words(context, WHOLE, FIRST, "tea", most=5)
    assert [each.id for each in words or ()] == [chunk]
    (left,) = await SearchTable(store).list_unindexed(context, WHOLE, after="", limit=5)
    assert left.id == chunk
    await SearchTable(store).index_chunks(context, FIRST, [left], [point(3)])
    assert await find(store, context, point(3)) == ["Bo likes tea"]
    assert await SearchTable(store).list_unindexed(context, WHOLE, after="", limit=5) == []


async def test_a_vector_of_another_kind_is_left_out_and_the_memory_is_kept(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "too short", vectors=[point(0, 8)])
    assert await find(store, context, point(0)) == []
    assert await SearchTable(store).count_chunks(context, WHOLE) == 1


async def test_what_is_deleted_is_not_found(store: Database, context: ContextRow) -> None:
    ids = await remember(store, context, "one", "two", vectors=[point(0), point(1)])
    assert await UpkeepTable(store).delete_chunks(context, [ids[0], "memory_chunk:missing"]) == 1
    assert await find(store, context, point(0)) == ["two"]
    words = await FindingTable(store).find_words(context, WHOLE, FIRST, "one", most=5)
    assert words == []
    assert await ask(store, context, "SELECT VALUE chunk_id FROM search_a") == [ids[1]]


async def test_a_build_serves_only_once_it_is_switched_to(
    store: Database, context: ContextRow
) -> None:
    ids = await remember(store, context, "one", "two", vectors=[point(5), point(6)])
    claimed = await claim_reindex(store, context)
    build = await fill(store, context, claimed, 16)
    assert (build.slot, build.dimension, build.cursor, build.done) == ("b", 16, ids[1], 2)
    assert await SearchTable(store).open_build(context, claimed) == build
    assert await find(store, context, point(6)) == ["two", "one"], "the old index serves"

    await SearchTable(store).switch_to_build(context, claimed, build, embedder="acme/small")
    now = SearchIndex(slot="b", embedder="acme/small", dimension=16)
    assert await SearchTable(store).load_index(context) == now
    assert await find(store, context, point(1, 16)) == ["two", "one"]
    assert await FindingTable(store).find_near(context, WHOLE, FIRST, point(6), most=2) is None, (
        "it no longer serves"
    )
    assert await FindingTable(store).find_words(context, WHOLE, FIRST, "two", most=2) is None

    await SearchTable(store).close_build(context, claimed)
    assert await SearchTable(store).open_build(context, claimed) == build, "nothing is left to do"
    assert await ask(store, context, "SELECT VALUE chunk_id FROM search_a") == []
    later = await remember(store, context, "three")
    words = await FindingTable(store).find_words(context, WHOLE, now, "three", most=5)
    assert [each.id for each in words or ()] == later
    await UpkeepTable(store).delete_chunks(context, [ids[1]])
    assert await find(store, context, point(1, 16)) == ["one"]


async def test_the_other_table_is_made_as_the_first_one(
    store: Database, context: ContextRow
) -> None:
    async def describe(slot: str) -> str:
        info = await ask(store, context, f"INFO FOR TABLE search_{slot}")
        return str({**info}).replace(f"search_{slot}", "search")

    first = await describe("a")
    claimed = await claim_reindex(store, context)
    await begin(store, context, claimed, 256)
    assert await describe("b") == first
    assert re.search("HNSW DIMENSION 256", first)


async def test_a_batch_is_written_with_its_place_or_not_at_all(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one", "two")
    claimed = await claim_reindex(store, context)
    build = await begin(store, context, claimed, 4)
    chunks = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=10)
    with pytest.raises(Exception, match="vector dimension"):
        await SearchTable(store).add_to_build(
            context, claimed, build, chunks, [point(0, 4), point(0, 5)]
        )
    assert await SearchTable(store).open_build(context, claimed) == build
    assert await ask(store, context, "SELECT VALUE chunk_id FROM search_b") == []


async def test_a_batch_whose_place_was_lost_is_written_once(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one", "two")
    claimed = await claim_reindex(store, context)
    await SearchTable(store).open_build(context, claimed)
    build = await SearchTable(store).begin_build(context, claimed, dimension=4)
    chunks = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=10)
    vectors = [point(0, 4), point(1, 4)]
    first = await SearchTable(store).add_to_build(context, claimed, build, chunks, vectors)
    assert await SearchTable(store).add_to_build(context, claimed, build, chunks, vectors) == first
    assert len(await ask(store, context, "SELECT VALUE chunk_id FROM search_b")) == 2


async def test_a_worker_that_lost_a_job_can_change_nothing(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one")
    first = await claim_reindex(store, context)
    build = await fill(store, context, first, 4)
    second = ClaimedJob(first.job, "another claim")
    assert await SearchTable(store).open_build(context, second) == build
    chunks = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=10)
    for attempt in (
        SearchTable(store).begin_build(context, first, dimension=4),
        SearchTable(store).add_to_build(context, first, build, chunks, [point(0, 4)]),
        SearchTable(store).switch_to_build(context, first, build, embedder="acme/small"),
        SearchTable(store).close_build(context, first),
    ):
        with pytest.raises(LostJobError):
            await attempt
    assert await SearchTable(store).load_index(context) == FIRST
    assert await SearchTable(store).open_build(context, second) == build


async def test_who_opens_a_build_for_an_older_job_leaves_it_as_it_is(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one")
    first = await claim_reindex(store, context)
    await JobTable(store).finish_job(first, "failed", done=0, total=1)
    second = await claim_reindex(store, context)
    build = await fill(store, context, second, 4)
    assert await SearchTable(store).open_build(context, first) is None
    with pytest.raises(LostJobError):
        await SearchTable(store).switch_to_build(context, second, build, embedder="acme/small")
    assert await SearchTable(store).open_build(context, second) == build


async def test_a_build_that_is_closed_before_it_serves_is_forgotten(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one")
    claimed = await claim_reindex(store, context)
    await fill(store, context, claimed, 4)
    await SearchTable(store).close_build(context, claimed)
    assert await SearchTable(store).open_build(context, claimed) is None
    assert await ask(store, context, "SELECT VALUE chunk_id FROM search_b") == []


async def test_what_is_written_after_its_turn_has_passed_is_found_by_its_words_at_once(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one")
    claimed = await claim_reindex(store, context)
    build = await fill(store, context, claimed, 4)
    (late,) = await remember(store, context, "two")
    await SearchTable(store).switch_to_build(context, claimed, build, embedder="acme/small")
    now = await SearchTable(store).load_index(context)
    words = await FindingTable(store).find_words(context, WHOLE, now, "two", most=5)
    assert [each.id for each in words or ()] == [late]
    (left,) = await SearchTable(store).list_unindexed(context, WHOLE, after="", limit=5)
    assert left.id == late


async def test_a_memory_without_a_vector_takes_none_away(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one", vectors=[point(1)])
    chunks = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=5)
    await SearchTable(store).index_chunks(context, FIRST, chunks, [None])
    assert await find(store, context, point(1)) == ["one"]


async def test_a_new_job_begins_anew_where_an_earlier_one_stopped(
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one")
    first = await claim_reindex(store, context)
    await fill(store, context, first, 4)
    await JobTable(store).finish_job(first, "failed", done=1, total=1)
    second = await claim_reindex(store, context)
    assert await SearchTable(store).open_build(context, second) is None
    build = await fill(store, context, second, 8)
    assert build.done == 1
    with pytest.raises(LostJobError):
        await SearchTable(store).switch_to_build(context, first, build, embedder="acme/small")


async def test_what_is_deleted_while_it_is_embedded_does_not_come_back(
    store: Database, context: ContextRow
) -> None:
    ids = await remember(store, context, "one", "two")
    claimed = await claim_reindex(store, context)
    build = await begin(store, context, claimed, 4)
    chunks = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=10)
    await UpkeepTable(store).delete_chunks(context, [ids[0]])
    build = await SearchTable(store).add_to_build(
        context, claimed, build, chunks, [point(0, 4), point(1, 4)]
    )
    await SearchTable(store).switch_to_build(context, claimed, build, embedder="acme/small")
    assert await find(store, context, point(0, 4)) == ["two"]
    assert await ask(store, context, "SELECT VALUE chunk_id FROM search_b") == [ids[1]]


async def test_memories_written_at_once_are_all_found(store: Database, context: ContextRow) -> None:
    await asyncio.gather(
        *(
            remember(store, context, f"number {number}", vectors=[point(number)])
            for number in range(20)
        )
    )
    found = await FindingTable(store).find_near(context, WHOLE, FIRST, point(7), most=50)
    assert found is not None
    assert (len(found), found[0].text) == (20, "number 7")


async def test_a_query_is_remembered_for_a_day(store: Database, context: ContextRow) -> None:
    assert await SearchTable(store).find_cached_vector(context, WHOLE, "acme/small", "tea?") is None
    await SearchTable(store).cache_vector(context, WHOLE, "acme/small", "tea?", [0.5, 0.5])
    await SearchTable(store).cache_vector(context, WHOLE, "acme/small", "tea?", [0.25, 0.5])
    assert await SearchTable(store).find_cached_vector(context, WHOLE, "acme/small", "tea?") == [
        0.25,
        0.5,
    ]
    assert await SearchTable(store).find_cached_vector(context, WHOLE, "acme/large", "tea?") is None
    assert await UpkeepTable(store).prune_cache(context, WHOLE) == 0
    await ask(store, context, "UPDATE query_cache SET expires_at = time::now() - 1s RETURN NONE")
    assert await SearchTable(store).find_cached_vector(context, WHOLE, "acme/small", "tea?") is None
    assert await UpkeepTable(store).prune_cache(context, WHOLE) == 1


async def test_pages_of_memories_come_from_an_index(store: Database, context: ContextRow) -> None:
    await remember(store, context, *(f"number {number}" for number in range(5)))
    first = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=3)
    rest = await SearchTable(store).list_chunks(context, WHOLE, after=first[-1].id, limit=3)
    assert [each.text for each in (*first, *rest)] == [f"number {n}" for n in range(5)]
    plan = await ask(
        store,
        context,
        "SELECT chunk_id FROM memory_chunk WHERE chunk_id > '' ORDER BY chunk_id LIMIT 3 EXPLAIN",
    )
    assert "IndexScan" in str(plan)
    assert "KnnScan" in str(
        await ask(
            store,
            context,
            f"SELECT chunk_id FROM search_a WHERE vector <|3,40|> {point(0)} EXPLAIN",
        )
    )


async def test_memories_from_before_are_found_by_their_words_after_the_upgrade(
    file_url: str, make_context: MakeContext
) -> None:
    shipped = load_migrations()
    names = [migration.name for migration in shipped.context]
    before = Migrations(shipped.metadata, shipped.context[: names.index("search")])
    older = await open_store(file_url, migrations=before)
    context = await Provisioning(older).create_context(make_context(), providers={})
    await older.query(
        "CREATE memory_chunk:['memory_chunk:1'] CONTENT { chunk_id: 'memory_chunk:1', session_id: 's', "
        "turn_id: 't', scopes: [['org/acme']], text: 'Bo likes tea', created_at: time::now() } RETURN NONE;",
        at=Binding(context.namespace, context.database),
    )
    await older.close()
    newer = await open_store(file_url)
    words = await FindingTable(newer).find_words(context, WHOLE, FIRST, "tea", most=5)
    unindexed = await SearchTable(newer).list_unindexed(context, WHOLE, after="", limit=5)
    await newer.close()
    assert [each.text for each in words or ()] == ["Bo likes tea"]
    assert len(unindexed) == 1


async def test_writes_wait_for_the_schema(file_url: str, make_context: MakeContext) -> None:
    shipped = load_migrations()
    names = [migration.name for migration in shipped.context]
    before = Migrations(shipped.metadata, shipped.context[: names.index("search")])
    store = await open_store(file_url, migrations=before)
    context = await Provisioning(store).create_context(make_context(), providers={})
    with pytest.raises(UnavailableError, match="schema is behind"):
        await SearchTable(store).cache_vector(context, WHOLE, "acme/small", "tea?", [1.0])
    await store.close()

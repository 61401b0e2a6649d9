"""What a region may read, as the database filters it: exactly what `Region` says, and the nearest of it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import random
from collections.abc import Callable
from itertools import product

import pytest

from spectronctl import server
from spectronctl.server.access.regions import query_region
from spectronctl.server.access.scopes import WHOLE, Region, list_nodes
from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.database.schema import Migrations, load_migrations
from spectronctl.server.index.rows import SearchIndex
from spectronctl.server.index.table import SearchTable
from spectronctl.server.recall import finding
from spectronctl.server.recall.finding import FindingTable
from spectronctl.server.recall.rows import Candidate
from spectronctl.server.recall.words import Words, score_words
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions.table import SessionTable
from tests.support.memories import remember

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]

FIRST = SearchIndex(slot="a", embedder="local/hashing", dimension=256)
OURS = Region(("org/a",))
TAGS: tuple[list[list[str]], ...] = (
    [],
    [["org/a"]],
    [["org/a/user/bo"]],
    [["org/a-two"]],
    [["org"]],
    [["org/b"]],
    [["org/a"], ["org/b"]],
    [["org/a", "team/x"]],
    [["org/a/user/bo", "org/a/user/al"]],
    [["team/x", "org/a"], ["org/b", "team/x"]],
    [["org/b", "team/x"], ["team/x/y"]],
)
REGIONS = [
    Region(roots, lens)
    for roots, lens in product(
        (None, ("org/a",), ("org",), ("org/a", "team/x"), ("org/a", "org/b"), ("nowhere",), ()),
        ((), (("org/a",),), (("org", "team/x"),), (("org/b",), ("team/x/y",)), (("no",),)),
    )
] + [
    Region((), nodes=("org/a",)),
    Region((), nodes=("org/a", "team/x")),
    Region(("org/b",), nodes=("org", "org/a")),
    Region(("team/x",), (("org",),), nodes=("org/a",)),
]

READS = ("memory_chunk", "session", "turn", "search_<slot>", "query_cache")
NO_REGION_NEEDED = {
    "delete_chunks": "of ids that a read of a region gave: a count of its own arguments",
    "delete_session": "of a session that a read of a region gave: whether it was deleted",
}


def point(*places: float) -> list[float]:
    return [*places, *([0.0] * (256 - len(places)))]


@pytest.fixture
async def context(store: Database, make_context: MakeContext) -> ContextRow:
    return await Provisioning(store).create_context(make_context(), providers={})


async def test_the_database_reads_what_the_region_says(
    store: Database, context: ContextRow
) -> None:
    for at, scopes in enumerate(TAGS):
        text = f"tea {at}"
        vector = point(1.0, at)
        await remember(store, context, text, vectors=[vector], scopes=scopes)
    for region in REGIONS:
        wanted = {f"tea {at}" for at, scopes in enumerate(TAGS) if region.can_read(scopes)}
        chunks = await SearchTable(store).list_chunks(context, region, after="", limit=99)
        sessions = await SessionTable(store).list_sessions(
            context, region, after="", before=None, limit=99
        )
        near = await FindingTable(store).find_near(context, region, FIRST, point(1.0, 1.0), most=99)
        words = await FindingTable(store).find_words(context, region, FIRST, "tea", most=99)
        assert {each.text for each in chunks} == wanted, region
        assert sorted(each.scopes for each in sessions) == sorted(
            scopes for scopes in TAGS if region.can_read(scopes)
        ), region
        assert {each.text for each in near or ()} == wanted, region
        assert {each.text for each in words or ()} == wanted, region
        assert await SearchTable(store).count_chunks(context, region) == len(wanted)


async def make_crowd(store: Database, context: ContextRow) -> dict[str, list[float]]:
    """300 memories of org/b that are nearer to (1, 0, ...) than the 60 of org/a; the vectors of those."""
    numbers = random.Random(7)
    crowd = [point(1.0, numbers.uniform(0, 0.1)) for _ in range(300)]
    await remember(store, context, *(["tea"] * 300), vectors=crowd, scopes=[["org/b"]])
    ours = {
        f"tea {number}": point(1.0, 0.5 + number / 10, numbers.gauss(0, 1)) for number in range(60)
    }
    await remember(store, context, *ours, vectors=list(ours.values()), scopes=[["org/a"]])
    return ours


def order(vectors: dict[str, list[float]]) -> list[str]:
    """The texts, the nearest to (1, 0, ...) first."""
    lengths = {text: sum(number**2 for number in vector) for text, vector in vectors.items()}
    return sorted(vectors, key=lambda text: -vectors[text][0] / lengths[text] ** 0.5)


@pytest.mark.parametrize("most", [5, 20, 200])
async def test_a_crowd_of_others_hides_nothing(
    most: int, store: Database, context: ContextRow
) -> None:
    ours = await make_crowd(store, context)
    near = await FindingTable(store).find_near(context, OURS, FIRST, point(1.0), most=most)
    assert [each.text for each in near or ()] == order(ours)[:most]
    words = await FindingTable(store).find_words(context, OURS, FIRST, "tea", most=most)
    assert len(words or ()) == min(most, 60)


async def test_the_shorter_way_finds_what_the_scan_finds(
    store: Database, context: ContextRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_crowd(store, context)
    theirs = Region(("org/b",))
    for region, most in ((theirs, 10), (theirs, 40), (OURS, 10)):
        short = await FindingTable(store).find_near(context, region, FIRST, point(1.0), most=most)
        with monkeypatch.context() as patch:
            patch.setattr(finding, "_complete", lambda *_: None)
            scanned = await FindingTable(store).find_near(
                context, region, FIRST, point(1.0), most=most
            )
        assert short == scanned
        assert len(short or ()) == most


def test_only_what_is_nearer_than_all_that_was_left_out_is_sure() -> None:
    def found(score: float, *, inside: bool) -> dict[str, object]:
        row = {"id": str(score), "text": "", "scopes": [], "score": score}
        return {"score": score, "found": row if inside else None}

    ours = [found(0.9, inside=True), found(0.8, inside=True), found(0.7, inside=False)]
    tied = [found(0.9, inside=True), found(0.7, inside=True), found(0.7, inside=False)]

    def scores(rows: list[Candidate] | None) -> list[float] | None:
        return None if rows is None else [each.score for each in rows]

    assert scores(finding._complete(ours, 3, 2, -1)) == [0.9, 0.8]
    assert scores(finding._complete(ours, 3, 1, -1)) == [0.9]
    assert scores(finding._complete(ours, 3, 3, -1)) is None, "more could be among those left out"
    assert scores(finding._complete(ours, 4, 3, -1)) == [0.9, 0.8], "nothing was left out"
    assert scores(finding._complete(tied, 3, 2, -1)) is None, "others as near may be left out"
    assert scores(finding._complete(ours, 3, 3, 0.75)) == [0.9, 0.8], "farther ones do not count"


async def test_scores_of_words_count_the_rows_of_the_region_alone(
    store: Database, context: ContextRow
) -> None:
    texts = ("a zebra", "a lion and a long text about it", "tea", "a lion")
    await remember(store, context, *texts, scopes=[["org/a"]])
    alone = await FindingTable(store).find_words(context, OURS, FIRST, "zebra lion", most=9)
    assert [each.text for each in alone or ()] == ["a zebra", "a lion", texts[1]]
    await remember(store, context, *("zebra zebra" for _ in range(20)), scopes=[["org/b"]])
    assert await FindingTable(store).find_words(context, OURS, FIRST, "zebra lion", most=9) == alone


async def test_no_memories_and_no_words_are_no_hits(store: Database, context: ContextRow) -> None:
    assert await FindingTable(store).find_words(context, OURS, FIRST, "tea", most=9) == []
    assert await FindingTable(store).find_near(context, OURS, FIRST, point(1.0), most=9) == []
    await remember(store, context, "", "tea", scopes=[["org/a"]])
    assert await FindingTable(store).find_words(context, OURS, FIRST, " ", most=9) == []


def test_a_rare_word_says_more_and_a_long_text_less() -> None:
    def row(name: str, *words: str) -> dict[str, object]:
        return {"id": name, "text": "", "scopes": [], "words": words}

    rows = [row("1", "a", "b"), row("2", "a"), row("3", "a", "c", "c", "c"), row("4", "b")]
    scored = score_words(Words(terms=["a", "b"], rows=10, words=20, found=rows))
    assert [each.id for each in scored] == ["1", "4", "2", "3"]
    assert all(each.score > 0 for each in scored)


async def test_rows_from_before_are_in_the_region_after_the_upgrade(
    file_url: str, make_context: MakeContext
) -> None:
    shipped = load_migrations()
    names = [migration.name for migration in shipped.context]
    before = Migrations(shipped.metadata, shipped.context[: names.index("regions")])
    older = await open_store(file_url, migrations=before)
    context = await Provisioning(older).create_context(make_context(), providers={})
    at = Binding(context.namespace, context.database)
    for number, scopes in enumerate(TAGS):
        row = {"scopes": scopes, "vector": point(1.0, number), "number": str(number)}
        await older.query(
            "BEGIN; CREATE session:[$number] CONTENT { session_id: 'session:' + $number, scopes: $scopes, "
            "metadata: NULL, turn_count: 0 }; CREATE memory_chunk:[$number] CONTENT { chunk_id: $number, "
            "session_id: $number, turn_id: 't', scopes: $scopes, text: 'tea', created_at: time::now() }; "
            "CREATE search_a:[$number] CONTENT { chunk_id: $number, scopes: $scopes, text: 'tea', vector: $vector };"
            "COMMIT;",
            row,
            at=at,
        )
    with pytest.raises(UnavailableError, match="schema is behind"):
        await remember(older, context, "tea")
    await older.close()
    newer = await open_store(file_url)
    for table in ("session", "memory_chunk", "search_a"):
        (rows,) = await newer.query(f"SELECT scopes, nodes FROM {table}", at=at)
        assert len(rows) == len(TAGS)
        assert [sorted(row["nodes"]) for row in rows] == [
            sorted(list_nodes(row["scopes"])) for row in rows
        ]
    near = await FindingTable(newer).find_near(context, WHOLE, FIRST, point(1.0), most=99)
    assert len(near or ()) == len(TAGS)
    assert await SearchTable(newer).count_chunks(context, OURS) == sum(map(OURS.can_read, TAGS))
    await newer.close()


async def test_a_row_that_does_not_say_where_it_belongs_is_refused(
    store: Database, context: ContextRow
) -> None:
    for table in ("session", "memory_chunk", "search_a"):
        text = f"CREATE {table} CONTENT {{ scopes: [['org/a']] }}"
        with pytest.raises(Exception, match=r"nodes|field"):
            await query_context(store, context, text, {})


async def test_pages_of_the_whole_context_still_come_from_an_index(
    store: Database, context: ContextRow
) -> None:
    text = "SELECT chunk_id FROM memory_chunk WHERE chunk_id > '' AND <within> ORDER BY chunk_id LIMIT 3 EXPLAIN"
    for region, is_filtered in ((WHOLE, False), (OURS, True)):
        (plan,) = await query_region(store, context, region, text, {})
        assert "IndexScan" in str(plan)
        assert ("'Filter'" in str(plan)) == is_filtered


async def test_a_query_that_does_not_say_where_its_region_counts_is_refused(
    store: Database, context: ContextRow
) -> None:
    with pytest.raises(ValueError, match="where its region counts"):
        await query_region(store, context, OURS, "SELECT * FROM turn", {})


def list_reading_methods() -> dict[str, ast.AsyncFunctionDef]:
    """Every public method of a table whose SurrealQL names one of these tables, and that answers something."""
    found = {}
    for info in pkgutil.walk_packages(server.__path__, "spectronctl.server."):
        module = importlib.import_module(info.name)
        if info.ispkg:
            continue
        texts = {name: text for name, text in vars(module).items() if isinstance(text, str)}
        classes = [
            node
            for node in ast.parse(inspect.getsource(module)).body
            if isinstance(node, ast.ClassDef) and node.name.endswith("Table")
        ]
        for method in [each for table in classes for each in table.body]:
            if not isinstance(method, ast.AsyncFunctionDef) or method.name.startswith("_"):
                continue
            used = {node.id for node in ast.walk(method) if isinstance(node, ast.Name)}
            read = any(
                f"FROM {name}" in texts[each] or "$table" in texts[each]
                for each in used & texts.keys()
                for name in READS
            )
            answers = ast.unparse(method.returns) != "None" if method.returns else True
            if read and answers:
                found[method.name] = method
    return found


def test_every_method_that_reads_is_told_the_region() -> None:
    methods = list_reading_methods()
    assert methods.keys() >= {"get_session", "load_turns", "list_chunks", "find_near", "find_words"}
    assert methods.keys() >= {"find_vector", "list_broken", "prune_cache", "find_cached_vector"}
    for name, method in methods.items():
        if name in NO_REGION_NEEDED:
            continue
        given = [each.arg for each in method.args.args]
        defaults = len(method.args.defaults)
        required = given[: len(given) - defaults]
        assert required[1:3] == ["context", "region"], f"{name} has no region that must be given"
        used = sum(isinstance(n, ast.Name) and n.id == "region" for n in ast.walk(method))
        assert used, f"{name} does not look at its region"

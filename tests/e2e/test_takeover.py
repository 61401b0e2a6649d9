"""Several processes on one database: the worker of a job can be killed, and another one goes on."""

from __future__ import annotations

import itertools
import json
import math
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.index.reindex import BATCH
from spectronctl.server.index.table import SearchTable
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.rows import ContextRow
from tests.support.embeddings_endpoint import Endpoint, embed, serve
from tests.support.fleet import Fleet, Member, find_finished, start_bridge, wait_for
from tests.support.memories import remember_many
from tests.support.processes import Shell
from tests.support.soak import SOAK

MEMORIES = 50_000 if SOAK else 500
KILLS = 3
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "inlet", "jade")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve() as endpoint:
        yield endpoint


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a database that several processes share."""
    with start_bridge() as bridge:
        yield bridge.url


@pytest.fixture
def fleet(shell: Shell, tmp_path: Path, database: str, endpoint: Endpoint) -> Iterator[Fleet]:
    fleet = Fleet(shell, tmp_path, database, endpoint)
    yield fleet
    fleet.end()


def make_texts(count: int) -> list[str]:
    chance = random.Random(5)
    return [f"note {number:06} {' '.join(chance.sample(WORDS, 4))}" for number in range(count)]


def fill(fleet: Fleet, member: Member, texts: list[str], name: str = "acme-prod") -> None:
    fleet.create_context(member, name)

    async def act(store: Database, context: ContextRow) -> None:
        await remember_many(store, context, texts)

    fleet.with_context(act, name)


def read_vectors(fleet: Fleet, name: str = "acme-prod") -> dict[str, list[float]]:
    """Text → vector of every row where recall looks."""

    async def act(store: Database, context: ContextRow) -> dict[str, list[float]]:
        slot = (await SearchTable(store).load_index(context)).slot
        text = f"SELECT text, vector FROM search_{slot}"
        (found,) = await query_context(store, context, text, {})
        vectors = {row["text"]: row.get("vector") for row in found}
        assert len(vectors) == len(found)
        return vectors

    return fleet.with_context(act, name)


def check_index(fleet: Fleet, member: Member, texts: list[str], name: str = "acme-prod") -> None:
    """Every memory is where recall looks, once, with its own vector."""
    vectors = read_vectors(fleet, name)
    assert vectors.keys() == set(texts)
    wrong = [text for text in texts if math.dist(vectors[text], embed(text, 16)) > 1e-6]
    assert wrong == []
    body = {"check": "broken_references"}
    assert fleet.ask(member, "POST", f"/{name}/fsck", body)["brokenReferences"] == []


def recall(fleet: Fleet, member: Member, texts: list[str]) -> list[list[str]]:
    """The ids that queries find, each in one of three ways."""
    found = []
    queries = [*random.Random(9).sample(texts, 40 if SOAK else 10), *WORDS]
    for query, mode in zip(queries, itertools.cycle(["vector", "bm25", "hybrid"])):
        body = {"query": query, "mode": mode, "k": 10}
        hits = fleet.ask(member, "POST", "/acme-prod/query", body)["hits"]
        found.append([hit["id"] for hit in hits])
    return found


def count_repeated(endpoint: Endpoint, texts: list[str]) -> int:
    """How many texts were asked for again; each was asked for."""
    asked: Counter[str] = Counter(endpoint.count()["texts"])
    assert asked.keys() >= set(texts)
    return sum(asked[text] - 1 for text in texts)


def most_repeated(fleet: Fleet, job_id: str) -> int:
    """
    How many texts may be asked for again: a batch for each time that the job changed hands.

    Where leases are short, a machine that stands still for a second lets it change hands, too.
    """
    return (fleet.count_starts(job_id) - 1) * BATCH


def wait_until_asked(endpoint: Endpoint, count: int = 2 * BATCH + 1) -> None:
    """Until that many texts have reached the endpoint."""
    wait_for(lambda: len(endpoint.asked) >= count or None, seconds=600)


def slow_down(endpoint: Endpoint) -> None:
    """After a few batches, let the job last until it is told to hurry."""
    wait_until_asked(endpoint)
    endpoint.behave(delay=4)


def finish_watch(watching: subprocess.Popen[str]) -> Any:
    """The job as `lifecycle jobs watch` shows it in the end."""
    out, _ = watching.communicate(timeout=600)
    assert watching.returncode == 0
    return json.loads(out)


def serve_two(fleet: Fleet) -> list[Member]:
    return [fleet.start(), fleet.start()]


def serve_and_work_apart(fleet: Fleet) -> list[Member]:
    servers = [fleet.start("serve --port 0 --no-worker") for _ in range(2)]
    for _ in range(2):
        fleet.start("serve worker")
    return servers


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("begin", [serve_and_work_apart, *[serve_two] * SOAK])
def test_a_reindex_survives_the_death_of_its_workers(
    fleet: Fleet,
    endpoint: Endpoint,
    begin: Callable[[Fleet], list[Member]],
    record_property: Callable[[str, object], None],
) -> None:
    fleet.lease = None if SOAK else 2
    server, watched = begin(fleet)
    texts = make_texts(MEMORIES)
    fill(fleet, server, texts)
    endpoint.behave(delay=0 if SOAK else 0.16)
    started = time.monotonic()
    fleet.finish_job(server, fleet.start_job(server))
    alone = time.monotonic() - started
    before = recall(fleet, watched, texts)
    endpoint.asked.clear()

    started = time.monotonic()
    job_id = fleet.start_job(server)
    watching = fleet.watch(watched, job_id)
    if begin is serve_two:  # who is watched may be killed
        fleet.wait_until_watched()
    killed_at = []
    for mark in sorted(random.choices(range(MEMORIES + 1), k=KILLS)):
        holder = fleet.find_holder(job_id)
        wait_until_asked(endpoint, mark)
        killed_at.append(len(endpoint.asked))
        replaced = fleet.replace(holder)
        watched = replaced if holder is watched else watched
    job = finish_watch(watching)
    seconds = time.monotonic() - started

    assert (job["status"], job["error"]) == ("succeeded", None)
    assert job["progress"] == {"done": MEMORIES, "total": MEMORIES}
    told = (fleet.directory / "watch.log").read_text().splitlines()
    steps = [json.loads(line)["done"] for line in told if line.startswith("{")]
    assert steps == sorted(steps), "progress never goes back"
    repeated = count_repeated(endpoint, texts)
    assert repeated <= most_repeated(fleet, job_id)
    check_index(fleet, watched, texts)
    assert recall(fleet, watched, texts) == before
    record_property(
        "figures",
        f"takeover ({begin.__name__}): {MEMORIES:,} memories, killed at {killed_at}, {repeated} embedded twice, "
        f"{seconds:.0f} s instead of {alone:.0f} s",
    )


def test_a_worker_that_was_only_frozen_changes_nothing_when_it_wakes(
    fleet: Fleet, endpoint: Endpoint
) -> None:
    server = fleet.start("serve --port 0 --no-worker")
    first = fleet.start("serve worker")
    texts = make_texts(8 * BATCH)
    fill(fleet, server, texts)
    endpoint.behave(delay=0.2)
    job_id = fleet.start_job(server)
    wait_until_asked(endpoint, 4 * BATCH)
    first.process.send_signal(signal.SIGSTOP)
    second = fleet.start("serve worker")
    wait_for(lambda: second.holds(job_id) or None)
    first.process.send_signal(signal.SIGCONT)
    wait_for(lambda: f"job {job_id}: taken over" in first.log or None)
    job = fleet.finish_job(server, job_id)
    assert (job["status"], job["progress"]["done"]) == ("succeeded", len(texts))
    assert count_repeated(endpoint, texts) <= most_repeated(fleet, job_id) + BATCH
    check_index(fleet, server, texts)
    assert f"job {job_id}: succeeded" in second.log
    assert f"job {job_id}: succeeded" not in first.log


def test_facts_written_while_indexes_change_are_found_by_their_vectors(
    fleet: Fleet, endpoint: Endpoint
) -> None:
    fleet.lease = None
    servers = serve_two(fleet)
    texts = make_texts(200)
    fill(fleet, servers[0], texts)
    written: list[str] = []
    ended = threading.Event()

    def write(number: int) -> None:
        member, session = servers[number % 2], None
        for count in itertools.count():
            if ended.wait(0.03):
                return
            text = f"fact {count} of writer {number}"
            body = {"text": text, "infer": "none"} | ({"sessionId": session} if session else {})
            session = fleet.ask(member, "POST", "/acme-prod/facts", body)["sessionId"]
            written.append(text)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    rounds = 10 if SOAK else 2
    for number in range(rounds):
        job_id = fleet.start_job(servers[number % 2])
        assert fleet.finish_job(servers[0], job_id)["status"] == "succeeded"
    ended.set()
    for writer in writers:
        writer.join()
    assert len(written) > 20 * rounds, "hardly anything was written meanwhile"
    check_index(fleet, servers[1], texts + written)
    for text in random.sample(written, 20):
        body = {"query": text, "mode": "vector", "k": 1}
        (hit,) = fleet.ask(servers[0], "POST", "/acme-prod/query", body)["hits"]
        assert hit["text"] == text


def test_a_server_that_is_started_again_goes_on_at_once(
    shell: Shell, tmp_path: Path, endpoint: Endpoint
) -> None:
    # The real lease: no other process has the store open, so that none waits for it.
    fleet = Fleet(shell, tmp_path, f"surrealkv://{tmp_path}/store", endpoint, lease=None)
    try:
        server = fleet.start()
        fleet.create_context(server)
        assert server.stop()[0] == 0
        texts = make_texts(6 * BATCH)
        fleet.with_context(lambda store, context: remember_many(store, context, texts))
        server = fleet.start()
        endpoint.behave(delay=0.1)
        job_id = fleet.start_job(server)
        watching = fleet.watch(server, job_id)
        slow_down(endpoint)
        fleet.wait_until_watched()
        server = fleet.replace(server)
        endpoint.behave(delay=0)
        started = time.monotonic()
        fleet.find_holder(job_id)
        assert time.monotonic() - started < 10, "it waited for a lease of 15 s"
        assert finish_watch(watching)["status"] == "succeeded"
        assert count_repeated(endpoint, texts) <= BATCH
        check_index_offline(fleet, server, texts)
    finally:
        fleet.end()


def check_index_offline(fleet: Fleet, server: Member, texts: list[str]) -> None:
    body = {"check": "broken_references"}
    assert fleet.ask(server, "POST", "/acme-prod/fsck", body)["brokenReferences"] == []
    assert server.stop()[0] == 0
    assert read_vectors(fleet).keys() == set(texts)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("options", ["serve --port 0", "serve worker"])
def test_a_process_that_is_told_to_stop_hands_its_job_over_at_once(
    fleet: Fleet, endpoint: Endpoint, options: str
) -> None:
    fleet.lease = None
    server = fleet.start("serve --port 0 --no-worker")
    first = fleet.start(options)
    texts = make_texts(6 * BATCH)
    fill(fleet, server, texts)
    endpoint.behave(delay=0.1)
    job_id = fleet.start_job(server)
    slow_down(endpoint)
    second = fleet.start(options)
    code, out, seconds = first.stop()
    assert (code, out) == (0, "")
    assert seconds < 10
    endpoint.behave(delay=0)
    started = time.monotonic()
    wait_for(lambda: second.holds(job_id) or None)
    assert time.monotonic() - started < 10, "it waited for a lease of 15 s"
    assert fleet.finish_job(server, job_id)["status"] == "succeeded"
    assert count_repeated(endpoint, texts) <= BATCH
    check_index(fleet, server, texts)


def test_a_job_that_another_process_works_on_is_cancelled_between_two_batches(
    fleet: Fleet, endpoint: Endpoint
) -> None:
    fleet.lease = None
    server = fleet.start("serve --port 0 --no-worker")
    worker = fleet.start("serve --port 0")
    texts = make_texts(6 * BATCH)
    fill(fleet, server, texts)
    before = read_vectors(fleet)
    endpoint.behave(delay=0.1)
    job_id = fleet.start_job(server)
    slow_down(endpoint)
    cancelled = fleet.ask(server, "DELETE", f"/contexts/acme-prod/lifecycle/jobs/{job_id}")
    assert cancelled["status"] == "running"
    job = fleet.finish_job(server, job_id)
    assert job["status"] == "cancelled"
    assert 0 < job["progress"]["done"] < len(texts)
    assert read_vectors(fleet) == before, "the old index serves"
    assert f"job {job_id}: cancelled" in worker.log
    endpoint.behave(delay=0)
    again = fleet.finish_job(server, fleet.start_job(server))
    assert again["status"] == "succeeded"
    check_index(fleet, server, texts)


def test_a_database_that_is_away_for_a_while_fails_no_job(
    shell: Shell, tmp_path: Path, endpoint: Endpoint
) -> None:
    texts = make_texts(6 * BATCH)
    with start_bridge(f"surrealkv://{tmp_path}/engine") as bridge:
        fleet = Fleet(shell, tmp_path, bridge.url, endpoint)
        try:
            server = fleet.start()
            fill(fleet, server, texts)
            endpoint.behave(delay=0.3)
            job_id = fleet.start_job(server)
            wait_until_asked(endpoint)
            bridge.kill()
            time.sleep(10 if SOAK else 3)
            bridge.start()
            job = wait_for(lambda: read_finished(fleet, server, job_id), pause=0.2)
            assert (job["status"], job["error"]) == ("succeeded", None)
            assert count_repeated(endpoint, texts) <= most_repeated(fleet, job_id)
            check_index(fleet, server, texts)
        finally:
            fleet.end()


def read_finished(fleet: Fleet, server: Member, job_id: str) -> dict[str, Any] | None:
    try:
        return find_finished(fleet.read_job(server, job_id))
    except AssertionError:  # 503: the server has not found its database again
        return None


def test_a_worker_asks_no_private_provider_unless_it_is_allowed(
    fleet: Fleet, endpoint: Endpoint
) -> None:
    server = fleet.start("serve --port 0 --no-worker")
    fleet.create_context(server)
    fleet.allow_private = False
    worker = fleet.start("serve worker")
    job = fleet.finish_job(server, fleet.start_job(server))
    assert job["status"] == "failed"
    assert "its address is private" in job["error"]
    assert "--allow-private-providers" in job["error"]
    assert endpoint.requests == []
    fleet.members.remove(worker)
    worker.kill()
    fleet.allow_private = True
    fleet.start("serve worker")
    assert fleet.finish_job(server, fleet.start_job(server))["status"] == "succeeded"


def test_two_workers_share_the_jobs_of_many_contexts(fleet: Fleet, endpoint: Endpoint) -> None:
    fleet.lease = None
    server = fleet.start("serve --port 0 --no-worker")
    names = [f"context-{number}" for number in range(5)]
    texts = {name: [f"{name}: note {n}" for n in range(BATCH)] for name in names}
    for name in names:
        fill(fleet, server, texts[name], name)
    endpoint.behave(delay=3)
    jobs = {name: fleet.start_job(server, name) for name in names}
    time.sleep(1.5)
    assert {fleet.read_job(server, jobs[name], name)["status"] for name in names} == {"queued"}
    workers = [fleet.start("serve worker") for _ in range(2)]
    wait_for(lambda: all("at work" in worker.log for worker in workers) or None)
    endpoint.behave(delay=0)
    for name in names:
        assert fleet.finish_job(server, jobs[name], name)["status"] == "succeeded"
        assert count_repeated(endpoint, texts[name]) == 0
        check_index(fleet, server, texts[name], name)
    for name in names:
        done = [worker.log.count(f"job {jobs[name]}: succeeded") for worker in workers]
        assert sorted(done) == [0, 1]

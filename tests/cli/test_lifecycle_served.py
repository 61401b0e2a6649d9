"""`spectronctl lifecycle` on the real server, whose jobs are worked on where the mark says so."""

from __future__ import annotations

import json

import pytest

from tests.support.commandline import SENTINEL, CommandLine
from tests.support.embeddings_endpoint import serve as serve_vectors
from tests.support.faults import lose_answer
from tests.support.keeping import LONG_AGO, keep, keep_passing
from tests.support.server import Server


def test_expiry_is_told_beforehand_and_done(acme: CommandLine, server: Server) -> None:
    keep_passing(server, 3)
    keep(server, "the name", memory_category="identity", observed_at=LONG_AGO)

    before = acme(f"lifecycle expire --api-key {server.key} --dry-run", env={"CI": "1"})
    assert (before.out, before.err) == ("3\n", "3 memories would expire; nothing was expired.\n")
    done = acme("lifecycle expire --yes -o json")
    assert (done.json, done.err) == ({"affected": 3}, "Expired 3 memories.\n")
    assert acme("lifecycle expire --yes -o json").json == {"affected": 0}


def test_decay_expires_and_prunes(acme: CommandLine, server: Server) -> None:
    keep_passing(server, 2)
    result = acme("lifecycle decay --yes -o json")
    assert result.json["expired_memories"] == 2
    assert result.err.startswith("Expired 2 memories, pruned ")


def test_what_keeps_a_context_key_from_expiring_is_told(acme: CommandLine) -> None:
    secret = acme.home / "secret"
    acme(f"keys create agent --secret-file {secret}")
    result = acme(f"lifecycle expire --yes --api-key-file {secret} -o json")
    assert (result.code, result.out, result.error["kind"]) == (4, "", "forbidden")


def test_duplicates_are_found(acme: CommandLine, server: Server) -> None:
    for _ in range(2):
        keep(server, "the same words")
    found = acme("lifecycle fsck --check duplicates --exit-code --no-header")
    assert found.code == 20
    assert found.out.split()[0] == "duplicates"
    assert acme("lifecycle fsck --check contradictions --exit-code").code == 0
    unknown = acme("lifecycle fsck --check nonsense -o json")
    assert (unknown.code, unknown.error["kind"]) == (7, "invalid")


def test_every_context_is_seen_to(acme: CommandLine, server: Server) -> None:
    acme("contexts create beta --namespace acme --database beta")
    keep_passing(server, 1)
    result = acme("lifecycle expire --all-contexts --yes -o json", env={"SPECTRON_CONTEXT_ID": ""})
    assert result.json == [
        {"context": "acme-prod", "affected": 1},
        {"context": "beta", "affected": 0},
    ]
    unknown = acme("lifecycle decay acme-prod missing --yes -o json")
    assert unknown.code == 1
    assert [row["context"] for row in unknown.json if "error" in row] == ["missing"]


@pytest.mark.worker
def test_a_reindex_embeds_every_chunk(acme: CommandLine, server: Server) -> None:
    for number in range(20):
        keep(server, f"memory number {number}")
    result = acme("lifecycle reindex -o json")
    assert result.code == 0, result.err
    assert result.json["status"] == "succeeded"
    assert result.json["progress"] == {"done": 20, "total": 20}
    assert "has reindexed 20 chunks of context acme-prod" in result.err
    assert acme("lifecycle jobs list --status succeeded -o name").out.strip() == result.json["id"]
    again = acme(f"lifecycle jobs watch {result.json['id']} -o json")
    assert (again.code, again.json) == (0, result.json)


@pytest.mark.worker
def test_contexts_are_reindexed_at_once(acme: CommandLine, server: Server) -> None:
    acme("contexts create beta --namespace acme --database beta")
    keep(server, "a memory")
    result = acme("lifecycle reindex --all-contexts -o json", env={"SPECTRON_CONTEXT_ID": ""})
    assert [(row["context"], row["status"]) for row in result.json] == [
        ("acme-prod", "succeeded"),
        ("beta", "succeeded"),
    ]


def test_one_queued_is_refused_named_joined_and_cancelled(
    acme: CommandLine, server: Server
) -> None:
    job = acme("lifecycle reindex --no-wait -o json").json
    assert (job["status"], job["kind"]) == ("queued", "reindex")

    refused = acme("lifecycle reindex -o json")
    assert (refused.code, refused.error["kind"]) == (6, "conflict")
    assert refused.error["command"] == f"spectronctl lifecycle jobs watch {job['id']} -c acme-prod"
    joined = acme("lifecycle reindex --if-running join --no-wait -o json")
    assert joined.json == job

    for _ in range(2):
        cancelled = acme(f"lifecycle jobs cancel {job['id']} --wait -o json")
        assert (cancelled.code, cancelled.json["status"]) == (0, "cancelled")
    assert acme(f"lifecycle jobs watch {job['id']}").code == 6


@pytest.mark.worker
def test_a_job_that_is_over_cannot_be_cancelled(acme: CommandLine) -> None:
    job = acme("lifecycle reindex -o name").out.strip()
    result = acme(f"lifecycle jobs cancel {job} -o json")
    assert (result.code, result.error["kind"]) == (6, "conflict")
    assert "succeeded" in result.error["message"]


def test_a_wait_gives_up_and_the_job_stays(acme: CommandLine) -> None:
    result = acme("lifecycle reindex --wait-timeout 100ms -o json")
    assert (result.code, result.out) == (10, "")
    error = json.loads(result.err.splitlines()[-1])
    assert error["command"].startswith("spectronctl lifecycle jobs watch job_")
    assert acme("lifecycle jobs list --status queued -o name").out.strip() in error["command"]


def test_a_lost_answer_is_settled_by_the_list_of_jobs(acme: CommandLine, server: Server) -> None:
    server.faults.append(lose_answer)
    server.asked()
    result = acme("lifecycle reindex --no-wait -o json")
    assert (result.code, result.json["status"]) == (0, "queued")
    assert [line.split()[0] for line in server.asked()].count("POST") == 1


def test_a_job_of_another_context_is_not_found(acme: CommandLine) -> None:
    acme("contexts create beta --namespace acme --database beta")
    job = acme("lifecycle reindex beta --no-wait -o name").out.strip()
    for verb in ("get", "watch", "cancel"):
        result = acme(f"lifecycle jobs {verb} {job} -o json")
        assert (result.code, result.error["kind"]) == (5, "not_found")


def test_an_embedder_that_cannot_be_used_is_told(acme: CommandLine) -> None:
    acme("contexts update acme-prod --model-embedding openai/text-embedding-3-small")
    result = acme("lifecycle reindex -o json")
    assert (result.code, result.error["kind"]) == (7, "invalid")
    assert "openai" in result.error["message"]


@pytest.fixture
def local(run_alone: CommandLine) -> CommandLine:
    """The command line in a context of the local store."""
    run_alone.env["SPECTRONCTL_PROFILE"] = "local"
    assert run_alone("contexts create acme-prod --namespace acme --database prod").code == 0
    run_alone.env["SPECTRON_CONTEXT_ID"] = "acme-prod"
    return run_alone


def test_without_a_server_who_waits_does_the_work(local: CommandLine) -> None:
    started = local("lifecycle reindex --no-wait -o json")
    assert started.json["status"] == "queued"
    assert "runs only while a command waits for it, or 'spectronctl serve' runs" in started.err
    job = started.json["id"]
    assert local(f"lifecycle jobs get {job} -o json").json["status"] == "queued"
    assert local(f"lifecycle jobs watch {job} -o json").json["status"] == "succeeded"
    assert local("lifecycle reindex -o json").json["status"] == "succeeded"


@pytest.mark.worker
def test_a_provider_that_refuses_is_the_error_of_the_job(acme: CommandLine, server: Server) -> None:
    keep(server, "a memory")
    with serve_vectors() as provider:
        acme(
            "contexts update acme-prod --model-embedding acme/words --provider acme=env:KEY"
            f" --set provider_urls.acme={provider.url}",
            env={"KEY": SENTINEL},
        )
        result = acme("lifecycle reindex -o json")
    assert (result.code, result.out) == (6, "")
    error = json.loads(result.err.splitlines()[-1])
    assert error["kind"] == "conflict"
    assert "failed: acme/words at " in error["message"]
    assert SENTINEL not in result.err
    (job,) = acme("lifecycle jobs list --status failed -o json").json
    assert job["error"] in error["message"]

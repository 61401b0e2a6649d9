"""Waits for jobs with real processes: interrupted, through a restart, and with no other process to do the work."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from spectronctl.server.index.reindex import BATCH
from tests.support.embeddings_endpoint import KEY, Endpoint
from tests.support.embeddings_endpoint import serve as serve_vectors
from tests.support.processes import Serve, Served, Shell, find_free_port

CREATE = "contexts create acme-prod --namespace acme --database prod"


@pytest.fixture
def provider() -> Iterator[Endpoint]:
    """A provider of vectors."""
    with serve_vectors() as provider:
        yield provider


def wait_until(is_so: Callable[[], bool], why: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, why()
        time.sleep(0.01)


def wait_for(log: Path, text: str) -> None:
    wait_until(lambda: text in log.read_text(), log.read_text)


def wait_for_request(provider: Endpoint) -> None:
    wait_until(lambda: provider.count()["requests"] > 0, provider.count)


def run(shell: Shell, line: str) -> str:
    done = shell(line)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def start(shell: Shell, line: str, log: Path) -> subprocess.Popen[str]:
    with log.open("w") as stderr:
        return shell.start(line, stdout=subprocess.PIPE, stderr=stderr)


def keep(served: Served, count: int = 1) -> None:
    """Database memories in context acme-prod."""
    url = f"{served.url}/api/v1/acme-prod/facts"
    with httpx.Client(headers={"API-KEY": served.key}) as client:
        for number in range(count):
            answer = client.post(url, json={"text": f"memory {number}", "infer": "none"})
            assert answer.status_code == 200, answer.text


def choose(shell: Shell, provider: Endpoint) -> None:
    """Let the context's vectors come from there."""
    shell.env["PROVIDER_KEY"] = KEY
    run(
        shell,
        "contexts update acme-prod --model-embedding acme/words --provider acme=env:PROVIDER_KEY"
        f" --set provider_urls.acme={provider.url}",
    )


def test_an_interrupted_wait_leaves_the_work_to_the_server(
    serve: Serve, shell: Shell, tmp_path: Path, provider: Endpoint
) -> None:
    served = serve()
    shell.env.update(served.env, SPECTRON_CONTEXT_ID="acme-prod")
    run(shell, CREATE)
    keep(served)
    choose(shell, provider)
    provider.open.clear()

    log = tmp_path / "reindex.log"
    process = start(shell, "lifecycle reindex", log)
    wait_for(log, "running")
    wait_for_request(provider)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")

    told = log.read_text()
    assert "goes on." in told
    (watch,) = [line.partition(": ")[2] for line in told.splitlines() if "To wait" in line]
    (cancel,) = [line.partition(": ")[2] for line in told.splitlines() if "To cancel" in line]
    assert run(shell, "lifecycle jobs list --no-header --columns status") == "running"
    provider.open.set()
    assert "succeeded" in run(shell, watch.removeprefix("spectronctl "))
    over = shell(shlex.join([*shlex.split(cancel)[1:], "-o", "json"]))
    assert (over.returncode, json.loads(over.stderr)["kind"]) == (6, "conflict")


def test_a_running_job_is_cancelled_between_two_batches(
    serve: Serve, shell: Shell, provider: Endpoint
) -> None:
    served = serve()
    shell.env.update(served.env, SPECTRON_CONTEXT_ID="acme-prod")
    run(shell, CREATE)
    keep(served, 3 * BATCH + 1)
    choose(shell, provider)
    provider.behave(delay=3)  # the worker looks every second whether it is to go on
    job = run(shell, "lifecycle reindex --no-wait -o name")
    wait_for_request(provider)
    asked = json.loads(run(shell, f"lifecycle jobs cancel {job} -o json"))
    assert (asked["status"], asked["cancel_requested"]) == ("running", True)
    waited = json.loads(run(shell, f"lifecycle jobs cancel {job} --wait -o json"))
    assert waited["status"] == "cancelled"
    assert provider.count()["requests"] < 1 + 4, "all batches, and the one that tells the length"


def test_a_wait_sees_a_job_through_a_killed_server(
    serve: Serve, shell: Shell, tmp_path: Path
) -> None:
    options = f"--store surrealkv://{tmp_path}/store --port {find_free_port()}"
    served = serve(f"{options} --no-worker")
    shell.env.update(served.env, SPECTRON_CONTEXT_ID="acme-prod")
    run(shell, CREATE)
    job = run(shell, "lifecycle reindex --no-wait -o name")

    log = tmp_path / "watch.log"
    watcher = start(shell, f"lifecycle jobs watch {job} --retries 0 -o json", log)
    wait_for(log, "queued")
    served.kill()
    wait_for(log, "no response, trying again")
    serve(options)
    out, _ = watcher.communicate(timeout=100)
    assert watcher.returncode == 0, log.read_text()
    assert json.loads(out)["status"] == "succeeded"


@pytest.mark.sampled(1)
@pytest.mark.parametrize("end", ["succeeded", "cancelled"])
def test_without_a_server_an_interrupt_stops_the_work_and_the_next_wait_goes_on(
    serve: Serve, shell: Shell, tmp_path: Path, provider: Endpoint, end: str
) -> None:
    served = serve("--port 0")  # the store of --profile local
    shell.env.update(served.env, SPECTRON_CONTEXT_ID="acme-prod")
    run(shell, CREATE)
    keep(served)
    choose(shell, provider)
    provider.open.clear()
    assert served.stop() == 0
    for name in served.env:
        del shell.env[name]
    shell.env["SPECTRONCTL_PROFILE"] = "local"

    log = tmp_path / "reindex.log"
    process = start(shell, "lifecycle reindex", log)
    wait_for(log, "running")
    wait_for_request(provider)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "is stopped for now" in log.read_text()

    job = run(shell, "lifecycle jobs list --status running -o name")
    if end == "cancelled":
        told = shell(f"lifecycle jobs cancel {job}")
        assert "will be cancelled between two batches once it goes on" in told.stderr
    provider.open.set()
    verb = "watch" if end == "succeeded" else "cancel --wait"
    assert json.loads(run(shell, f"lifecycle jobs {verb} {job} -o json"))["status"] == end

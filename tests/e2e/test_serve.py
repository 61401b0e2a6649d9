"""`spectronctl serve` as a process: ready line, signals, what survives, who holds the store."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import trustme

from tests.support.processes import SPECTRONCTL, Serve, Served, Shell
from tests.support.soak import SOAK

CREATE = "contexts create acme-prod --namespace acme --database prod"


def test_bootstrap_gives_one_key_in_a_private_file(serve: Serve, shell: Shell) -> None:
    served = serve()
    assert served.key.startswith("mgmt-")
    assert stat.S_IMODE(served.key_file.stat().st_mode) == 0o600
    assert shell("contexts list -o json", env=served.env).stdout == "[]\n"


def test_bootstrap_without_a_file_is_one_json_line_before_the_ready_line(
    shell: Shell, tmp_path: Path
) -> None:
    line = f"serve --store surrealkv://{tmp_path}/store --port 0 --bootstrap"
    process = shell.start(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    first, second = (json.loads(process.stdout.readline()) for _ in range(2))
    assert (first["event"], second["event"]) == ("bootstrap", "ready")
    headers = {"Authorization": f"Bearer {first['management_key']}"}
    assert httpx.get(f"{second['url']}/api/v1/contexts", headers=headers).status_code == 200
    process.terminate()
    process.communicate()

    again = shell.start(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert again.stdout
    assert json.loads(again.stdout.readline())["event"] == "ready"
    again.terminate()
    again.communicate()


@pytest.mark.timeout(900)
def test_what_was_answered_survives_kill_9(serve: Serve, shell: Shell, tmp_path: Path) -> None:
    store = f"--store surrealkv://{tmp_path}/store --port 0"
    rounds = 20 if SOAK else 2
    for number in range(rounds):
        served = serve(store)
        name = f"c-{number:02}"
        made = shell(f"contexts create {name} --namespace n --database {name}", env=served.env)
        assert made.returncode == 0
        served.kill()

    served = serve(store)
    names = shell("contexts list -o name", env=served.env).stdout.split()
    assert names == [f"c-{number:02}" for number in range(rounds)]
    assert served.stop() == 0


def test_sigterm_ends_it_with_success_and_frees_the_store(
    serve: Serve, shell: Shell, tmp_path: Path
) -> None:
    served = serve(f"--store surrealkv://{tmp_path}/store --port 0")
    assert served.stop() == 0
    assert serve(f"--store surrealkv://{tmp_path}/store --port 0").stop() == 0


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ("--store mem:// --host 0.0.0.0 --port 0", 2, "--insecure-bind"),
        ("--store nonsense --port 0", 11, "surrealkv://"),
        ("--store mem:// --port 70000", 2, "70000"),
        ("--store mem:// --port 0 --tls-cert c.pem", 2, "go together"),
        ("--store mem:// --port 0 --bootstrap --secret-file /nowhere/key", 2, "/nowhere"),
        ("--store mem:// worker", 2, "--store stands before worker"),
        ("--log-format json exec true", 2, "--log-format stands before exec"),
        ("--insecure-bind keys list", 2, "--insecure-bind stands before keys"),
    ],
)
def test_what_cannot_be_served_is_refused(shell: Shell, options: str, code: int, says: str) -> None:
    result = shell(f"serve {options}")
    assert (result.returncode, result.stdout) == (code, "")
    assert says in result.stderr


def test_a_taken_port_names_it(shared_server: Served, shell: Shell) -> None:
    port = shared_server.url.rpartition(":")[2]
    result = shell(f"serve --store mem:// --port {port} -o json")
    assert result.returncode == 11
    assert port in json.loads(result.stderr)["message"]


def test_management_keys_are_managed_offline(serve: Serve, shell: Shell, tmp_path: Path) -> None:
    store = f"--store surrealkv://{tmp_path}/store"
    secret = tmp_path / "ci-key"
    made = shell(f"serve keys create ci {store} --secret-file {secret} -o json")
    key = json.loads(made.stdout)
    assert key["name"] == "ci"
    assert "secret" not in key
    assert [row["id"] for row in json.loads(shell(f"serve keys list {store} -o json").stdout)] == [
        key["id"]
    ]

    assert shell(f"serve keys revoke {key['id']} {store}").returncode == 2
    assert shell(f"serve keys revoke {key['id']} {store} --yes").returncode == 0
    assert shell(f"serve keys revoke {key['id']} {store} --yes").returncode == 5

    served = serve(f"{store} --port 0")
    refused = shell(
        "contexts list", env={"SPECTRON_URL": served.url, "SPECTRONCTL_API_KEY_FILE": str(secret)}
    )
    assert refused.returncode == 3


def test_local_profile_keeps_its_state_and_needs_no_key(shell: Shell) -> None:
    assert shell(f"{CREATE} --profile local").returncode == 0
    assert shell("contexts list -o name --profile local").stdout == "acme-prod\n"
    made = shell("keys create app -c acme-prod --profile local -o json")
    secret = json.loads(made.stdout)["secret"]

    (shell.home / "key").write_text(secret)
    identity = shell(f"whoami -c acme-prod --profile local --api-key-file {shell.home}/key -o json")
    assert json.loads(identity.stdout)["kind"] == "agent"

    (shell.home / "key").write_text(secret + "x")
    assert (
        shell(f"whoami -c acme-prod --profile local --api-key-file {shell.home}/key").returncode
        == 3
    )


@pytest.mark.timeout(900)
def test_the_engines_threads_never_spoil_the_end_of_a_command(shell: Shell) -> None:
    rounds = 300 if SOAK else 3
    ends = [shell("contexts list -o json --profile local") for _ in range(rounds)]
    assert {(end.returncode, end.stdout, end.stderr) for end in ends} == {(0, "[]\n", "")}


NEWER = """
import asyncio, sys
from surrealdb import AsyncSurreal

async def main():
    async with AsyncSurreal("surrealkv://" + sys.argv[1]) as db:
        for version in range(2, 100):
            await db.query(
                "USE NS spectron DB metadata; INSERT IGNORE INTO migration {id: [$version],"
                " version: $version, name: 'later', checksum: 'x', applied_at: time::now()};",
                {"version": version},
            )

asyncio.run(main())
"""


def test_a_store_of_a_newer_schema_is_left_alone(shell: Shell, tmp_path: Path) -> None:
    env = {"SPECTRONCTL_LOCAL_STORE": f"{tmp_path}/store"}
    assert shell(f"{CREATE} --profile local", env=env).returncode == 0
    subprocess.run([sys.executable, "-c", NEWER, f"{tmp_path}/store"], timeout=60)

    result = shell("contexts list --profile local -o json", env=env)
    assert (result.returncode, result.stdout) == (11, "")
    error = json.loads(result.stderr)
    assert "schema version 99" in error["message"]
    assert "Upgrade spectronctl" in error["hint"]


def test_a_certificate_no_one_trusts_is_named(serve: Serve, shell: Shell, tmp_path: Path) -> None:
    authority = trustme.CA()
    pair = authority.issue_cert("127.0.0.1")
    pair.private_key_pem.write_to_path(tmp_path / "key.pem")
    pair.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    served = serve(
        f"--store mem:// --port 0 --tls-cert {tmp_path}/cert.pem --tls-key {tmp_path}/key.pem"
    )
    assert served.url.startswith("https://")

    refused = shell("contexts list -o json", env=served.env)
    assert refused.returncode == 9
    assert "ca_file" in json.loads(refused.stderr)["hint"]
    trusted = shell(
        "contexts list -o json", env={**served.env, "SPECTRONCTL_CA_FILE": f"{tmp_path}/ca.pem"}
    )
    assert trusted.stdout == "[]\n"


def test_a_store_that_serve_holds_is_told_with_its_url(
    serve: Serve, shell: Shell, tmp_path: Path
) -> None:
    served = serve(f"--store surrealkv://{tmp_path}/store --port 0")
    result = shell(
        "contexts list --profile local --timeout 1s",
        env={"SPECTRONCTL_LOCAL_STORE": f"{tmp_path}/store"},
    )
    assert result.returncode == 11
    assert served.url in result.stderr
    assert str(served.process.pid) in result.stderr


def test_a_second_local_command_waits_for_the_first(shell: Shell) -> None:
    shell(f"{CREATE} --profile local")
    running = [
        shell.start(
            f"contexts update acme-prod --set n{number}=1 --profile local",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(3)
    ]
    outcomes = [(process.communicate(timeout=60), process.returncode)[1] for process in running]
    assert outcomes == [0, 0, 0]
    config = json.loads(
        shell("contexts get acme-prod --profile local --query config -o json").stdout
    )
    assert config == {"n0": 1, "n1": 1, "n2": 1}


def test_ctrl_c_ends_a_command_with_130(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = shell.start(
            f"contexts list --url {url} --api-key k", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        connection.close()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


@pytest.mark.sampled
@pytest.mark.parametrize(
    "line", ["--version", "--help", "contexts --help", "profiles list", "profiles list -o json"]
)
@pytest.mark.parametrize(
    ("redirection", "codes", "says"),
    [
        ("| true", {0}, ""),
        ("> /dev/full", {1}, "No space left on device"),
        (">&-", {0, 1}, ""),
        ("2>&-", {0}, ""),
        ("<&-", {0}, ""),
    ],
)
def test_a_stream_that_is_gone_is_no_defect(
    shell: Shell, line: str, redirection: str, codes: set[int], says: str
) -> None:
    done = subprocess.run(
        ["bash", "-c", f"spectronctl {line} {redirection}; exit ${{PIPESTATUS[0]}}"],
        env=shell.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in codes
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_closed_pipe_ends_a_list_quietly(shared_server: Served, shell: Shell) -> None:
    done = subprocess.run(
        ["bash", "-c", "spectronctl contexts list -o json | true; echo ${PIPESTATUS[0]}"],
        env=shell.environment(shared_server.env),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_no_secret_is_minted_for_a_stdout_that_takes_nothing(
    shared_server: Served, shell: Shell
) -> None:
    env = shell.environment(shared_server.env)
    assert shell("contexts create full --namespace acme --database full", env=env).returncode == 0
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [SPECTRONCTL, "keys", "create", "app", "-c", "full", "-o", "json"],
            env=env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    error = json.loads(done.stderr)
    assert "cannot be written to stdout" in error["message"]
    assert "nothing was sent" in error["message"]
    assert "--secret-file" in error["hint"]
    assert shell("keys list -c full -q -o name", env=env).stdout == ""


def test_a_worker_says_that_it_is_ready_and_ends_with_success(shell: Shell, tmp_path: Path) -> None:
    ready_file, store = tmp_path / "ready.json", f"surrealkv://{tmp_path}/store"
    line = f"serve worker --store {store} --ready-file {ready_file} --log-format json"
    process = shell.start(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    ready = process.stdout.readline()
    assert json.loads(ready) == {
        "event": "ready",
        "role": "worker",
        "store": store,
        "pid": process.pid,
    }
    assert ready_file.read_text() == ready

    refused = shell(f"serve worker --store {store} --timeout 1s -o json")
    assert (refused.returncode, refused.stdout) == (11, "")
    assert f"serve worker (pid {process.pid})" in json.loads(refused.stderr)["message"]

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")
    assert not ready_file.exists()


def test_a_server_without_a_worker_leaves_jobs_to_a_worker(
    serve: Serve, shell: Shell, tmp_path: Path
) -> None:
    store = f"surrealkv://{tmp_path}/store"
    served = serve(f"--store {store} --port 0 --no-worker")
    assert shell(CREATE, env=served.env).returncode == 0
    lifecycle = f"{served.url}/api/v1/contexts/acme-prod/lifecycle"
    headers = {"Authorization": f"Bearer {served.key}"}
    job_id = httpx.post(f"{lifecycle}/reindex", headers=headers).json()["job_id"]
    time.sleep(2.5)  # more than twice as long as a worker waits before it looks again
    job = httpx.get(f"{lifecycle}/jobs/{job_id}", headers=headers).json()
    assert (job["status"], job["started_at"]) == ("queued", None)
    assert served.stop() == 0

    line = f"serve worker --store {store}"
    with (tmp_path / "worker.log").open("w") as log:
        process = shell.start(line, stdout=subprocess.PIPE, stderr=log)
    deadline = time.monotonic() + 30
    while f"job {job_id}: succeeded" not in (tmp_path / "worker.log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out.count("\n")) == (0, 1), "the ready line, and nothing else"


@pytest.mark.parametrize(
    ("options", "says"),
    [("--store nonsense", "surrealkv://"), ("--store ws://127.0.0.1:1", "does not respond")],
)
def test_a_store_that_no_worker_can_use_is_refused(shell: Shell, options: str, says: str) -> None:
    refused = shell(f"serve worker {options}")
    assert (refused.returncode, refused.stdout) == (11, "")
    assert says in refused.stderr

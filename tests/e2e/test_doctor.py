"""`spectronctl doctor` as a process, against `spectronctl serve` as another."""

from __future__ import annotations

import json
from pathlib import Path

import trustme

from tests.support.processes import Serve, Shell


def statuses(text: str) -> dict[str, str]:
    return {check["check"]: check["status"] for check in json.loads(text)["checks"]}


def test_a_server_in_good_health(serve: Serve, shell: Shell) -> None:
    shell.env = serve().env
    assert shell("contexts create acme --namespace acme --database prod").returncode == 0
    result = shell("doctor -c acme -o json")
    assert (result.returncode, result.stderr) == (0, "")
    found = statuses(result.stdout)
    assert {name for name, status in found.items() if status != "ok"} == {"store", "tls"}

    table = shell("doctor -c acme")
    assert (table.returncode, len(table.stdout.splitlines())) == (0, len(found) + 1)


def test_a_server_of_tls_is_trusted_by_the_command_that_doctor_names(
    serve: Serve, shell: Shell, tmp_path: Path
) -> None:
    authority = trustme.CA()
    pair = authority.issue_cert("127.0.0.1")
    chain = pair.cert_chain_pems[0].bytes() + authority.cert_pem.bytes()
    (tmp_path / "chain.pem").write_bytes(chain)
    pair.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    served = serve(
        f"--store mem:// --port 0 --tls-cert {tmp_path}/chain.pem --tls-key {tmp_path}/key.pem"
    )
    shell(f"profiles add prod --url {served.url} --api-key-file {served.key_file} --use")
    first = shell(f"doctor -o json --save-ca {tmp_path}/ca.pem")
    assert first.returncode == json.loads(first.stderr)["exit_code"] == 9
    command = json.loads(first.stderr)["command"].replace("ca.pem", f"{tmp_path}/ca.pem")
    assert shell(command.removeprefix("spectronctl ")).returncode == 0
    second = shell("doctor -o json")
    assert (second.returncode, statuses(second.stdout)["tls"]) == (0, "ok")


def test_a_local_store_that_a_server_holds(serve: Serve, shell: Shell, tmp_path: Path) -> None:
    served = serve(f"--store surrealkv://{tmp_path}/store --port 0")
    shell.env = {"SPECTRONCTL_LOCAL_STORE": f"{tmp_path}/store"}
    result = shell("doctor --profile local -o json")
    assert result.returncode == 11
    assert served.url in json.loads(result.stderr)["hint"]
    assert str(served.process.pid) in json.loads(result.stderr)["message"]


def test_nothing_is_written_by_a_look(serve: Serve, shell: Shell) -> None:
    served = serve()
    before = sorted(shell.home.rglob("*"))
    assert shell("doctor", env=served.env).returncode == 0
    assert sorted(shell.home.rglob("*")) == before

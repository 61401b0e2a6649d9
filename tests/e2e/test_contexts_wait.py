"""`spectronctl contexts wait` as a process, while its server comes, goes away and comes back."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from tests.support.processes import Serve, Shell, find_free_port

CREATE = "contexts create acme --namespace n --database d"


def test_a_wait_outlives_its_server(serve: Serve, shell: Shell, tmp_path: Path) -> None:
    options = f"--store surrealkv://{tmp_path}/store --port {find_free_port()}"
    served = serve(options)
    shell.env |= served.env
    log = tmp_path / "wait.log"
    with log.open("w") as err:
        waiting = shell.start("contexts wait acme -o name", stdout=subprocess.PIPE, stderr=err)
    try:
        wait_until(log, "is not there yet")
        served.kill()
        wait_until(log, "no response, trying again")
        serve(options)
        assert shell(CREATE).returncode == 0
        out, _ = waiting.communicate(timeout=60)
    finally:
        waiting.kill()
    assert (waiting.returncode, out) == (0, "acme\n")

    with log.open("w") as err:
        leaving = shell.start("contexts wait acme --for deleted", stderr=err)
    try:
        wait_until(log, "is still there")
        leaving.send_signal(signal.SIGINT)
        assert leaving.wait(20) == 130
    finally:
        leaving.kill()
    assert log.read_text().endswith("interrupted\n")


def wait_until(log: Path, text: str) -> None:
    deadline = time.monotonic() + 30
    while text not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)

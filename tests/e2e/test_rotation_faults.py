"""Any request of a rotation may fail in any way: `rotations resume` finishes it, and nothing is lost meanwhile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.proxies import Fault, Proxy
from tests.support.rotation_processes import Command, Method, Outside, Round
from tests.support.soak import SOAK

HOW: dict[Method, str] = {
    "overlap": "--overlap 0s --drain 0s",
    "leaked": "--leaked",
    "in place": "",
}

EXITS: dict[Fault, int] = {
    "refused": 9,
    "reset before": 9,
    "reset after": 9,
    "429": 8,
    "500": 9,
    "503": 9,
    "no answer": 9,
    "truncated": 9,
}


class SpoiledRound(Round):
    """A round in this process, over a socket, through the proxy, which looks at everything between two requests."""

    def __init__(self, outside: Outside, directory: Path, method: Method, proxy: Proxy) -> None:
        super().__init__(outside, directory, method)
        self.proxy = proxy
        self.overlap = 0.0
        self.rotate = f"keys rotate agent {HOW[method]} --yes --secret-file {self.sink}"
        self.command_line = CommandLine(
            self.shell.home, None, {**self.shell.env, "SPECTRON_URL": proxy.url}
        )
        proxy.after = self.check_between

    def run(self, line: str) -> Command:
        result = self.command_line(line)
        assert not self.proxy.failures
        self.check()
        return subprocess.CompletedProcess(line.split(), result.code, result.out, result.err)

    def check_between(self) -> None:
        self.check()
        stamped = [key for key in self.outside.list_keys(self.context) if ".g" in key["name"]]
        assert len(stamped) <= 1, "a write was repeated"

    def count(self, method: str, last: str) -> int:
        """How many such requests the server has carried out."""
        return sum(
            exchange.method == method
            and exchange.path.endswith(last)
            and exchange.answer is not None
            and exchange.answer.is_success
            for exchange in self.proxy.exchanges
        )


def is_settled(method: Method, verb: str, fault: Fault) -> bool:
    """Whether the rotation goes on at once all the same."""
    if (
        verb == "POST"
    ):  # it may have been done: the rotation looks; in place only --recover rotates twice
        return method != "in place" and fault not in ("refused", "429")
    return (verb, fault) == ("DELETE", "truncated")  # an answer without a body has no second half


def list_cases() -> list[tuple[Method, Fault]]:
    """Every way to rotate and every fault; a third of them, with each fault once, makes a sample."""
    faults: list[Fault] = list(EXITS)
    return [
        (method, fault)
        for turn, method in enumerate(HOW)
        for number, fault in enumerate(faults)
        if SOAK or number % len(HOW) == turn
    ]


def list_requests(played: SpoiledRound) -> list[str]:
    """The methods of the requests of a rotation that nothing happens to."""
    played.proxy.exchanges.clear()
    assert played.run(played.rotate).returncode == 0
    played.finish()
    return [exchange.method for exchange in played.proxy.exchanges]


@pytest.mark.parametrize(("method", "fault"), list_cases())
def test_any_request_may_fail(
    outside: Outside, proxy: Proxy, tmp_path: Path, method: Method, fault: Fault
) -> None:
    requests = list_requests(SpoiledRound(outside, tmp_path, method, proxy))
    assert len(requests) >= 3
    for number, verb in enumerate(requests):
        if verb == "GET" and not SOAK:
            continue
        played = SpoiledRound(outside, tmp_path, method, proxy)
        proxy.spoil(number, fault, always=fault == "refused")
        result = played.run(f"{played.rotate} --retries 0 --timeout 2s")
        proxy.heal()
        code = 0 if is_settled(method, verb, fault) else EXITS[fault]
        assert result.returncode == code, result.stderr
        assert (result.stdout == "") == (result.returncode != 0)
        played.finish()
        assert played.count("POST", "/keys") == (method != "in place")
        assert played.count("POST", "/rotate") <= 2 - (method != "in place")


@pytest.mark.parametrize("fault", ["reset before", "429", "503"])
def test_a_failure_that_passes_is_not_even_noticed(
    outside: Outside, proxy: Proxy, tmp_path: Path, fault: Fault
) -> None:
    requests = list_requests(SpoiledRound(outside, tmp_path, "overlap", proxy))
    for number in [number for number, verb in enumerate(requests) if verb != "POST"]:
        played = SpoiledRound(outside, tmp_path, "overlap", proxy)
        proxy.spoil(number, fault)
        assert played.run(played.rotate).returncode == 0
        proxy.heal()
        assert played.resumes == 0
        played.finish()

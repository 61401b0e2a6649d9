"""Ctrl-C ends a command with 130 and one line, at whichever moment of its start it strikes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import SPECTRONCTL, Shell
from tests.support.soak import SOAK

# The real entry point, in a process that sends itself the signal at its Nth import after its own modules have begun.
START = """
import os, signal, sys
seen = [-1]
def watch(event, args):
    if event == "import" and (args[0].startswith("spectronctl") or seen[0] >= 0):
        seen[0] += 1
        if seen[0] == {number}:
            os.kill(os.getpid(), signal.SIGINT)
import spectronctl.cli
sys.addaudithook(watch)
sys.argv = ["spectronctl", *{words}]
spectronctl.cli.enter()
"""
WORDS = ["contexts", "list", "--url", "http://127.0.0.1:1", "--api-key", "k", "--retries", "0"]
SPAN = 400
"""Imports that such a command makes at least."""


def pick(count: int) -> list[int]:
    return sorted(random.Random(7).sample(range(SPAN), count))


@pytest.mark.parametrize("number", range(SPAN) if SOAK else [0, 1, *pick(10)])
def test_an_interrupt_at_any_import_ends_in_one_line(number: int, shell: Shell) -> None:
    done = subprocess.run(
        [Path(SPECTRONCTL).with_name("python"), "-c", START.format(number=number, words=WORDS)],
        env=shell.environment({"CI": "1"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "interrupted\n"


def test_an_interrupt_that_the_shell_ignores_stays_ignored(shell: Shell) -> None:
    """As for `spectronctl … &` in a script: Ctrl-C is for what runs in the foreground."""
    code = START.format(number=3, words=["profiles", "path"])
    done = subprocess.run(
        [Path(SPECTRONCTL).with_name("python"), "-c", code],
        env=shell.environment(),
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().endswith(os.path.join("spectronctl", "config.toml"))

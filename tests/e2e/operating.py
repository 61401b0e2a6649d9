"""A server that is started by a line out of a file for operators, with other places and a free port."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.conftest import SPECTRONCTL, Served


def start_server(
    words: list[str], env: dict[str, str], log_file: Path, program: str = SPECTRONCTL
) -> Served:
    """Run `spectronctl WORDS` until it is ready; the management key is where the words say."""
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [program, *words],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout
    line = process.stdout.readline()
    assert line, log_file.read_text()
    return Served(process, json.loads(line)["url"], Path(words[words.index("--secret-file") + 1]))

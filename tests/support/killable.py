"""
A command line in a process that ends by SIGKILL at a point chosen beforehand.

    killable.py NUMBER REPORT ARGUMENTS…

NUMBER counts the points, from 0: before and after, and where it matters in the midst of, everything that changes the
world outside. REPORT gets a JSON list of those that were reached. The command's own code knows nothing of this.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spectronctl.cli import main
from spectronctl.client import _sync
from spectronctl.ground import disk
from spectronctl.local import checkpoints
from spectronctl.output.sinks import _drafts, _files


class Life:
    """Ends the process at its last point."""

    def __init__(self, last: int, report: Path) -> None:
        self.last = last
        self.report = report
        self.points: list[str] = []

    def reach(self, point: str) -> None:
        self.points.append(point)
        if len(self.points) > self.last:
            self.tell()
            os.kill(os.getpid(), signal.SIGKILL)

    def tell(self) -> None:
        self.report.write_text(json.dumps(self.points))

    def watch(self, owner: Any, name: str, describe: Callable[..., str]) -> None:
        """A point before and one after every call of it."""
        original = getattr(owner, name)

        def call(*args: Any, **settings: Any) -> Any:
            title = describe(*args)
            self.reach(f"before {title}")
            answer = original(*args, **settings)
            self.reach(f"after {title}")
            return answer

        setattr(owner, name, call)

    def write_by_halves(self, descriptor: int, data: bytes) -> None:
        half = len(data) // 2
        os.write(descriptor, data[:half])
        self.reach("amid writing the secret")
        os.write(descriptor, data[half:])


def describe_write(journal: object, claim: str, document: dict[str, Any]) -> str:
    return f"journal {document['step']}"


def describe_request(client: object, call: Any, started: float) -> str:
    last = call.request.path.rpartition("/")[2]
    return f"request {call.request.method} {'key' if last.startswith('cak_') else last}"


def watch_everything(life: Life) -> None:
    life.watch(checkpoints.Journal, "prepare", lambda journal: "preparing the journal")
    life.watch(checkpoints.Journal, "write", describe_write)
    life.watch(disk, "_write_new", lambda path, *_: "journal draft")
    life.watch(_sync.Client, "_attempt", describe_request)
    life.watch(_files.FileSink, "reserve", lambda sink: "reserving the sink")
    life.watch(_drafts.Draft, "write", lambda draft, data: "writing the secret")
    life.watch(_drafts.Draft, "place", lambda draft: "placing the secret")
    vars(_drafts)["write_all"] = life.write_by_halves


if __name__ == "__main__":
    life = Life(int(sys.argv[1]), Path(sys.argv[2]))
    watch_everything(life)
    code = main(sys.argv[3:])
    life.tell()
    sys.stdout.flush()
    os._exit(code)  # as spectronctl.cli.enter does, for the same reason

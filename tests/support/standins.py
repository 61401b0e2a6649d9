"""Stand-ins for the commands that examples deliver secrets to: they write down what they were given."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

STAND_IN = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path

name, words = Path(sys.argv[0]).name, sys.argv[1:]
stdin = "" if "rollout" in words else sys.stdin.read()
seen = []
pid = os.getpid()
while Path("/proc/self").exists() and pid != int(os.environ["TESTER"]):
    process = Path("/proc", str(pid))
    seen += [(process / part).read_bytes().decode() for part in ("cmdline", "environ")]
    pid = int((process / "stat").read_text().rpartition(")")[2].split()[1])
call = {{"name": name, "words": words, "stdin": stdin, "seen": seen, "env": dict(os.environ)}}
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(call) + "\\n")
if os.environ.get("FAILING") in words:
    sys.exit("the stand-in fails")
if "create" in words:
    print("kind: Secret\\ndata: of " + stdin[::-1])
"""
"""With FAILING in its words it fails. `seen` is what any user of the machine may read of it and of its ancestors."""


def stand_in(folder: Path, *names: str) -> None:
    """Put commands of these names into `bin` of a folder."""
    (folder / "bin").mkdir(parents=True)
    for name in names:
        (folder / "bin" / name).write_text(STAND_IN)
        (folder / "bin" / name).chmod(0o755)


def stand_in_settings(folder: Path, path: str) -> dict[str, str]:
    """What the environment must say for them to be found, and to write down what they see."""
    return {
        "PATH": f"{folder / 'bin'}{os.pathsep}{path}",
        "TESTER": str(os.getpid()),
        "CALLS": str(folder / "calls"),
    }


def read_calls(folder: Path) -> list[dict[str, Any]]:
    """Each call: `name`, `words`, `stdin`, `seen`, `env`."""
    recorded = folder / "calls"
    lines = recorded.read_text().splitlines() if recorded.exists() else []
    return [json.loads(line) for line in lines]

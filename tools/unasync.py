"""
The synchronous modules of the client are the asynchronous ones with the waiting taken out.

Write the asynchronous one; `python -m tools.unasync` rewrites the other.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from spectronctl import client

HERE = Path(client.__file__).parent
TWINS = {
    "_async.py": "_sync.py",
    "_events_async.py": "_events_sync.py",
    "_management_async.py": "_management_sync.py",
    "_network_async.py": "_network_sync.py",
}
SUBSTITUTIONS = {
    r"\basync (def|for|with)\b": r"\1",
    r"\bawait ": "",
    r"\bAwaitable\[object\]": "object",
    r"\bAwaitable, ": "",
    r"\bAsyncGenerator\[(\w+), None\]": r"Generator[\1, None, None]",
    r"\bAsync(?=[A-Z])": "",
    r"\bSpectronManagement\b": "SyncSpectronManagement",
    r"\basyncio\b": "time",
    r"\b__a(enter|exit|iter)__\b": r"__\1__",
    r"\b(__)?anext(__)?\b": r"\1next\2",
    r"\ba(close|iter_bytes)\b": r"\1",
    r"client\._async\b": "client._sync",
    r"client\._events_async\b": "client._events_sync",
    r"client\._network_async\b": "client._network_sync",
    r"client\._tasks\b": "client._threads",
    r"\basynchronous\b": "synchronous",
    r"\bfor (\w+) in ([\w.]+):\s+yield \1\b": r"yield from \2",
}


def write_sync(source: str) -> str:
    for pattern, replacement in SUBSTITUTIONS.items():
        source = re.sub(pattern, replacement, source)
    ruff = shutil.which("ruff", path=sysconfig.get_path("scripts"))
    assert ruff, "ruff is part of the development environment"
    for step in (["check", "--select=I", "--fix"], ["format"]):
        command = [ruff, *step, "--quiet", "--stdin-filename", str(HERE / "_sync.py"), "-"]
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
        source = done.stdout
    return source


if __name__ == "__main__":
    for written, generated in TWINS.items():
        (HERE / generated).write_text(write_sync((HERE / written).read_text()))

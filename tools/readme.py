"""The README with what its commands print now: `python -m tools.readme` rewrites it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

FAILURE = re.compile(r'^(error: |{"kind":)', re.MULTILINE)
"""What a command that fails says, to people and under `-o json`."""

SETUP = f"""
cd "$HOME"
ln -s {ROOT}/examples examples
wait_until_ready() {{ for i in $(seq 300); do grep -q '"ready"' "$1" && return; sleep 0.1; done; }}
"""


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(README.read_text()) if name == language]


def commands(block: str) -> list[str]:
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def run_all(lines: list[str], home: str) -> list[str]:
    """What each command prints, stdout and stderr together, in one shell; it must fail where that says so, only."""
    script = [SETUP]
    for number, line in enumerate(lines):
        target = f"{home}/.out-{number}"
        if line.endswith("&"):
            script.append(f"{line[:-1]} > {target} 2>{target}.log &\nwait_until_ready {target}")
        else:
            script.append(f"{{ {line}\n}} > {target} 2>&1 < /dev/null; echo $? > {target}.code")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"HOME": home, "PATH": path, "LC_ALL": "C.UTF-8"}
    subprocess.run(["bash", "-c", "\n".join(script)], env=env, check=True, timeout=900)
    outputs = [Path(f"{home}/.out-{number}") for number in range(len(lines))]
    for line, out in zip(lines, outputs, strict=True):
        if not line.endswith("&"):
            has_failed = Path(f"{out}.code").read_text() != "0\n"
            assert has_failed == bool(FAILURE.search(out.read_text())), f"{line}\n{out.read_text()}"
    return [out.read_text().replace(home, "/home/you") for out in outputs]


def render(text: str, outputs: list[str]) -> str:
    """The README with these outputs under its commands."""
    left = iter(outputs)

    def fill(block: re.Match[str]) -> str:
        if block[1] != "console":
            return block[0]
        parts = [f"$ {line}\n{next(left)}" for line in commands(block[2])]
        return "```console\n" + "".join(parts) + "```"

    return BLOCK.sub(fill, text)


def run_readme() -> str:
    lines = [line for block in blocks("console") for line in commands(block)]
    with tempfile.TemporaryDirectory() as home:
        return render(README.read_text(), run_all(lines, home))


if __name__ == "__main__":
    README.write_text(run_readme())

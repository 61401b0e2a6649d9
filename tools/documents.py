"""
The commands of README.md and docs/guide/, run in order, in one shell, with what they print put under them.

README starts the server that the pages of the guide go on with; each page leaves it as it found it.
`python -m tools.documents` (or `make docs`) rewrites all of them with what their commands print now.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "guide"
DOCUMENTS = (README, *sorted(GUIDE.glob("*.md")))
"""The pages of the guide need only what README leaves behind, so their order makes no difference."""

SECONDS = 1_500
"""For all commands together: ten times what they take on a machine that does nothing else."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FAILURE = re.compile(r'^(error: |{"kind":)', re.MULTILINE)
"""What a command that fails says, to people and under `-o json`."""

_VOLATILE = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z": "TIME",
    r"(?<=[_:])[0-9A-Z]{26}": "ULID",
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b": "REQUEST",
    r"rot_\d{8}T\d{6}_[0-9a-f]{8}": "ROTATION",
    r"sha256:[0-9a-f]{12}": "DIGEST",
    r"\b[0-9a-f]{16}-[0-9a-f]{16}\b": "REQUEST",
    r'"pid": \d+': '"pid": PID',
    r"\(pid \d+\)": "(pid PID)",
    r"(?m)^disk .*$": "disk SPACE",
    r"/home/you": "HOME",
}

_SETUP = f"""
cd "$HOME"
ln -s {ROOT}/examples examples
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
wait_until_ready() {{
    until grep -qs '"ready"' "$1"; do
        kill -0 $! 2>/dev/null || {{ cat "$1.log" >&2; exit 1; }}
        sleep 0.1
    done
}}
"""


def find_blocks(document: Path, language: str) -> list[str]:
    """The text of each fenced block of that language."""
    return [text for name, text in _BLOCK.findall(document.read_text()) if name == language]


def find_commands(document: Path) -> list[str]:
    """The lines that are typed."""
    blocks = find_blocks(document, "console")
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def run_documents() -> dict[Path, str]:
    """Each document with what its commands print now."""
    commands = {document: find_commands(document) for document in DOCUMENTS}
    with tempfile.TemporaryDirectory() as home:
        outputs = iter(_run([line for lines in commands.values() for line in lines], home))
        return {
            document: _fill(document.read_text(), [next(outputs) for _ in lines])
            for document, lines in commands.items()
        }


def mask_volatile(text: str) -> str:
    """The text without what is different on every run: times, ids, digests."""
    for pattern, name in _VOLATILE.items():
        text = re.sub(pattern, name, text)
    return text


def _run(lines: list[str], home: str) -> list[str]:
    """What each command prints, stdout and stderr together; it must fail where that says so, only."""
    script = [_SETUP]
    for number, line in enumerate(lines):
        target = f"{home}/.out-{number}"
        if line.endswith("&"):
            script.append(f"{line[:-1]} > {target} 2>{target}.log &\nwait_until_ready {target}")
        else:
            script.append(f"{{ {line}\n}} > {target} 2>&1 < /dev/null; echo $? > {target}.code")
    _run_script("\n".join(script), home)
    outputs = [Path(f"{home}/.out-{number}") for number in range(len(lines))]
    for line, out in zip(lines, outputs, strict=True):
        if not line.endswith("&"):
            has_failed = Path(f"{out}.code").read_text() != "0\n"
            assert has_failed == bool(_FAILURE.search(out.read_text())), (
                f"{line}\n{out.read_text()}"
            )
    return [out.read_text().replace(home, "/home/you") for out in outputs]


def _run_script(script: str, home: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"HOME": home, "PATH": path, "LC_ALL": "C.UTF-8"}
    # A session of its own, so that a server that is left over ends along with the shell.
    process = subprocess.Popen(["bash", "-c", script], env=env, start_new_session=True)
    try:
        assert process.wait(SECONDS) == 0, "the shell ended early"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _fill(text: str, outputs: list[str]) -> str:
    """The document with these outputs under its commands."""
    left = iter(outputs)

    def fill(block: re.Match[str]) -> str:
        if block[1] != "console":
            return block[0]
        typed = [line for line in block[2].splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{next(left)}" for line in typed) + "```"

    return _BLOCK.sub(fill, text)


if __name__ == "__main__":  # from the root, as `python -m tools.documents`
    for document, text in run_documents().items():
        document.write_text(text)

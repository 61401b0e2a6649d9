"""
A command under `strace`: which system calls it makes on files, and what it leaves when it is stopped at one of them.

What `strace` kills does not make the call it is killed at, and what it fails does not make it either.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = (
    *("open", "openat", "creat", "close", "mkdir", "mkdirat", "rmdir", "symlink", "symlinkat"),
    *("write", "pwrite64", "writev", "ftruncate", "fallocate", "fsync", "fdatasync"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
)
"""Those that change files or tell of it; the ones that a machine does not have are passed over."""

_LINE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+|\?)")
_PATH = re.compile(r'(?:"|\b\d+<)(/[^">]*)')
RANDOM = re.compile(
    r"(?<=\.)[0-9a-f]{12}(?=\.tmp$)|(?<=\.spectronctl-)[a-z0-9_]{8}$|\b[0-9a-f]{24}\b|(?<=rot_)\w{24}"
)
"""Parts of names that are others in each run."""


@dataclass(frozen=True)
class Call:
    """The `number`th call of its name that a thread made, the absolute paths it was about, and whether it succeeded."""

    name: str
    number: int
    paths: tuple[str, ...]
    text: str = ""
    succeeded: bool = True

    @property
    def title(self) -> str:
        """The same in every run: no random part of a name."""
        return " ".join([self.name, *(RANDOM.sub("*", path) for path in self.paths)])


def read_calls(lines: Iterable[str]) -> Iterator[Call]:
    """The calls of one thread, as `strace -y` writes them."""
    counts: Counter[str] = Counter()
    for line in lines:
        if found := _LINE.match(line):
            name, text, result = found.groups()
            counts[name] += 1
            paths = tuple(path.removesuffix(" (deleted)") for path in _PATH.findall(text))
            yield Call(name, counts[name], paths, text, result.isdecimal())


def can_trace() -> bool:
    """Whether there is an `strace`, and it may trace."""
    strace = shutil.which("strace")
    return (
        strace is not None
        and not subprocess.run(
            [strace, "-qq", "-f", "--seccomp-bpf", "-o", "/dev/null", "true"], capture_output=True
        ).returncode
    )


def list_calls(directory: Path) -> list[Call]:
    """What the first thread of a traced program did, from its traces in `directory`."""
    first = min(directory.iterdir(), key=lambda path: int(path.suffix[1:]))
    return list(read_calls(first.read_text().splitlines()))


def run_traced(
    argv: Sequence[str], env: Mapping[str, str], directory: Path, inject: str | None = None
) -> subprocess.CompletedProcess[str]:
    """
    Run a program, its calls written to `directory`.

    `inject` is what `strace -e inject=` takes: `fsync:signal=KILL:when=2`, `write:error=ENOSPC:when=1`.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    traced = ",".join(f"?{name}" for name in NAMES)
    options = ["-qq", "-ff", "-y", "-s0", "-o", f"{directory}/trace", "-e", f"trace={traced}"]
    if inject:
        options += ["-e", f"inject={inject}"]
    if (
        not inject or "signal=" not in inject
    ):  # faster, but it loses a signal at the entry of a call
        options.append("--seccomp-bpf")
    return subprocess.run(
        ["strace", *options, *argv],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )

"""The completion scripts as files: `python -m tools.completions DIRECTORY`."""

from __future__ import annotations

import sys
from pathlib import Path

from spectronctl.cli._completion import bash, fish, powershell, zsh
from spectronctl.cli._tree import walk
from spectronctl.cli.app import tree

SCRIPTS = {
    "spectronctl.bash": bash,
    "_spectronctl": zsh,
    "spectronctl.fish": fish,
    "spectronctl.ps1": powershell,
}
"""The file that keeps each shell's script."""


def write_scripts(directory: Path) -> None:
    """Write every shell's script for the whole command tree into the directory."""
    nodes = list(walk(tree()))
    for name, generate in SCRIPTS.items():
        (directory / name).write_text(generate(nodes), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_scripts(Path(sys.argv[1]))

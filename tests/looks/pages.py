"""Every page of help as it is seen on a terminal of three widths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.support.command_tree import NODES
from tests.support.commandline import CommandLine

WIDTHS = ("80", "120", "200")
FAMILIES = ["spectronctl", *dict.fromkeys(node.path[0] for node in NODES if node.path)]


def draw_pages(family: str) -> str:
    """The pages of a group and of all that is in it; what looks the same in several widths stands there once."""
    top = () if family == "spectronctl" else (family,)
    paths = [node.path for node in NODES if node.path[:1] == top]
    return "\n".join(part for path in paths for part in _draw_page(path))


def _draw_page(path: tuple[str, ...]) -> Iterator[str]:
    run = CommandLine(Path("/nowhere"))
    shapes: dict[str, list[str]] = {}
    for width in WIDTHS:
        page = run(" ".join([*path, "--help"]), env={"COLUMNS": width}, terminal=True).out
        shapes.setdefault(page, []).append(f"{width} columns")
    for page, widths in shapes.items():
        yield f"# {' '.join(['spectronctl', *path])}: {', '.join(widths)}\n\n{page}"

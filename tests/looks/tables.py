"""Every table as it is seen on a terminal of three widths: `python -m tests.looks` writes them into `tests/looks/`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spectronctl.output import Output
from spectronctl.output.streams import Streams
from tests.looks.scenes import FAMILIES, NOW, Scene
from tests.support.commandline import Stream

SHAPES = [("80", "table"), ("120", "table"), ("200", "table"), ("80", "wide")]
"""Widths of the terminal, and formats."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def draw_family(name: str) -> str:
    """All that one file holds; what looks the same in several shapes stands there once."""
    return "\n".join(part for scene in FAMILIES[name] for part in _draw_scene(scene))


def _draw_scene(scene: Scene) -> Iterator[str]:
    shapes: dict[str, list[str]] = {}
    for width, shape in SHAPES:
        told = f"{width} columns" if shape == "table" else f"-o {shape}"
        shapes.setdefault(show(scene, width, shape), []).append(told)
    for text, told_of in shapes.items():
        yield f"# {scene.command}: {', '.join(told_of)}\n\n{text}"


def show(scene: Scene, width: str, shape: str) -> str:
    """What a person sees: the result, then what is told on stderr."""
    env = {"COLUMNS": width, "NO_COLOR": "1"}
    stdin, stdout, stderr = (Stream(terminal=True) for _ in range(3))
    out = Output(shape, Streams(stdin, stdout, stderr, env), now=lambda: NOW)
    if scene.single:
        out.show(scene.items[0], scene.view)
    else:
        out.rows(scene.items, scene.view)
    return _MOMENT.sub("YYYY-MM-DDThh:mm:ss.ssssssZ", stdout.written() + stderr.written())

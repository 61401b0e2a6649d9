"""The diagnosis at a terminal: a colour per level, the way out under what is wrong, and a count at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from spectronctl.ground.text import escape

_STYLES = {"ok": "32", "warning": "33", "failed": "1;31", "skipped": "2"}
_LEVELS = ("failed", "warning", "ok", "skipped")
_GAP = 2
_MIN_TEXT = 20
"""Cells: a terminal that leaves less for the text breaks the lines itself."""


def draw_report(report: Mapping[str, Any], width: int, *, color: bool) -> Iterator[str]:
    """Lines for a terminal of `width` cells: level, check, and what was found, broken between words."""
    checks = report["checks"]
    name_width = max(len(check["check"]) for check in checks)
    level_width = max(map(len, _LEVELS))
    indent = " " * (level_width + name_width + 2 * _GAP)
    for check in checks:
        level = _paint(f"{check['status']:<{level_width}}", check["status"], color=color)
        first, *more = _list_lines(check, max(width - len(indent), _MIN_TEXT))
        yield f"{level}  {check['check']:<{name_width}}  {first}\n"
        yield from (f"{indent}{line}\n" for line in more)
    yield "\n" + ", ".join(_count(checks, color=color)) + "\n"


def _list_lines(check: Mapping[str, Any], width: int) -> Iterator[str]:
    yield from _wrap(check["detail"], width) or [""]
    if check["hint"]:
        yield from _wrap(check["hint"], width)
    if check["command"]:
        yield f"try: {escape(check['command'])}"  # in one piece, to be copied


def _wrap(text: str, width: int) -> list[str]:
    # Neither a path nor an id is broken: the terminal does that where it must, and a copy of it stays whole.
    return wrap(escape(text), width, break_long_words=False, break_on_hyphens=False)


def _count(checks: list[Mapping[str, Any]], *, color: bool) -> Iterator[str]:
    found = Counter(check["status"] for check in checks)
    for level in _LEVELS:
        if found[level]:
            yield _paint(f"{found[level]} {level}", level, color=color)


def _paint(text: str, level: str, *, color: bool) -> str:
    return f"\x1b[{_STYLES[level]}m{text}\x1b[0m" if color else text

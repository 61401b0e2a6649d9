"""What a bench found, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

_HEADER = ("name", "measured", "against", "measured", "against", "ratio", "target", "reached")


@dataclass(frozen=True)
class Target:
    """The bound that an issue sets on a ratio."""

    bound: Literal["≤", "<", "≥"]
    ratio: float

    def __str__(self) -> str:
        return f"{self.bound} {self.ratio:g}"

    def admits(self, ratio: float) -> bool:
        if self.bound == "<":
            return ratio < self.ratio
        return ratio <= self.ratio if self.bound == "≤" else ratio >= self.ratio


@dataclass(frozen=True, kw_only=True)
class Result:
    """Two medians of one run, in the same unit, and what their ratio should be, where an issue says."""

    name: str
    measured: str
    against: str
    unit: Literal["ms", "MB", "requests/s", "keys/s", "turns/s", "chunks/s"]
    median: float
    baseline: float
    target: Target | None
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        return self.median / self.baseline

    @property
    def reached(self) -> bool:
        return self.target is None or self.target.admits(self.ratio)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "measured": self.measured,
            "against": self.against,
            "unit": self.unit,
            "median": round(self.median, 2),
            "baseline": round(self.baseline, 2),
            "ratio": round(self.ratio, 3),
            "target": self.target and str(self.target),
            "reached": self.reached,
            "notes": list(self.notes),
        }


def render_table(results: Sequence[Result]) -> str:
    """One aligned line per result, then the notes."""
    rows = [_HEADER, *(make_row(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    notes = [f"{result.name}: {note}" for result in results for note in result.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def make_row(result: Result) -> tuple[str, ...]:
    """The cells of a result, as text."""
    return (
        result.name,
        result.measured,
        result.against,
        f"{result.median:,.1f} {result.unit}",
        f"{result.baseline:,.1f} {result.unit}",
        f"{result.ratio:.2f}",
        str(result.target or "-"),
        "-" if result.target is None else "yes" if result.reached else "NO",
    )

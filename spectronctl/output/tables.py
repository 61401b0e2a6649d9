"""Tables: fitted to a terminal for a person, plain text for everything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from spectronctl.output.cells import MISSING, cut, measure, wrap

GAP = "  "

_MIN_CUT = 12
_MIN_WRAPPED = 20

_BOLD = "1"
_RED, _GREEN, _YELLOW = "31", "32", "33"

_STATUS_STYLES = {
    _GREEN: ("ok", "active", "succeeded", "done", "current", "written", "compatible"),
    _YELLOW: ("warning", "expired", "superseded", "behind", "ahead", "unknown", "cancelled"),
    _RED: ("failed", "error", "revoked", "problem"),
}
_STYLES = {word: style for style, words in _STATUS_STYLES.items() for word in words}

Row = Sequence[str]


@dataclass(frozen=True)
class Track:
    """
    One column of a table on a terminal: its header (None without one), its cells, and how it makes room.

    One that is `cut` loses the ends of its cells; one that is `wrapped` breaks between words, in its column or below
    the row. One that `stays` is never left out. The cells of one that is `colored` are the words of a status.
    """

    head: str | None
    cells: Sequence[str]
    room: Literal["none", "cut", "wrapped"] = "none"
    stays: bool = False
    colored: bool = False

    @cached_property
    def width(self) -> int:
        """Cells of the terminal that it takes as it is."""
        return max(map(measure, [self.head or "", *self.cells]))

    @cached_property
    def min_width(self) -> int:
        """Cells of the terminal that it needs at least; the header is always whole."""
        if self.room == "none":
            return self.width
        floor = _MIN_CUT if self.room == "cut" else max(_MIN_WRAPPED, self._longest_word)
        return min(self.width, max(floor, measure(self.head or "")))

    @property
    def _longest_word(self) -> int:
        return max((measure(word) for cell in self.cells for word in cell.split(" ")), default=0)


@dataclass(frozen=True)
class Drawing:
    """A table that fits, and the headers of the columns that were left out for that."""

    lines: list[str]
    left_out: list[str]


def lay_out(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of plain text: columns aligned two blanks apart, nothing cut, however wide."""
    widths = [max(map(measure, column)) for column in zip(*rows, strict=True)]
    return (_join(row, widths) for row in rows)


def draw(tracks: Sequence[Track], *, width: int | None, color: bool) -> Drawing:
    """
    A table for a terminal of `width` cells; None where no line is to be cut, wrapped or left out.

    From the last column on, each makes what room it can. Where that is too little, sentences go below their rows, and
    the last columns that need not stay are left out. What must stay and is still too wide is broken by the terminal.
    """
    if width is None:
        return Drawing(_draw_lines(tracks, [], [t.width for t in tracks], color=color), [])
    kept, below = _put_below(tracks, width)
    kept = _leave_out(kept, width)
    lines = _draw_lines(kept, below, _shrink(kept, width), color=color, width=width)
    return Drawing(lines, [t.head or "" for t in tracks if t not in kept and t not in below])


def _draw_lines(
    tracks: Sequence[Track],
    below: Sequence[Track],
    widths: Sequence[int],
    *,
    color: bool,
    width: int = 0,
) -> list[str]:
    lines = []
    if tracks[0].head is not None:
        head = _join([track.head or "" for track in tracks], widths)
        lines.append(_paint(head, _BOLD if color else None))
    for index in range(len(tracks[0].cells)):
        lines += _draw_row(tracks, [t.cells[index] for t in tracks], widths, color=color)
        for track in below:
            lines += _draw_below(track.cells[index], width)
    return lines


def _draw_below(cell: str, width: int) -> Iterator[str]:
    if cell != MISSING:
        yield from (f"{GAP}{line}\n" for line in wrap(cell, width - len(GAP)))


def _put_below(tracks: Sequence[Track], width: int) -> tuple[list[Track], list[Track]]:
    """The columns that stand side by side, and those whose sentences go below each row: as few as it takes."""
    kept, below = list(tracks), list[Track]()
    for track in reversed(tracks):
        if track.room == "wrapped" and not track.stays and not _fits(kept, width):
            kept.remove(track)
            below.insert(0, track)
    return kept, below


def _fits(tracks: Sequence[Track], width: int) -> bool:
    return _sum([track.min_width for track in tracks]) <= width


def _leave_out(tracks: Sequence[Track], width: int) -> list[Track]:
    kept = list(tracks)
    while not _fits(kept, width):
        spare = [track for track in kept if not track.stays]
        if not spare or len(kept) == 1:
            break
        kept.remove(spare[-1])
    return kept


def _shrink(tracks: Sequence[Track], width: int) -> list[int]:
    widths = [track.width for track in tracks]
    for index in reversed(range(len(tracks))):
        excess = max(0, _sum(widths) - width)
        widths[index] = max(tracks[index].min_width, widths[index] - excess)
    return widths


def _sum(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _draw_row(
    tracks: Sequence[Track], row: Row, widths: Sequence[int], *, color: bool
) -> Iterator[str]:
    """The lines of one row: more than one where a cell is wrapped."""
    parts = [_split(*each) for each in zip(tracks, row, widths, strict=True)]
    for index in range(max(map(len, parts))):
        cells = [part[index] if index < len(part) else "" for part in parts]
        styles = (
            _STYLES.get(c) if t.colored and color else None
            for t, c in zip(tracks, cells, strict=True)
        )
        yield _join(cells, widths, styles)


def _split(track: Track, cell: str, width: int) -> list[str]:
    if track.room == "wrapped":
        return wrap(cell, width)
    return [cut(cell, width) if track.room == "cut" else cell]


def _join(row: Row, widths: Sequence[int], styles: Iterable[str | None] = ()) -> str:
    padded = [c + " " * (w - measure(c)) for c, w in zip(row, widths, strict=True)]
    for index, style in enumerate(styles):
        padded[index] = _paint(row[index], style) + padded[index][len(row[index]) :]
    return GAP.join(padded).rstrip() + "\n"


def _paint(text: str, style: str | None) -> str:
    if style is None or not text:
        return text
    body = text.removesuffix("\n")
    return f"\x1b[{style}m{body}\x1b[0m{text[len(body) :]}"

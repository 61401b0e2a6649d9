"""Tables: drawn for a person at a terminal, plain text for everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

from spectronctl.output.cells import measure

GAP = "  "

_MIN_COLUMN = 8

_MAX_ROWS = 1000  # rich takes a millisecond or two for each

Row = Sequence[str]


def lay_out(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of plain text: columns aligned two blanks apart, nothing cut, however wide."""
    widths = [max(map(measure, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [c + " " * (w - measure(c)) for c, w in zip(row, widths, strict=True)]
        yield GAP.join(cells).rstrip() + "\n"


def draw(
    rows: Sequence[Row], *, width: int, color: bool, head: Row | None, whole: int | None
) -> Iterator[str]:
    """
    Lines for a terminal of `width` cells, where a cell too long goes on below itself and loses nothing.

    A table too long or too wide for that is laid out as plain text, whose lines the terminal breaks.
    `whole` is the column to keep in one piece while the others can make room.
    """
    every_row = [head, *rows] if head is not None else list(rows)
    # Columns narrower than this are towers of single letters: lines that are too long read better.
    if len(rows) > _MAX_ROWS or width < len(every_row[0]) * _MIN_COLUMN:
        yield from lay_out(every_row)
        return
    keep = whole is not None and _fits(every_row, whole, width)
    yield _draw_with_rich(rows, head, width, color=color, whole=whole if keep else None)


def _fits(rows: Sequence[Row], whole: int, width: int) -> bool:
    others = len(rows[0]) - 1
    return max(measure(row[whole]) for row in rows) + len(GAP) + others * _MIN_COLUMN <= width


def _draw_with_rich(
    rows: Sequence[Row], head: Row | None, width: int, *, color: bool, whole: int | None
) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), show_header=head is not None
    )
    for index, title in enumerate(head or rows[0]):
        # Two cells at least: a wide character has no room in one, and would be lost.
        table.add_column(Text(title), overflow="fold", no_wrap=index == whole, min_width=2)
    for row in rows:
        # As Text, in which brackets are no markup.
        table.add_row(*(Text(cell) for cell in row))
    drawn = StringIO()
    # Everything is said here, so that rich does not ask the environment of this process.
    console = Console(
        file=drawn,
        force_terminal=True,
        color_system="standard" if color else None,
        legacy_windows=False,
        width=width,
        height=1,
    )
    console.print(table)
    return "".join(line.rstrip() + "\n" for line in drawn.getvalue().removesuffix("\n").split("\n"))

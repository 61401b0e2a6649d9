"""A result as lines of the format that was asked for. Nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from spectronctl.ground.text import escape, escape_steering
from spectronctl.output import tables
from spectronctl.output.cells import (
    format_age,
    format_short_age,
    format_value,
    format_words,
    to_text,
)
from spectronctl.output.differences import flatten
from spectronctl.output.documents import (
    format_csv,
    format_json_lines,
    format_json_list,
    format_yaml_list,
    to_json,
    to_yaml,
)
from spectronctl.output.views import ANYTHING, Column, Order, View, check_sort, select_columns

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9.]+$)")
"""What a spreadsheet takes for a formula, signed numbers aside."""

FOR_PEOPLE = {"table", "wide"}
WITH_COLUMNS = {"table", "wide", "csv"}

_ROOM: Mapping[str, Literal["cut", "wrapped"]] = {
    "text": "cut",
    "list": "cut",
    "lines": "cut",
    "words": "wrapped",
}
"""How a column of each kind makes room on a narrow terminal; the others do not."""

Item = Mapping[str, Any]
Lines = Iterable[str]


@dataclass(frozen=True)
class Terminal:
    """What is known of the terminal that a table is drawn on."""

    width: int
    color: bool


@dataclass(frozen=True)
class Rendering:
    """How results look in one run; `terminal` is None where tables are plain text."""

    format: str
    terminal: Terminal | None
    columns: str | Sequence[str] | None
    sort: str | None
    no_header: bool
    note: Callable[[str], None]
    """Told at once."""
    remark: Callable[[str], None]
    """Told once the table is there."""
    is_screen: bool = False
    limit: int | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The time that ages count from: the server's where it is known."""

    def find_columns(self, view: View) -> tuple[Column, ...]:
        """The columns of a table or of CSV, which has all of them by default."""
        if self.columns is not None:
            return select_columns(view, self.columns)
        return view.columns if self.format == "table" else view.every_column

    def find_order(self, view: View) -> Order | None:
        """The order of the rows, None for the server's."""
        return None if self.sort is None else check_sort(view, self.sort)

    @property
    def takes_lines(self) -> bool:
        """Whether people look, who shape no table."""
        return self.format in FOR_PEOPLE and self.columns is None and self.sort is None

    # Resources

    def render_one(self, item: dict[str, Any], view: View) -> Lines:
        """One resource; for people, one of a single column is its bare value."""
        match self.format:
            case "json":
                return [to_json(item, indent=2), "\n"]
            case "yaml":
                return [to_yaml(item)]
            # Before the others, since a view with parts has columns for them and none for itself.
            case "table" | "wide" | "csv" | "name" if view.parts is not None:
                return self.render_many(view.parts(item), view)
            case "table" | "wide" if len(view.every_column) == 1:
                return self._render_bare(view.columns[0], item)
            case "table" | "wide":
                return self._render_card(item, view)
            case _:
                return self.render_many([item], view)

    def render_many(self, items: Iterable[dict[str, Any]], view: View) -> Lines:
        """A list of resources, an item at a time where the format allows."""
        match self.format:
            case "json":
                return format_json_list(items)
            case "jsonl":
                return format_json_lines(items)
            case "yaml":
                return format_yaml_list(items)
            case "name":
                return self._render_scalars(_names(items, view))
            case "csv":
                return self._render_csv(self._arrange(items, view), self.find_columns(view))
            case _:
                return self._render_table(self._arrange(items, view), view)

    def render_outcome(self, outcome: dict[str, Any], view: View) -> Lines:
        """What was done, for programs: a table says nothing, CSV has the outcome's own fields."""
        if self.format in WITH_COLUMNS:
            return self.render_outcomes([outcome], view)
        return self.render_one(outcome, view)

    def render_outcomes(self, outcomes: list[dict[str, Any]], view: View) -> Lines:
        """What was done to each of several, as `render_outcome` does; all have the same fields."""
        if self.format in FOR_PEOPLE:
            return ()
        if self.format == "csv":
            # The outcome's own names and not the view's columns: it says what was done, and not what is there.
            head = self._head(list(outcomes[0]))
            return format_csv(head, (list(outcome.values()) for outcome in outcomes))
        return self.render_many(outcomes, view)

    def render_secret(self, minted: dict[str, Any], view: View) -> Lines:
        """A key with its secret, which is None where it is not shown; for people the secret alone."""
        if self.format in {"table", "wide", "name"}:
            return [] if minted["secret"] is None else [f"{escape(minted['secret'])}\n"]
        if self.format == "csv":
            return self._render_csv([minted], (*self.find_columns(view), Column("secret")))
        return self.render_one(minted, view)

    def _arrange(self, items: Iterable[Item], view: View) -> Iterable[Item]:
        order = self.find_order(view)
        if order is None:
            return items
        # The server sorts nothing, so all pages are read before the list is cut: `--sort` with `--limit` means the
        # first of all.
        arranged = order.arrange(items)
        if self.limit is not None and len(arranged) > self.limit:
            self.remark(f"There are more: --limit {self.limit} ended the list.")
        return arranged[: self.limit]

    def _render_csv(self, items: Iterable[Item], columns: Sequence[Column]) -> Lines:
        head = self._head([column.name for column in columns])
        rows = ([column.read(item) for column in columns] for item in items)
        return format_csv(head, self._note_formulas(rows))

    def _note_formulas(self, rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
        """The rows as they are, since a program reads them; a person may open the file in a spreadsheet."""
        found = False
        for row in rows:
            # Not defused with an apostrophe, as spreadsheets suggest: programs would get it as part of the value.
            found = found or any(isinstance(cell, str) and _FORMULA.match(cell) for cell in row)
            yield row
        if found:
            self.note(
                "A cell begins with =, +, -, @ or a tab: a spreadsheet would calculate it."
                " Import the columns as text."
            )

    def _head(self, names: list[str]) -> list[str] | None:
        return None if self.no_header else names

    def _render_bare(self, column: Column, item: Item) -> Lines:
        value = column.read(item)
        if column.kind == "lines" and isinstance(value, str):
            return self._render_scalars(value.splitlines())
        return self._render_scalars([value])

    # Tables

    def _render_table(self, items: Iterable[Item], view: View) -> Lines:
        rows = list(items)  # the first of them brings the response that tells the server's time
        if not rows:
            self.note(f"No {view.plural}.")
        columns = self._choose_columns(rows, view)
        now = self.now()
        cells = [[self._format_cell(column, item, now) for column in columns] for item in rows]
        if self.terminal is None:
            return self._lay_out([column.name for column in columns], cells)
        return self._draw(columns, cells, view) if rows else ()

    def _choose_columns(self, rows: Sequence[Item], view: View) -> tuple[Column, ...]:
        columns = self.find_columns(view)
        if not self._may_leave_out:
            return columns
        return tuple(
            c for c in columns if not c.optional or any(_says_more(c, r, view) for r in rows)
        )

    @property
    def _may_leave_out(self) -> bool:
        """Whether the table is ours to shape: `-o wide` and `--columns` ask for all of it, on one line per row."""
        return self.format == "table" and self.columns is None

    def _format_cell(self, column: Column, item: Item, now: datetime) -> str:
        value = column.read(item)
        if self.terminal is None:
            return format_value(value)
        if column.kind == "words" and isinstance(value, list):
            return format_words(value)
        if column.kind == "age":
            return format_short_age(value, now).removesuffix(" ago")
        return format_short_age(value, now) if column.kind == "time" else format_value(value)

    def _lay_out(self, names: list[str], rows: list[list[str]]) -> Lines:
        head = self._head([escape(name).upper() for name in names])
        return tables.lay_out(rows if head is None else [head, *rows])

    def _draw(self, columns: Sequence[Column], rows: list[list[str]], view: View) -> Lines:
        tracks = [
            tables.Track(
                head=None if self.no_header else column.title.upper(),
                cells=cells,
                room=_ROOM.get(column.kind, "none"),
                stays=(column.path or column.name) == view.name,
                colored=column.kind == "status",
            )
            for column, cells in zip(columns, zip(*rows, strict=True), strict=True)
        ]
        return self._fit(tracks, can_leave_out=self._may_leave_out)

    def _fit(self, tracks: Sequence[tables.Track], *, can_leave_out: bool) -> Lines:
        assert self.terminal is not None
        width = self.terminal.width if can_leave_out else None
        drawing = tables.draw(tracks, width=width, color=self.terminal.color)
        if missing := ", ".join(filter(None, drawing.left_out)):
            self.remark(f"Not shown at this width: {missing}. -o wide shows all columns.")
        return drawing.lines

    def _render_card(self, item: Item, view: View) -> Lines:
        """One resource as lines of a name and a value."""
        now = self.now()
        rows = [
            [escape(name), self._format_field(value, now, is_time=is_time)]
            for name, value, is_time in self._fields(item, view)
        ]
        if not rows or self.terminal is None:
            return tables.lay_out(rows)
        names, values = zip(*rows, strict=True)
        value = tables.Track(None, values, room="wrapped", stays=True)
        return self._fit([tables.Track(None, names, stays=True), value], can_leave_out=True)

    def _fields(self, item: Item, view: View) -> list[tuple[str, Any, bool]]:
        if self.columns is not None:
            return [(c.name, c.read(item), c.is_time) for c in self.find_columns(view)]
        times = {c.path or c.name for c in view.every_column if c.is_time}
        return [(path, leaf, path in times) for path, leaf in flatten(item).items()]

    def _format_field(self, value: Any, now: datetime, *, is_time: bool) -> str:
        text = format_value(value)
        if not is_time or self.terminal is None:
            return text
        age = format_age(value, now)
        return text if age == text else f"{age} ({text})"

    # What has a shape of its own

    def render_any(self, found: Any) -> Lines:
        """An object, a list, an iterator that is one, or a single value."""
        if isinstance(found, Iterator):
            if self.format in {"json", "jsonl", "yaml"}:
                return self.render_many(found, ANYTHING)
            found = list(found)
        if isinstance(found, Mapping) and self.format in FOR_PEOPLE:
            return self._render_card(found, ANYTHING)
        if isinstance(found, str) and self.format in FOR_PEOPLE:
            return self._render_scalars(found.splitlines())
        if found == [] and self.format in WITH_COLUMNS:
            self.note(f"No {ANYTHING.plural}.")
            return ()
        return self.render_found(found, ANYTHING)

    def render_found(self, found: Any, view: View) -> Lines:
        """Whatever `--query` made of the result."""
        if self.format in {"json", "jsonl", "yaml"}:
            as_list = isinstance(found, list)
            return self.render_many(found, view) if as_list else self.render_one(found, view)
        parts = found if isinstance(found, list) else [found]
        if not parts:
            self.note("The query finds nothing.")
        if not any(isinstance(part, (list, Mapping)) for part in parts):
            return self._render_scalars(parts)
        if self.format == "name" and all(_has_name(part, view) for part in parts):
            return self._render_scalars(_names(parts, view))
        is_table = isinstance(found, list) or self.format == "csv"
        if is_table and all(isinstance(part, Mapping) for part in parts):
            return self._render_objects(parts)
        return (escape(line) + "\n" for line in to_json(found, indent=2).split("\n"))

    def _render_objects(self, found: list[Item]) -> Lines:
        # In the order of their first use, over all objects: a query may give each of them other fields.
        names = list(dict.fromkeys(name for item in found for name in item))
        if self.format == "csv":
            return format_csv(self._head(names), ([i.get(name) for name in names] for i in found))
        rows = [[format_value(item.get(name)) for name in names] for item in found]
        if self.terminal is None or not names:
            return self._lay_out(names, rows)
        tracks = [
            tables.Track(None if self.no_header else escape(name).upper(), cells)
            for name, cells in zip(names, zip(*rows, strict=True), strict=True)
        ]
        return self._fit(tracks, can_leave_out=False)

    def _render_scalars(self, values: Iterable[Any]) -> Lines:
        if self.format == "csv":
            return format_csv(None, ([value] for value in values))
        # A script that reads names sends them on: nothing but what would break a line is changed.
        spell = escape if self.is_screen else escape_steering
        return (spell(to_text(value)) + "\n" for value in values)


def _names(items: Iterable[Item], view: View) -> Iterator[Any]:
    return (item[view.name] for item in items if item.get(view.name) is not None)


def _says_more(column: Column, item: Item, view: View) -> bool:
    value = column.read(item)
    return value is not None and value != item.get(view.name)


def _has_name(part: Any, view: View) -> bool:
    return isinstance(part, Mapping) and view.name in part

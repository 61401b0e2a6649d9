"""What a resource looks like: which fields make the columns of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from spectronctl.errors import UsageError

Kind = Literal["text", "id", "time", "age", "status", "list", "words", "lines"]


@dataclass(frozen=True)
class Column:
    """
    A column of a table: its name, and the dotted path of its field, the name itself by default.

    On a narrow terminal a `text` or a `list`, which is joined by commas, loses its end; `words`, a list or a sentence,
    continue on the next line; nothing else is ever cut: an `id` is what people copy, a `time` is RFC 3339 and shown as
    seen from now, an `age` too, a `status` is one word in colour. `lines` are a text that keeps them where it stands
    alone. What no field holds is made by `compute`. One that is `optional` is shown by default only where a row has
    something there other than its own name.
    """

    name: str
    path: str | None = None
    kind: Kind = "text"
    compute: Callable[[Mapping[str, Any]], Any] | None = None
    optional: bool = False

    @property
    def is_time(self) -> bool:
        """Whether a moment is in it."""
        return self.kind in {"time", "age"}

    @property
    def title(self) -> str:
        """Its name on a terminal, where no time is seen but how far away it is."""
        if self.kind == "age":
            return "age"
        return self.name.removesuffix("_at") if self.kind == "time" else self.name

    @property
    def spellings(self) -> set[str]:
        """What may be typed for it: its name, what is seen above it, the field that JSON has."""
        return {each.casefold() for each in (self.name, self.title, self.path or self.name)}

    def read(self, item: Mapping[str, Any]) -> Any:
        """The item's value in this column, None where it has none."""
        if self.compute is not None:
            return self.compute(item)
        value: Any = item
        for step in (self.path or self.name).split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value


@dataclass(frozen=True)
class View:
    """
    The columns shown by default, those that `-o wide` adds, and the field that `-o name` prints.

    An object with `parts` is a table of them wherever there are rows; in JSON and YAML it is itself.
    """

    columns: tuple[Column, ...]
    wide: tuple[Column, ...] = ()
    name: str = "id"
    plural: str = "results"
    parts: Callable[[Mapping[str, Any]], Iterable[dict[str, Any]]] | None = None

    @property
    def every_column(self) -> tuple[Column, ...]:
        """All there are."""
        return self.columns + self.wide


ANYTHING = View(columns=())
"""A result of which nothing is known before it comes."""


@dataclass(frozen=True)
class Order:
    """`--sort COLUMN`, or `-COLUMN` for the other way round; rows without a value come last in both."""

    column: Column
    descending: bool

    def arrange(self, items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The items in this order; equals stay as they were."""
        everything = list(items)
        known = [item for item in everything if self.column.read(item) is not None]
        # `reverse` keeps equals in their order, as the other way round of the whole list would not.
        known.sort(key=self._rank, reverse=self.descending)
        return known + [item for item in everything if self.column.read(item) is None]

    def _rank(self, item: Mapping[str, Any]) -> tuple[int, Any]:
        from spectronctl.ground.times import parse_time
        from spectronctl.output.cells import to_text  # not for --help

        value = self.column.read(item)
        # The number in front keeps kinds apart: a column may hold numbers and text, which Python does not compare.
        if isinstance(value, (int, float)):
            return 0, value
        moment = parse_time(value) if self.column.is_time else None
        return (1, moment.timestamp()) if moment else (2, to_text(value).casefold())


def select_columns(view: View, names: str | Sequence[str]) -> tuple[Column, ...]:
    """The columns that `--columns a,b` names, in its order."""
    wanted = names.split(",") if isinstance(names, str) else names
    return tuple(_find_column(view, name.strip(), "--columns") for name in wanted)


def check_sort(view: View, name: str) -> Order:
    """The order that `--sort created` or `--sort -created` names."""
    name = name.strip()
    return Order(_find_column(view, name.removeprefix("-"), "--sort"), name.startswith("-"))


def _find_column(view: View, name: str, option: str) -> Column:
    for column in view.every_column:
        if name.casefold() in column.spellings:
            return column
    from difflib import get_close_matches

    known = [column.name for column in view.every_column]
    raise UsageError(
        f"{option}: there is no column {name!r}",
        hint=f"The columns are {', '.join(known)}.",
        candidates=get_close_matches(name.casefold(), known),
    )

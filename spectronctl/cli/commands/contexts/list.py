"""`spectronctl contexts list`"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.api import contexts
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands.contexts._view import CONTEXTS, read_labels
from spectronctl.cli.listing import list_items
from spectronctl.cli.seen import remember_contexts
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.models.contexts import Context as ContextModel

app = App()


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """Which contexts are shown: those that fit every option."""

    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="PATTERN",
            help="Show only contexts whose id matches this pattern, such as 'acme-*'.",
        ),
    ] = None
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="NAME[=VALUE]",
            help="Show only contexts with this label in config.labels; may be repeated.",
        ),
    ] = None

    def read(self) -> Callable[[ContextModel], bool] | None:
        """What tells the contexts that are shown, None for all; UsageError for a label without a name."""
        labels = [_parse_label(text) for text in self.label or ()]
        if self.match is None and not labels:
            return None

        def keep(context: ContextModel) -> bool:
            has = read_labels(context.config)
            # Not `fnmatch`, which ignores case on Windows: ids are the server's, and no files.
            fits = self.match is None or fnmatchcase(context.id, self.match)
            return fits and all(
                name in has and value in (None, has[name]) for name, value in labels
            )

        return keep


def _parse_label(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not name:
        raise UsageError(
            f"--label {text!r}: a name is needed",
            hint="Such as --label team or --label team=search.",
        )
    return name, value if equals else None


@app.command()
def list_contexts(ctx: Context, filters: FilterOptions) -> None:
    """
    List the contexts of the server.

    Examples:
      spectronctl contexts list
      spectronctl contexts list --match 'acme-*' --label team=search
      spectronctl contexts list --query '[].id' -o json
    """
    rt = ctx.runtime
    rt.out.check(CONTEXTS)
    keep = filters.read()
    found = list_items(rt, contexts.list_contexts(), keep)
    rt.out.rows(remember_contexts(rt, found, is_whole=keep is None), CONTEXTS)

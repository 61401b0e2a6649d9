"""`spectronctl lifecycle fsck`"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from spectronctl.api import lifecycle as api
from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._plane import open_plane
from spectronctl.cli.commands.lifecycle._options import ContextOptions
from spectronctl.cli.commands.lifecycle._view import CHECKS, FINDINGS, REPORTS
from spectronctl.cli.contexts import Task, check_contexts, run_in_contexts
from spectronctl.cli.runtime import Runtime
from spectronctl.errors import FOUND

app = App()


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """What to look for."""

    check: Annotated[
        str | None,
        typer.Option(
            "--check",
            metavar="NAME",
            help=f"Run only this check: one of {', '.join(CHECKS)}.",
        ),
    ] = None
    duplicate_threshold: Annotated[
        float | None,
        typer.Option(
            "--duplicate-threshold",
            min=0.0,
            max=1.0,
            metavar="X",
            help="Report as duplicates from this similarity, from 0 to 1.",
        ),
    ] = None
    max_results: Annotated[
        int | None,
        typer.Option(
            "--max-results", min=1, metavar="N", help="Show at most N findings of each kind."
        ),
    ] = None

    def format_command(self) -> str:
        """The command that looks for the same."""
        options = {
            "--check": self.check,
            "--duplicate-threshold": self.duplicate_threshold,
            "--max-results": self.max_results,
        }
        given = [f"{name} {value}" for name, value in options.items() if value is not None]
        return " ".join(["spectronctl lifecycle fsck", *given])


@app.command()
def check_memory(
    ctx: Context,
    chosen: ContextOptions,
    wanted: CheckOptions,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help=f"Exit with code {FOUND} if there are findings.")
    ] = False,
) -> int:
    """
    Check memory for errors: duplicates, contradictions and the like.

    Examples:
      spectronctl lifecycle fsck
      spectronctl lifecycle fsck --all-contexts --check duplicates
    """
    rt = ctx.runtime
    check_contexts(rt, chosen, FINDINGS, REPORTS)
    task = Task(
        lambda context: _check(rt, context, wanted),
        lambda report: f"Findings: {report['total']}.",
        command=wanted.format_command(),
        view=FINDINGS,
        summary=REPORTS,
    )
    reports = run_in_contexts(rt, chosen, task)
    # Not by default: findings are a result, and a script that stops at any code but 0 must be able to look.
    return FOUND if exit_code and any(report["total"] for report in reports) else 0


def _check(rt: Runtime, context: str, wanted: CheckOptions) -> dict[str, Any]:
    with open_plane(rt, context) as (client, _):
        request = api.check_memory(
            context,
            check=wanted.check,
            duplicate_threshold=wanted.duplicate_threshold,
            max_results=wanted.max_results,
        )
        return client.send(request).to_dict()

"""`spectronctl doctor`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli._typer import App, Context
from spectronctl.output.views import Column, View

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

app = App()

DIAGNOSIS = View(
    columns=(
        Column("check", kind="id"),
        Column("status", kind="status"),
        Column("detail", kind="words"),
        Column("command", kind="words", optional=True),
    ),
    wide=(Column("hint"), Column("exit_code"), Column("seconds")),
    name="check",
    plural="checks",
    parts=lambda report: report["checks"],
)

BundleOption = Annotated[
    str | None,
    typer.Option(
        "--bundle",
        metavar="FILE",
        help="Write a report without secrets to this file, for an issue.",
    ),
]
SaveOption = Annotated[
    str | None,
    typer.Option(
        "--save-ca",
        metavar="FILE",
        help="Save the authority's certificate that the server sends to this file.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace existing files.")]


@app.command()
def diagnose(
    ctx: Context,
    bundle: BundleOption = None,
    save_ca: SaveOption = None,
    force: ForceOption = False,
) -> None:
    """
    Check everything between here and the server.

    What is wrong is shown with the way out of it.

    The table is printed whatever is found; the exit code is that of the first check that failed. --timeout bounds
    each check. The server is only read from.

    Examples:
      spectronctl doctor
      spectronctl doctor --bundle report.json
    """
    from spectronctl.cli.commands.doctor._examination import Examination

    rt = ctx.runtime
    # Before `rt.out`: it gives the run settings to show a table with, whatever is wrong with its own.
    examination = Examination(rt)
    rt.out.check(DIAGNOSIS)
    examination.reserve(bundle, save_ca, force=force)
    # Before the files are written and the first failure is raised: the table is shown in any case.
    _show(rt, examination.run())
    examination.write_files()
    examination.raise_first()


def _show(rt: Runtime, report: dict[str, Any]) -> None:
    from spectronctl.cli.commands.doctor._report import draw_report

    given, terminal = rt.settings, rt.out.terminal
    is_shaped = any(each.value is not None for each in (given.query, given.columns, given.sort))
    if terminal is None or is_shaped or rt.out.format != "table":
        rt.out.show(report, DIAGNOSIS)
    else:
        rt.out.text(draw_report(report, terminal.width, color=terminal.color), format="table")

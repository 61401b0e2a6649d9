"""`spectronctl options`"""

from __future__ import annotations

from spectronctl.cli._typer import App, Context, global_params

app = App()


@app.command()
def list_options(ctx: Context) -> None:
    """
    List the global options, which every command takes.

    They may stand at any position of the line. A flag wins over the environment, the environment over the profile, the
    profile over the default; 'spectronctl profiles show' prints the value of each and where it comes from.

    Examples:
      spectronctl options
    """
    from spectronctl.cli._help import format_options
    from spectronctl.cli._tree import describe_flags

    ctx.runtime.streams.write_piece(
        format_options(describe_flags(global_params()), ctx.runtime.streams.width) + "\n"
    )

"""`spectronctl completion`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from spectronctl.cli._typer import App

app = App()


class Shell(StrEnum):
    """The shells that a script can be printed for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


@app.command()
def completion(
    shell: Annotated[Shell, typer.Argument(help="Print the script for this shell.")],
) -> None:
    """
    Print a completion script for a shell.

    \b
    Keep it where the shell looks, then start a new one:
      bash        ~/.local/share/bash-completion/completions/spectronctl,
                  or any file that ~/.bashrc sources
      zsh         _spectronctl in a directory of $fpath, before compinit runs
      fish        ~/.config/fish/completions/spectronctl.fish
      powershell  at the end of $PROFILE (Out-File -Append -Encoding utf8)

    Examples:
      spectronctl completion bash
      spectronctl completion zsh
    """
    from spectronctl.cli import _completion
    from spectronctl.cli._tree import walk
    from spectronctl.cli.app import tree

    # The generators are named like the shells.
    generate = getattr(_completion, shell.value)
    typer.echo(generate(list(walk(tree()))), nl=False)

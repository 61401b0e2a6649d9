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
    shell: Annotated[Shell, typer.Argument(help="Shell that the script is for.")],
) -> None:
    """
    Print a completion script for a shell.

    \b
    Install it, then start a new shell:
      bash        echo 'eval "$(spectronctl completion bash)"' >> ~/.bashrc
      zsh         echo 'eval "$(spectronctl completion zsh)"' >> ~/.zshrc
                  after the line that runs compinit
      fish        spectronctl completion fish > ~/.config/fish/completions/spectronctl.fish
      powershell  spectronctl completion powershell >> $PROFILE
    """
    from spectronctl.cli import _completion
    from spectronctl.cli._tree import walk
    from spectronctl.cli.app import tree

    generate = getattr(_completion, shell.value)
    typer.echo(generate(list(walk(tree()))), nl=False)

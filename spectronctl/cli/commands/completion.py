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
      bash        spectronctl completion bash > ~/.local/share/bash-completion/completions/spectronctl
                  (or into any file that ~/.bashrc sources)
      zsh         spectronctl completion zsh > DIRECTORY/_spectronctl
                  (a directory of $fpath, named before compinit runs)
      fish        spectronctl completion fish > ~/.config/fish/completions/spectronctl.fish
      powershell  spectronctl completion powershell | Out-File -Append -Encoding utf8 $PROFILE
    """
    from spectronctl.cli import _completion
    from spectronctl.cli._tree import walk
    from spectronctl.cli.app import tree

    # The generators are named like the shells.
    generate = getattr(_completion, shell.value)
    typer.echo(generate(list(walk(tree()))), nl=False)

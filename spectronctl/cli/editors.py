"""The editor that a person has chosen."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spectronctl.errors import SpectronctlError, UsageError
from spectronctl.ground.programs import NOWHERE, leave_interrupts_to_child, run_program

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime

_DEFAULT = "vi"


@dataclass(frozen=True)
class Editor:
    """A program with the words that follow it; `env` holds no key of ours."""

    words: tuple[str, ...]
    env: dict[str, str]
    stdout: int | None

    def run(self, path: Path) -> None:
        """Let a person edit the file; SpectronctlError when the program cannot be started, or fails."""
        try:
            with leave_interrupts_to_child():
                code = run_program([*self.words, str(path)], env=self.env, stdout=self.stdout)
        except ChildProcessError:
            raise SpectronctlError(
                f"the editor {self.words[0]} ended, and whether it has failed cannot be known:"
                " nothing was changed"
            ) from None
        except OSError as exc:
            raise UsageError(
                f"the editor {self.words[0]} cannot be started: {exc.strerror}"
            ) from None
        if code:
            raise SpectronctlError(
                f"the editor {self.words[0]} failed ({code}): nothing was changed"
            )


def find_editor(rt: Runtime) -> Editor:
    """What `VISUAL` or `EDITOR` says, or `vi` at a terminal; UsageError when there is no such program."""
    source, text = next(
        ((name, rt.env[name]) for name in ("VISUAL", "EDITOR") if rt.env.get(name, "").strip()),
        ("the default", _DEFAULT),
    )
    if source == "the default" and not rt.streams.can_ask(no_input=rt.settings.no_input.value):
        raise UsageError(
            "the session is not interactive, and neither VISUAL nor EDITOR names an editor",
            hint="'spectronctl ontology set FILE' and 'ontology add' need no editor.",
        )
    return Editor(
        words=_find_program(text, source, rt),
        env=rt.keyless_env,
        stdout=_choose_stdout(rt),
    )


def _find_program(text: str, source: str, rt: Runtime) -> tuple[str, ...]:
    try:
        # Words, as in EDITOR='code --wait', but no shell: nothing in them is expanded or run.
        program, *words = shlex.split(text)
    except ValueError as exc:
        raise UsageError(f"{source}: {text!r} is not a command line: {exc}") from None
    found = shutil.which(program, path=rt.env.get("PATH", os.defpath))
    if found is None:
        raise UsageError(
            f"{source}: there is no editor {program}",
            hint="Set VISUAL or EDITOR to a program that is installed.",
        )
    return found, *words


def _choose_stdout(rt: Runtime) -> int | None:
    """Our own where that is the terminal; otherwise stdout is for the result, and the editor draws on stderr."""
    if rt.streams.stdout_is_terminal:
        return None
    # Python has no stream for a descriptor that was closed when it started.
    return NOWHERE if sys.__stderr__ is None else 2

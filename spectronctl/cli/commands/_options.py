"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.config.values import parse_duration, parse_named
from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.output.sinks import Place


class IfMissing(StrEnum):
    """What a deletion makes of a target that is not there."""

    FAIL = "fail"
    OK = "ok"


ConfirmOption = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="Confirm with the name, without a question."),
]
IfMissingOption = Annotated[
    IfMissing,
    typer.Option("--if-missing", help="Choose what to do if it does not exist.", show_default=True),
]


@dataclass(frozen=True, kw_only=True)
class SecretOptions:
    """Where a freshly minted secret goes."""

    secret_file: Annotated[
        list[str] | None,
        typer.Option("--secret-file", metavar="PATH", help="Write the secret to a new 0600 file."),
    ] = None
    secret_env_file: Annotated[
        list[str] | None,
        typer.Option(
            "--secret-env-file", metavar="PATH:NAME", help="Put the secret in a dotenv file."
        ),
    ] = None
    secret_command: Annotated[
        list[str] | None,
        typer.Option("--secret-command", metavar="CMD", help="Pipe the secret into a command."),
    ] = None
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing file or variable.")
    ] = False
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Print the secret even on a terminal.")
    ] = False

    def parse_places(self, env: Mapping[str, str]) -> tuple[Place, ...]:
        """The places that were named, without two that are one; UsageError."""
        from spectronctl.output.sinks import (
            check_distinct,
            read_command,
            read_file,
            read_variable,
        )

        places = (
            *(read_file(text) for text in self.secret_file or ()),
            *(read_variable(text) for text in self.secret_env_file or ()),
            *(read_command(text, env) for text in self.secret_command or ()),
        )
        check_distinct(places)
        return places

    def parse_places_of_many(self, env: Mapping[str, str], *, count: int) -> tuple[Place, ...]:
        """The same for the secrets of `count` keys, none of which is shown: UsageError unless each has a place."""
        places = self.parse_places(env)
        if not places or self.reveal:
            raise UsageError(
                "each of several secrets needs a place of its own"
                if count > 1
                else "the secret needs a place",
                hint="--secret-file 'keys/{name}.key', or --secret-command CMD, with the name in SPECTRONCTL_KEY_NAME.",
            )
        for place in places:
            # A command may be the same for all: it is told in its environment whose secret it reads.
            if count > 1 and place.path is not None and not place.placeholders & {"name", "id"}:
                raise UsageError(
                    f"{place.label} would hold the last of several secrets only",
                    hint="Put {name} or {id} into the path.",
                )
        return places

    def list_words(self) -> list[str]:
        """The options once more, as they may be shown: a command's words may hold a secret."""
        options = {
            "--secret-file": self.secret_file or (),
            "--secret-env-file": self.secret_env_file or (),
            # As many as there were: the line that is shown says what to repeat, not with which words.
            "--secret-command": ["CMD"] * len(self.secret_command or ()),
        }
        words = [word for option, texts in options.items() for t in texts for word in (option, t)]
        return [*words, *(["--force"] if self.force else [])]


def parse_wait_timeout(text: str | None) -> float | None:
    """`--wait-timeout` in seconds; UsageError for what is no duration."""
    return None if text is None else float(parse_named(parse_duration, text, "--wait-timeout"))

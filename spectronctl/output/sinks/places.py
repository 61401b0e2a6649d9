"""Where a secret goes, in words that a journal can keep and another process can follow."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from spectronctl.errors import ConfigError, UsageError

Kind = Literal["file", "variable", "command"]

_PLACEHOLDER = re.compile(r"\{(context|name|id)\}")
_VALUE = re.compile(r"[A-Za-z0-9](?:\.?[A-Za-z0-9_@+-])*\.?")
"""No separator and no two dots in a row: it stays one part of a path, and no command takes it for an option."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Place:
    """
    A file (`path`), one line of a dotenv file (`path`, `name`) or the stdin of a command (`words`).

    The words may hold a token of the user's, so they have no place in the repr.
    """

    kind: Kind
    path: Path | None = None
    name: str = ""
    words: tuple[str, ...] = field(default=(), repr=False)

    @property
    def label(self) -> str:
        """The place as messages name it."""
        if self.kind == "command":
            return f"command {self.program}"
        return (
            f"file {self.path}" if self.kind == "file" else f"variable {self.name} in {self.path}"
        )

    @property
    def program(self) -> str:
        """All of a command that may be shown."""
        return os.path.basename(self.words[0])

    @property
    def placeholders(self) -> set[str]:
        """Which of `context`, `name` and `id` must be filled in."""
        return {word for text in self._texts for word in _PLACEHOLDER.findall(text)}

    @property
    def _texts(self) -> tuple[str, ...]:
        return self.words if self.path is None else (str(self.path),)

    def fill(
        self, *, context: str | None = None, name: str | None = None, id: str | None = None
    ) -> Place:
        """
        The place of one key.

        Raises UsageError for a placeholder whose value is None, or could lead out of a directory.
        """
        values = {"context": context, "name": name, "id": id}
        for word in sorted(self.placeholders):
            _check_value(word, values, self.label)
        # All in one pass, so that a value that looks like a placeholder is not filled in again.
        texts = (_PLACEHOLDER.sub(lambda m: values[m[1]] or "", text) for text in self._texts)
        if self.path is None:
            return replace(self, words=tuple(texts))
        return replace(self, path=Path(*texts))

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON."""
        if self.path is None:
            return {"kind": self.kind, "words": list(self.words)}
        named = {"name": self.name} if self.name else {}
        return {"kind": self.kind, "path": str(self.path), **named}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Place:
        """Back from JSON; ConfigError when something is missing."""
        try:
            match document["kind"]:
                case "file":
                    return cls(kind="file", path=Path(document["path"]))
                case "variable":
                    return cls(kind="variable", path=Path(document["path"]), name=document["name"])
                case "command" if document["words"]:
                    return cls(kind="command", words=tuple(document["words"]))
        except (KeyError, TypeError):
            pass
        raise ConfigError("what is kept of a place for secrets cannot be read")


def read_file(text: str) -> Place:
    """`--secret-file PATH`"""
    if not text or text == "-":
        raise UsageError(
            f"--secret-file takes a path, not {text or 'nothing'}",
            hint="Without it, the secret goes to stdout when that is piped or redirected.",
        )
    # Absolute, as a rotation may be resumed in another directory. Not resolved: check_file() refuses a link, and must
    # see it.
    return Place(kind="file", path=Path(text).absolute())


def read_variable(text: str) -> Place:
    """`--secret-env-file PATH:NAME`"""
    # From the right: a path may have colons, a variable's name has none.
    path, colon, name = text.rpartition(":")
    if not colon or not path:
        raise UsageError(
            f"--secret-env-file {text!r} is not PATH:NAME", hint="Write .env:AGENT_KEY."
        )
    if not _VARIABLE.fullmatch(name):
        raise UsageError(
            f"--secret-env-file: {name!r} is not the name of a variable",
            hint="A name has letters, digits and _, and begins with no digit.",
        )
    return Place(kind="variable", path=Path(path).absolute(), name=name)


def read_command(text: str, env: Mapping[str, str]) -> Place:
    """`--secret-command CMD`, split as a shell would and run without one; found on the PATH of `env`."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise UsageError(f"--secret-command cannot be split into words: {exc}") from None
    if not words:
        raise UsageError("--secret-command is empty")
    # Now and for good: a resumed rotation runs the same program, whatever PATH is then.
    program = shutil.which(words[0], path=env.get("PATH", os.defpath))
    if program is None:
        raise UsageError(
            f"--secret-command: there is no program {words[0]}",
            hint="It must be on the PATH, or be named by its path, and may be executed.",
        )
    return Place(kind="command", words=(os.path.abspath(program), *words[1:]))


def check_distinct(places: Iterable[Place]) -> None:
    """UsageError when two places are one target, so that the second would undo the first."""
    for one, other in combinations(places, 2):
        # Equal commands are let pass: each of them may add the secret to a place of its own.
        if one.path is None or other.path is None or not _is_same_file(one.path, other.path):
            continue
        if one == other or one.kind == other.kind == "file" or one.name == other.name:
            raise UsageError(f"the secret is sent to {other.label} twice")
        if one.kind != other.kind:
            raise UsageError(f"{one.label} and {other.label} cannot be used together")


def _is_same_file(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _check_value(word: str, values: Mapping[str, str | None], label: str) -> None:
    value = values[word]
    if value is None:
        known = [f"{{{name}}}" for name, given in values.items() if given is not None]
        raise UsageError(
            f"{{{word}}} in {label} is not known here",
            hint=f"Known are {' and '.join(known)}." if known else "Spell the place out.",
        )
    if not _VALUE.fullmatch(value):
        raise UsageError(
            f"{value!r} is not safe in place of {{{word}}} in {label}",
            hint="Use {id} instead." if values["id"] else "Spell the place out.",
        )
